//! No function of the product, and never deployed. It is made of the product's parts, wired as `provider-lookup` wires them, and
//! makes the three calls of `tests/benches/baselines`, so that row c compares these parts with Node and Python at the same work.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsMessage;
use connectors::{Egress, Endpoints, HttpProvider, configure_for_use};
use domain::credits::Tariff;
use domain::identity::{KeyKind, LookupKey};
use domain::{reply::Reply, units::Millis};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::ports::{Cache as _, CacheKey, CachedReply, Clock as _, LookupRequest, Provider as _, Queue as _, QueueName};
use pipeline::{ports::SecretUnavailable, ports::Secrets, work::Retry};
use platform::{Aws, Boot, DynamoStore, Function, SqsQueue, SystemClock, bundled_config, read_batch, remaining, start, work_batch};
use secrecy::SecretString;
use serde_json::{Value, json};

struct Calls {
    domain: String,
    provider: HttpProvider,
    store: DynamoStore,
    queue: SqsQueue,
}

/// The provider's key; the baselines have theirs from the environment too.
struct Key(String);

#[async_trait]
impl Secrets for Key {
    async fn secret(&self, _name: &str) -> Result<SecretString, SecretUnavailable> {
        Ok(self.0.clone().into())
    }
    async fn refresh(&self, _name: &str) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ProviderLookup, serve).await
}

#[expect(clippy::disallowed_methods, reason = "PROVIDER_* are no settings of the product, so platform::boot does not know them")]
async fn serve(boot: Boot) -> Result<(), Error> {
    let (domain, key) = (std::env::var("PROVIDER_DOMAIN")?, Arc::new(Key(std::env::var("PROVIDER_KEY")?)));
    let (settings, aws) = (boot.settings(Function::ProviderLookup)?, Aws::in_function(&boot)?);
    let (config, connectors) = configure_for_use(&bundled_config())?;
    let (endpoints, egress) = (Endpoints::new(settings.endpoints)?, Egress::new(settings.egress_allowed, aws.tls())?);
    let provider = HttpProvider::new(Arc::new(connectors), endpoints, egress, key);
    let calls = Calls { domain, provider, store: aws.store(settings.tables, &config.workspace), queue: aws.queue(settings.queues) };
    let handle = async |event: LambdaEvent<Value>| {
        let (batch, time_left) = (read_batch(&event.payload)?, remaining(&event.context, SystemClock.now()));
        Ok::<_, Error>(work_batch(batch, time_left, |message| calls.make(message)).await)
    };
    run(service_fn(handle)).await
}

impl Calls {
    /// One provider call, one put, one message, each after the other as in the baselines.
    async fn make(&self, message: SqsMessage) -> Result<(), Retry> {
        let (id, operation, now) = (message.message_id.unwrap_or_default(), "crustdata.company".to_owned(), SystemClock.now());
        let key = LookupKey { kind: KeyKind::Domain, value: self.domain.clone() };
        let reply = self.provider.look_up(&LookupRequest { operation: operation.clone(), key, now, timeout: Millis::seconds(5) }).await;
        if !matches!(reply, Reply::Hit { .. }) {
            return Err(Retry("the provider did not tell of the company".to_owned()));
        }
        let kept =
            CachedReply { reply, fetched_at: now, fresh_until: now.after(Millis::days(1)), reservation: None, tariff: Tariff::Single };
        self.store.keep_reply(&CacheKey { operation, hash: id.clone() }, &kept).await?;
        Ok(self.queue.send(QueueName::Writeback, &json!({"run": id, "record": self.domain}).to_string(), Millis(0)).await?)
    }
}
