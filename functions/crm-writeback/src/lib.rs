//! SQS: the CRM write of a decided lead (DESIGN §3).

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use domain::config::Config;
use domain::signup::RunId;
use domain::units::Millis;
use lambda_runtime::Context;
use pipeline::messages::{WritebackMessage, from_body};
use pipeline::ports::{Clock, Crm, Entropy, Poison, Queue, Store};
use pipeline::work::{Retry, Worked, put_aside};
use pipeline::write_back::WriteBack;
use platform::{NotABatch, read_batch, remaining, work_batch};
use serde_json::Value;

/// What the function works with.
pub struct App {
    /// The use case.
    pub write_back: WriteBack,
}

/// What stays whichever version of the configuration is in force.
pub struct Ports {
    /// Records, and what was written where.
    pub store: Arc<dyn Store>,
    /// Where delayed copies go.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh names.
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    /// The function by a version's rules, with the CRM at the path that it names.
    #[must_use]
    pub fn app(&self, (config, crm): (Arc<Config>, Arc<impl Crm + 'static>)) -> App {
        let (store, queue, clock) = (Arc::clone(&self.store), Arc::clone(&self.queue), Arc::clone(&self.clock));
        App { write_back: WriteBack { store, queue, crm, clock, entropy: Arc::clone(&self.entropy), config } }
    }
}

/// Works on a batch; only what failed comes again.
///
/// # Errors
/// [`NotABatch`] when the function was invoked with something else.
pub async fn handle(app: &App, payload: &Value, context: &Context) -> Result<SqsBatchResponse, NotABatch> {
    let event = read_batch(payload)?;
    let time_left = remaining(context, app.write_back.clock.now());
    Ok(work_batch(event, time_left, |message| one(app, message, time_left)).await)
}

async fn one(app: &App, message: SqsMessage, time_left: Duration) -> Result<(), Retry> {
    let time_left = Millis::from_duration(time_left);
    let body = message.body.unwrap_or_default();
    match from_body::<WritebackMessage>(&body) {
        Ok(write) => log(Some(&write.run), &app.write_back.work(&write, time_left).await?),
        Err(unreadable) => {
            let (id, at) = (message.message_id.unwrap_or_default(), app.write_back.clock.now());
            let poison = Poison { id, queue: "writeback".to_owned(), why: unreadable.to_string(), body, at };
            log(None, &put_aside(&*app.write_back.store, poison).await?);
        }
    }
    Ok(())
}

/// One line a message.
fn log(run: Option<&RunId>, worked: &Worked) {
    let run = run.map(tracing::field::display);
    match worked {
        Worked::Written { created } => tracing::info!(stage = "writeback", run, created, "CRM written"),
        Worked::NothingToWrite { why } => tracing::info!(stage = "writeback", run, why, "nothing written"),
        Worked::Parked { until, why, .. } => tracing::info!(stage = "writeback", run, until = %until, why, "write postponed"),
        Worked::Poisoned { why } => {
            tracing::error!(stage = "writeback", run, why, "write put aside; it stands under POISON in the leads table")
        }
        Worked::Finished { .. } | Worked::Repeated { .. } => {}
    }
}
