//! What AWS charges, from the one dated file.

use anyhow::Context as _;
use serde::Deserialize;

/// `tests/benches/prices.yaml`, in dollars.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    /// The month in which they were looked up.
    pub(crate) dated: String,
    pub(crate) region: String,
    pub(crate) sqs_million_requests: Priced,
    pub(crate) alarm_metric: Priced,
    pub(crate) dashboard: Priced,
    pub(crate) secret: Priced,
    pub(crate) custom_metric: Priced,
    pub(crate) scheduler_million_invocations: Priced,
    pub(crate) lambda_million_requests: Priced,
    pub(crate) lambda_gb_second: Priced,
    pub(crate) dynamodb_million_write_units: Priced,
    pub(crate) dynamodb_million_read_units: Priced,
}

/// One thing, for a month or once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priced {
    pub(crate) each: f64,
    /// How many a month cost nothing, for ever and in every account.
    #[serde(default)]
    pub(crate) always_free: f64,
}

impl Prices {
    pub(crate) fn load() -> anyhow::Result<Self> {
        serde_saphyr::from_str(include_str!("../prices.yaml")).context("tests/benches/prices.yaml")
    }
}
