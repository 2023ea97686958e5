use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls;
use pipeline::ports::Clock;

use crate::queue::{QueueUrls, SqsQueue};
use crate::secrets::{SecretEditor, SecretReader, SecretsIds};
use crate::store::DynamoStore;
use crate::tables::{TableNames, TablesNotCreated, create_tables};

/// A connection is there by then, or the attempt counts as failed.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// A request that takes longer is sent again: a healthy answer takes milliseconds.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(2);
/// All attempts together; far below the shortest function timeout.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The SDK's own first pause is up to a second, half of what a signup may take.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
const ATTEMPTS: u32 = 4;

/// One connection to AWS, or to whatever plays it: the stores, queues and secrets share one HTTP client.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: SdkConfig,
}

impl Aws {
    /// Connects as the environment says; `AWS_ENDPOINT_URL` points it at a stand-in (LOCAL §2).
    pub async fn from_environment() -> Self {
        Self { sdk: common(aws_config::defaults(BehaviorVersion::latest())).load().await }
    }

    /// Connects to a stand-in that takes any credentials, whatever the environment says.
    pub async fn local(endpoint_url: &str) -> Self {
        let loader = common(aws_config::defaults(BehaviorVersion::latest()));
        let loader = loader.empty_test_environment().test_credentials().region(Region::from_static("eu-west-1"));
        Self { sdk: loader.endpoint_url(endpoint_url).load().await }
    }

    /// The store in these tables, for one workspace ([`crate::DEFAULT_WORKSPACE`] today, X-38).
    #[must_use]
    pub fn store(&self, tables: TableNames, workspace: &str) -> DynamoStore {
        DynamoStore::new(aws_sdk_dynamodb::Client::new(&self.sdk), tables, workspace)
    }

    /// The queues at these addresses.
    #[must_use]
    pub fn queue(&self, urls: QueueUrls) -> SqsQueue {
        SqsQueue::new(aws_sdk_sqs::Client::new(&self.sdk), urls)
    }

    /// The secrets under these ids.
    #[must_use]
    pub fn secrets(&self, ids: SecretsIds, clock: Arc<dyn Clock>) -> SecretReader {
        SecretReader::of_manager(aws_sdk_secretsmanager::Client::new(&self.sdk), ids, clock)
    }

    /// The secret under this id or ARN, to be filled.
    #[must_use]
    pub fn secret_editor(&self, id: &str) -> SecretEditor {
        SecretEditor::new(aws_sdk_secretsmanager::Client::new(&self.sdk), id)
    }

    /// Creates the tables that are not there yet, for local runs and tests; deployed ones come from `template.yaml`.
    ///
    /// # Errors
    /// Names the table that could not be created.
    pub async fn create_tables(&self, prefix: &str) -> Result<TableNames, TablesNotCreated> {
        create_tables(&aws_sdk_dynamodb::Client::new(&self.sdk), prefix).await
    }
}

/// Without an HTTP client of our own every service would build one, and parse the root certificates again.
fn common(loader: ConfigLoader) -> ConfigLoader {
    let crypto = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let http = aws_smithy_http_client::Builder::new().tls_provider(crypto).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_WITHIN)
        .operation_attempt_timeout(ATTEMPT_WITHIN)
        .operation_timeout(ANSWER_WITHIN)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE).with_max_backoff(LONGEST_PAUSE);
    loader.http_client(http).timeout_config(timeouts).retry_config(retries)
}

/// What went wrong, without a word of request or response.
pub(crate) fn failure_words<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    match error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "the endpoint cannot be reached",
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::ResponseError(_) => "the answer could not be read",
        _ => error.code().unwrap_or("an error without a code"),
    }
}
