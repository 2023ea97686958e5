//! SQS: claim, plan, query, verify, decide, store (DESIGN §3). The four lookup queues feed this one function.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use domain::run::Run;
use domain::units::Millis;
use lambda_runtime::Context;
use pipeline::enrich::{Desks, Enrich};
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::Poison;
use pipeline::work::{Retry, Worked, put_aside};
use platform::{NotABatch, read_batch, remaining, work_batch};
use serde_json::Value;

/// What the function works with.
pub struct App {
    /// The use case.
    pub enrich: Enrich,
}

/// Works on a batch; only what failed comes again.
///
/// # Errors
/// [`NotABatch`] when the function was invoked with something else.
pub async fn handle(app: &App, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
    let event = read_batch(payload)?;
    let enrich = Enrich { desks: Desks::default(), ..app.enrich.in_force().await };
    let time_left = remaining(context, enrich.clock.now());
    Ok(work_batch(event, time_left, |message| one(&enrich, message, time_left)).await)
}

async fn one(enrich: &Enrich, message: SqsMessage, time_left: Duration) -> Result<(), Retry> {
    let body = message.body.unwrap_or_default();
    let worked = match from_body::<LookupMessage>(&body) {
        Ok(lookup) => enrich.work(&lookup, Millis::from_duration(time_left)).await?,
        Err(unreadable) => {
            let (id, at) = (message.message_id.unwrap_or_default(), enrich.clock.now());
            put_aside(&*enrich.store, Poison { id, queue: "lookup".to_owned(), why: unreadable.to_string(), body, at }).await?
        }
    };
    log(&worked);
    Ok(())
}

/// One line a message.
fn log(worked: &Worked) {
    match worked {
        Worked::Finished { run } => log_finished(run),
        Worked::Repeated { run } => tracing::info!(stage = "lookup", run = %run, outcome = "duplicate", "the same delivery came again"),
        Worked::Parked { run, until, why } => tracing::info!(stage = "lookup", run = %run, until = %until, why, "run parked"),
        Worked::Poisoned { why } => tracing::error!(stage = "lookup", why, "message put aside; it stands under POISON in the leads table"),
        Worked::Written { .. } | Worked::NothingToWrite { .. } => {}
    }
}

fn log_finished(run: &Run) {
    let Some(decision) = run.decision() else { return };
    tracing::info!(
        stage = "lookup",
        run = %run.id,
        outcome = decision.outcome.as_str(),
        gate = decision.gate.verdict.as_str(),
        score.low = decision.score.low,
        score.high = decision.score.high,
        track = decision.route.track.as_str(),
        provisional = decision.route.provisional,
        calls.paid = run.paid_calls(),
        credits.micro = run.cost().micros(),
        latency_ms = decision.after.0,
        "run decided"
    );
}
