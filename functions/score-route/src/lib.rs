//! SQS: decides about a lead again without a lookup (DESIGN §2).

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use lambda_runtime::Context;
use pipeline::messages::{RedecideMessage, from_body};
use pipeline::ports::{Poison, QueueName};
use pipeline::redecide::{Redecide, Redecided};
use pipeline::work::{Retry, put_aside};
use platform::{NotABatch, read_batch, remaining, work_batch};
use serde_json::Value;

/// What the function works with.
pub struct App {
    /// The use case.
    pub redecide: Redecide,
}

/// Works on a batch; only what failed comes again.
///
/// # Errors
/// [`NotABatch`] when the function was invoked with something else.
pub async fn handle(app: &App, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
    let event = read_batch(payload)?;
    let redecide = app.redecide.in_force().await;
    let time_left = remaining(context, redecide.clock.now());
    Ok(work_batch(event, time_left, |message| one(&redecide, message)).await)
}

async fn one(redecide: &Redecide, message: SqsMessage) -> Result<(), Retry> {
    let body = message.body.unwrap_or_default();
    match from_body::<RedecideMessage>(&body) {
        Ok(asked) => log(&asked, &redecide.work(&asked).await?),
        Err(unreadable) => {
            let (id, at, why) = (message.message_id.unwrap_or_default(), redecide.clock.now(), unreadable.to_string());
            tracing::error!(stage = "score", why, "message put aside; it stands under POISON in the leads table");
            put_aside(&*redecide.store, Poison { id, queue: QueueName::Score.as_str().to_owned(), why, body, at }).await?;
        }
    }
    Ok(())
}

/// One line a message.
fn log(asked: &RedecideMessage, redecided: &Redecided) {
    let (record, cause) = (asked.record.0.as_str(), asked.cause.as_str());
    match redecided {
        Redecided::Changed { run, from, to } => {
            let (from, to) = (from.as_str(), to.as_str());
            tracing::info!(stage = "score", run = %run, record, cause, from, to, "decided again");
        }
        Redecided::Unchanged { run } => tracing::info!(stage = "score", run = %run, record, cause, "decided again, nothing changed"),
        Redecided::Nothing { why } => tracing::warn!(stage = "score", record, cause, why, "nothing to decide again"),
        Redecided::Parked { until, why } => tracing::info!(stage = "score", record, cause, until = %until, why, "decision postponed"),
    }
}
