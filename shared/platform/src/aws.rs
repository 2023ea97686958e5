use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use pipeline::ports::Clock;

use crate::boot::Boot;
use crate::http::{TlsNotReady, sdk_client, tls};
use crate::queue::{QueueUrls, SqsQueue};
use crate::secrets::{SecretEditor, SecretReader, SecretsIds};
use crate::store::DynamoStore;
use crate::tables::{TableNames, TablesNotCreated, create_tables};

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
    tls: rustls::ClientConfig,
}

impl Aws {
    /// Connects as Lambda's environment says: region and credentials from their variables and from nowhere else, since looking
    /// for profiles and roles takes time in every new process. `AWS_ENDPOINT_URL`, or that of one service such as
    /// `AWS_ENDPOINT_URL_SQS`, points it at a stand-in (LOCAL §2).
    ///
    /// # Errors
    /// [`TlsNotReady`] when the certificates in `SSL_CERT_FILE` cannot be used.
    pub fn in_function(boot: &Boot) -> Result<Self, TlsNotReady> {
        let tls = tls(boot.own_certificates())?;
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(sdk_client(tls.clone())?)
            .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
            .service_config(boot.clone())
            .region(boot.region().map(|region| Region::new(region.to_owned())))
            .timeout_config(timeouts())
            .retry_config(retries());
        let sdk = match boot.endpoint_url() {
            Some(url) => sdk.endpoint_url(url).build(),
            None => sdk.build(),
        };
        Ok(Self { sdk, tls })
    }

    /// Connects as an operator's machine says: profiles, roles and variables, as for AWS's own tools, `AWS_ENDPOINT_URL` included.
    ///
    /// # Errors
    /// [`TlsNotReady`] when the certificates in `SSL_CERT_FILE` cannot be used.
    pub async fn from_environment() -> Result<Self, TlsNotReady> {
        let tls = tls(Boot::from_env().own_certificates())?;
        let sdk = common(sdk_client(tls.clone())?).load().await;
        Ok(Self { sdk, tls })
    }

    /// Connects to a stand-in that takes any credentials, whatever the environment says.
    ///
    /// # Errors
    /// [`TlsNotReady`] when the HTTP client cannot be built.
    pub async fn local(endpoint_url: &str) -> Result<Self, TlsNotReady> {
        let tls = tls(None)?;
        let loader = common(sdk_client(tls.clone())?).empty_test_environment().test_credentials();
        let sdk = loader.region(Region::from_static("eu-west-1")).endpoint_url(endpoint_url).load().await;
        Ok(Self { sdk, tls })
    }

    /// The TLS setup, for whoever else speaks HTTP in this process: certificates are read once.
    #[must_use]
    pub fn tls(&self) -> rustls::ClientConfig {
        self.tls.clone()
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

fn common(http: SharedHttpClient) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts()).retry_config(retries())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_WITHIN).operation_timeout(ANSWER_WITHIN).build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE).with_max_backoff(LONGEST_PAUSE)
}

/// What went wrong, without a word of request or response.
pub(crate) fn failure_words<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map(|error| innermost(error)).unwrap_or_default();
            format!("the endpoint cannot be reached: {cause}")
        }
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        _ => error.code().unwrap_or("an error without a code").to_owned(),
    }
}

/// What the network, TLS or the machine said at the bottom of an error: `connection refused`, an unknown issuer.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
