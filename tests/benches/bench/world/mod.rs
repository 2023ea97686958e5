//! The three functions as they are, on ports that a row chooses: real handlers, real signatures, real configuration.

mod config;
mod keys;
mod people;
mod provider;

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::sqs::SqsBatchResponse;
use domain::config::Config;
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::units::Millis;
use intake::sample::local_secret;
use lambda_runtime::Context;
use pipeline::enrich::{Desks, Enrich};
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Clock, Crm, CrmReply, CrmWrite, Entropy, Provider, Queue, QueueName, Store};
use pipeline::write_back::WriteBack;
use serde_json::{Map, Value, json};

pub(crate) use keys::BenchKeys;
pub(crate) use people::{Class, Mix, Person};
pub(crate) use provider::Recorded;
pub(crate) use tests::clock::{HandClock, START};

/// Lambda's timeout of provider-lookup and crm-writeback in `template.yaml`.
const FUNCTION_TIMEOUT: Millis = Millis::seconds(60);
/// A message that was received is hidden for six times as long.
const VISIBILITY: Millis = Millis(FUNCTION_TIMEOUT.0 * 6);
const ISSUER: &str = "signup";

/// What the functions stand on.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    /// One for all worlds that share a store: it names records.
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) config: Arc<Config>,
}

/// The three functions.
pub(crate) struct World {
    pub(crate) webhook: signup_webhook::App,
    pub(crate) lookup: provider_lookup::App,
    writeback: crm_writeback::App,
    clock: Arc<dyn Clock>,
}

/// Writes every contact at once.
struct ObedientCrm;

#[async_trait::async_trait]
impl Crm for ObedientCrm {
    async fn upsert(&self, _write: &CrmWrite) -> CrmReply {
        CrmReply::Written { external_id: "51234567890".to_owned(), created: true }
    }
}

impl World {
    pub(crate) fn new(ports: Ports) -> anyhow::Result<Self> {
        let Ports { store, queue, provider, clock, entropy, config } = ports;
        let key = Arc::new(HashKey::new(vec![7; 32])?);
        let enrich = Enrich {
            store: Arc::clone(&store),
            queue: Arc::clone(&queue),
            provider,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            config: Arc::clone(&config),
            key: Arc::clone(&key),
            versions: None,
            desks: Desks::default(),
        };
        let write_back = WriteBack {
            store: Arc::clone(&store),
            queue: Arc::clone(&queue),
            crm: Arc::new(ObedientCrm),
            clock: Arc::clone(&clock),
            entropy,
            config,
        };
        let keys = Arc::new(BenchKeys);
        Ok(Self {
            webhook: signup_webhook::App { keys, queue, store, clock: Arc::clone(&clock), hash_key: key },
            lookup: provider_lookup::App { enrich },
            writeback: crm_writeback::App { write_back },
            clock,
        })
    }

    /// Posts a signup as the form would, waiting for the decision for up to `wait` seconds.
    pub(crate) async fn post(&self, person: &Person, delivery: &str, wait: Option<u32>) -> anyhow::Result<ApiGatewayV2httpResponse> {
        let now = self.clock.now();
        let body = person.form(now).to_string();
        let secret = local_secret(ISSUER).context("the form has no local secret")?;
        let signed = intake::sign(ISSUER, body.as_bytes(), &secret.into(), Some(delivery), now)?;
        let mut headers: Map<String, Value> = signed.into_iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
        headers.extend(wait.map(|seconds| ("prefer".to_owned(), json!(format!("wait={seconds}")))));
        let event = stand_in::post_event(ISSUER, headers, &body, now);
        Ok(signup_webhook::handle(&self.webhook, serde_json::from_value(event)?).await)
    }

    /// Works off what waits in the queues, one message an invocation, until nothing waits. `waiting` is what `queue` leads to.
    pub(crate) async fn work_off(&self, queue: &dyn Queue, waiting: &MemoryQueue) -> anyhow::Result<()> {
        let names = Priority::ALL.map(QueueName::Lookup).into_iter().chain([QueueName::Writeback]);
        // Lambda asks on its own account while nothing is there; only receives that bring something are a signup's.
        for name in names.filter(|name| waiting.waiting(*name) > 0) {
            let received = queue.receive(name, 1, VISIBILITY).await?;
            let message = received.first().context("a message that is not visible")?;
            self.invoke(name, &message.id, &message.body).await?;
            queue.delete(name, &message.receipt).await?;
        }
        ensure!(QueueName::ALL.iter().all(|name| waiting.waiting(*name) == 0), "the signup is not at its end");
        Ok(())
    }

    /// Invokes the function of a queue with one message.
    pub(crate) async fn invoke(&self, queue: QueueName, id: &str, body: &str) -> anyhow::Result<()> {
        let payload = json!({"Records": [{
            "messageId": id,
            "receiptHandle": "receipt",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
        }]});
        let mut context = Context::default();
        context.deadline = u64::try_from(self.clock.now().after(FUNCTION_TIMEOUT).millis())?;
        let answer: SqsBatchResponse = match queue {
            QueueName::Lookup(_) => provider_lookup::handle(&self.lookup, &payload, &context).await?,
            QueueName::Score => anyhow::bail!("nobody decides about a signup again here"),
            QueueName::Writeback => crm_writeback::handle(&self.writeback, &payload, &context).await?,
        };
        ensure!(answer.batch_item_failures.is_empty(), "{} failed on a message", queue.as_str());
        Ok(())
    }
}
