use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError;
use pipeline::ports::Clock;

use crate::boot::Boot;
use crate::http::{Proxies, TlsNotReady, sdk_client, tls};
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

/// What the SDK says when it does not know where to send; it has no type of its own for it.
const MISSING_REGION: &str = "Missing Region";

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
            .http_client(sdk_client(tls.clone(), Proxies::None)?)
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

    /// Connects as an operator's machine says: profiles, SSO, credential processes and variables, as for AWS's own tools,
    /// `AWS_ENDPOINT_URL` and the system's proxies included.
    ///
    /// # Errors
    /// [`TlsNotReady`] when the certificates in `SSL_CERT_FILE` cannot be used.
    pub async fn from_environment() -> Result<Self, TlsNotReady> {
        Self::from_environment_in(None).await
    }

    /// As [`Self::from_environment`], but in this region, whatever the environment says.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub async fn from_environment_in(region: Option<&str>) -> Result<Self, TlsNotReady> {
        let tls = tls(Boot::from_env().own_certificates())?;
        let loader = common(sdk_client(tls.clone(), Proxies::OfTheSystem)?);
        let sdk = match region {
            Some(region) => loader.region(Region::new(region.to_owned())).load().await,
            None => loader.load().await,
        };
        Ok(Self { sdk, tls })
    }

    /// Connects to a stand-in that takes any credentials, whatever the environment says.
    ///
    /// # Errors
    /// [`TlsNotReady`] when the HTTP client cannot be built.
    pub async fn local(endpoint_url: &str) -> Result<Self, TlsNotReady> {
        let tls = tls(None)?;
        let loader = common(sdk_client(tls.clone(), Proxies::None)?).empty_test_environment().test_credentials();
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
        SdkError::DispatchFailure(failure) => failure.as_connector_error().map(not_sent).unwrap_or_default(),
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        _ => error.code().unwrap_or("an error without a code").to_owned(),
    }
}

/// Why a request got no answer: the network, or what the SDK needs before it can ask.
fn not_sent(error: &ConnectorError) -> String {
    let mut causes: Vec<&(dyn Error + 'static)> = vec![error];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    // What the network, TLS or the machine said at the bottom: `connection refused`, an unknown issuer.
    let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
    let why = match causes.iter().find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        Some(CredentialsError::CredentialsNotLoaded(_)) => "no AWS credentials were found",
        Some(_) => "the AWS credentials cannot be used",
        None if error.is_io() || error.is_timeout() => "the endpoint cannot be reached",
        None if innermost.contains(MISSING_REGION) => "no region is set; export AWS_REGION",
        None => "the request could not be sent",
    };
    format!("{why}: {innermost}")
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::{ProvideCredentials, future};
    use secrecy::SecretString;

    use super::*;

    /// Has no credentials, as an operator's machine before anybody signed in.
    #[derive(Debug)]
    struct Nobody;

    impl ProvideCredentials for Nobody {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nobody signed in")))
        }
    }

    /// What is said when a secret is to be changed over this connection.
    async fn said(change: impl FnOnce(aws_types::sdk_config::Builder) -> aws_types::sdk_config::Builder) -> String {
        let mut aws = Aws::local("http://127.0.0.1:9").await.unwrap();
        aws.sdk = change(aws.sdk.into_builder()).build();
        aws.secret_editor("id").set("api_key", &SecretString::from("canary")).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn an_endpoint_that_cannot_be_reached_is_not_taken_for_missing_credentials_or_a_missing_region() {
        let unreachable = said(|sdk| sdk).await;
        assert!(unreachable.contains("the endpoint cannot be reached"), "{unreachable}");

        let nobody = said(|sdk| sdk.credentials_provider(SharedCredentialsProvider::new(Nobody))).await;
        assert!(nobody.contains("no AWS credentials were found: nobody signed in"), "{nobody}");

        let nowhere = said(|mut sdk| {
            sdk.set_region(None).set_endpoint_url(None);
            sdk
        });
        let nowhere = nowhere.await;
        assert!(nowhere.contains("no region is set; export AWS_REGION"), "{nowhere}");
        assert!([&unreachable, &nobody, &nowhere].iter().all(|said| said.contains("secret id") && !said.contains("canary")));
    }
}
