//! What the event source mappings of Lambda do: receive a batch, invoke the function, delete what did not fail.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use domain::priority::Priority;
use domain::units::Millis;
use lambda_runtime::Context;
use pipeline::ports::{Clock, Queue, QueueName, Received};
use pipeline::versions::Versions;
use platform::NotABatch;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// A Lambda invocation gets this long here.
pub(crate) const FUNCTION_TIMEOUT: Millis = Millis::seconds(60);
/// Visibility of a received message: six times the function's timeout (RELIABILITY §3).
const VISIBILITY: Millis = Millis(FUNCTION_TIMEOUT.0 * 6);
const BATCH_SIZE: usize = 10;
/// Of low priority more, as in the template: they may share requests.
const LOW_BATCH_SIZE: usize = 100;
/// A queue's invocations at a time, as few as AWS allows (the template's `MaximumConcurrency` allows more): what is not received
/// yet waits in the queue, while what is received and cannot be served in time would spend its receives.
const INVOCATIONS_MOST: usize = 2;
/// How long the pump rests when a queue is empty; a message travels for about as long as in SQS.
const REST: Millis = Millis(10);

/// Feeds one queue to one function until the task is dropped. Invocations overlap, as in Lambda, up to a bound.
pub(crate) async fn pump<F>(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, name: QueueName, invoke: F)
where
    F: AsyncInvoke + 'static,
{
    let most = if name == QueueName::Lookup(Priority::Low) { LOW_BATCH_SIZE } else { BATCH_SIZE };
    let (invoke, room) = (Arc::new(invoke), Arc::new(Semaphore::new(INVOCATIONS_MOST)));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match queue.receive(name, most, VISIBILITY).await {
            Ok(batch) if !batch.is_empty() => {
                let (queue, clock, invoke) = (Arc::clone(&queue), Arc::clone(&clock), Arc::clone(&invoke));
                tokio::spawn(async move {
                    work(&*queue, &*clock, name, batch, &*invoke).await;
                    drop(place);
                });
            }
            Ok(_) => tokio::time::sleep(REST.to_std()).await,
            Err(error) => {
                tracing::warn!(stage = "pump", error = %error, "the queue could not be read");
                tokio::time::sleep(Millis::seconds(1).to_std()).await;
            }
        }
    }
}

/// A function that takes batches.
#[async_trait::async_trait]
pub(crate) trait AsyncInvoke: Send + Sync {
    async fn invoke(&self, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch>;
}

#[async_trait::async_trait]
impl AsyncInvoke for Arc<provider_lookup::App> {
    async fn invoke(&self, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
        provider_lookup::handle(self, payload, context).await
    }
}

#[async_trait::async_trait]
impl AsyncInvoke for Arc<score_route::App> {
    async fn invoke(&self, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
        score_route::handle(self, payload, context).await
    }
}

#[async_trait::async_trait]
impl AsyncInvoke for Arc<Versions<crm_writeback::App>> {
    async fn invoke(&self, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
        crm_writeback::handle(&*self.in_force().await, payload, context).await
    }
}

async fn work(queue: &dyn Queue, clock: &dyn Clock, name: QueueName, batch: Vec<Received>, invoke: &dyn AsyncInvoke) {
    let payload = json!({"Records": batch.iter().map(record).collect::<Vec<_>>()});
    let mut context = Context::default();
    context.deadline = u64::try_from(clock.now().after(FUNCTION_TIMEOUT).millis()).unwrap_or_default();
    let response = match invoke.invoke(&payload, &context).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(stage = "pump", error = %error, "the batch failed as a whole; all of it comes again");
            return;
        }
    };
    let failed: BTreeSet<&str> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    for done in batch.iter().filter(|received| !failed.contains(received.id.as_str())) {
        if let Err(error) = queue.delete(name, &done.receipt).await {
            tracing::warn!(stage = "pump", error = %error, "a finished message could not be deleted; it comes again");
        }
    }
}

fn record(received: &Received) -> Value {
    json!({
        "messageId": received.id,
        "receiptHandle": received.receipt,
        "body": received.body,
        "attributes": {"ApproximateReceiveCount": received.receive_count.to_string()},
        "eventSource": "aws:sqs",
    })
}
