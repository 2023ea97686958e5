//! The way every queue's handler works off a batch: no record fails for another, and none is lost silently.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::units::Timestamp;
use futures::FutureExt as _;
use futures::future::join_all;
use pipeline::work::Retry;
use serde_json::Value;

/// What the answer itself needs: a record that is not done by then is handed back to the queue.
const ANSWER_TIME: Duration = Duration::from_millis(300);
/// However late it is, a record gets this long to be handed on as a copy.
const HAND_ON_TIME: Duration = Duration::from_millis(200);

/// An invocation that is no batch of SQS messages; the whole invocation fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SQS event: {0}; connect this function to a queue, with ReportBatchItemFailures")]
pub struct NotABatch(String);

/// Reads an invocation's payload as a batch of messages, each with its id.
///
/// # Errors
/// Says what is missing, without repeating a body.
pub fn read_batch(payload: &Value) -> Result<SqsEvent, NotABatch> {
    let records = payload.get("Records").and_then(Value::as_array).ok_or_else(|| NotABatch("it has no list `Records`".to_owned()))?;
    for (index, record) in records.iter().enumerate() {
        let field = |name: &str| record.get(name).and_then(Value::as_str);
        if field("eventSource").is_some_and(|source| source != "aws:sqs") {
            return Err(NotABatch(format!("record {index} is not of event source aws:sqs")));
        }
        if field("messageId").is_none_or(str::is_empty) {
            return Err(NotABatch(format!("record {index} has no `messageId`")));
        }
    }
    // The error's own text may repeat a body.
    serde::Deserialize::deserialize(payload)
        .map_err(|_: serde_json::Error| NotABatch("its records are not of the form of SQS messages".to_owned()))
}

/// Works on all messages at the same time and answers with the ids of those that must come again: whose work said so,
/// panicked, or was not done before the invocation's time was over. Work with too little time left hands its message on as a copy,
/// so even then it is begun. A message that stands twice in the batch is worked on once.
pub async fn work_batch<W, F>(event: SqsEvent, remaining: Duration, work: W) -> SqsBatchResponse
where
    W: Fn(SqsMessage) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let mut seen = BTreeSet::new();
    let mut response = SqsBatchResponse::default();
    let work_time = remaining.saturating_sub(ANSWER_TIME).max(HAND_ON_TIME);
    let mut works = Vec::new();
    for message in event.records {
        let id = message.message_id.clone().unwrap_or_default();
        if id.is_empty() {
            // SQS always names its messages, and nobody else's can be handed back; `read_batch` refuses such an event.
            tracing::error!("a record without a message id was left alone");
        } else if seen.insert(id.clone()) {
            works.push(work_one(id, message, work_time, &work));
        }
    }
    for failed in join_all(works).await.into_iter().flatten() {
        response.add_failure(failed);
    }
    response
}

/// Works on one message; gives its id back when it must come again.
async fn work_one<W, F>(id: String, message: SqsMessage, work_time: Duration, work: &W) -> Option<String>
where
    W: Fn(SqsMessage) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    // The call stands inside the async block, so that a panic before the first await is caught as well.
    let guarded = AssertUnwindSafe(async { work(message).await }).catch_unwind();
    match tokio::time::timeout(work_time, guarded).await {
        Ok(Ok(Ok(()))) => return None,
        Ok(Ok(Err(retry))) => tracing::warn!(message.id = id, why = retry.0, "the message must come again"),
        Ok(Err(panic)) => log_panic(&id, panic.as_ref()),
        Err(_) => tracing::warn!(message.id = id, "the work was not done in time; the message comes again"),
    }
    Some(id)
}

/// A panic's text may hold anything, so only its kind is logged; the place is logged by the hook that `logging::start` sets.
fn log_panic(id: &str, panic: &(dyn Any + Send)) {
    let kind = if panic.is::<String>() || panic.is::<&str>() { "with a text" } else { "without a text" };
    tracing::error!(message.id = id, panic = kind, "the work on a message panicked; it comes again");
}

/// The time that is left of an invocation; zero when it is over or unknown.
#[must_use]
pub fn remaining(context: &lambda_runtime::Context, now: Timestamp) -> Duration {
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millis(deadline).since(now).to_std()
}
