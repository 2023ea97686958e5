//! Amazon Web Services behind the ports of `pipeline` and `intake`: the only crate that names `aws_sdk_*`.
//!
//! [`Boot`] reads the environment once, [`Aws`] connects, and hands out the store, the queues and the secrets.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aws;
mod batch;
mod boot;
mod bundled;
mod clock;
mod http;
mod logging;
mod queue;
mod secrets;
mod store;
mod tables;

pub use aws::Aws;
pub use batch::{NotABatch, read_batch, remaining, work_batch};
pub use boot::{Boot, Function, MissingSettings, Settings, SettingsError, start};
pub use bundled::{UnreadableConfig, bundled_config, config_folder};
pub use clock::{OsEntropy, SystemClock};
pub use http::{TlsNotReady, http_client};
pub use queue::{QueueUrls, SqsQueue};
pub use secrets::{SecretEditor, SecretNotChanged, SecretReader, SecretsIds};
pub use store::{DEFAULT_WORKSPACE, DynamoStore};
pub use tables::{
    OPEN_ATTRIBUTE, OPEN_INDEX, OPEN_UNTIL_ATTRIBUTE, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE, Table, TableNames, TablesNotCreated,
};
