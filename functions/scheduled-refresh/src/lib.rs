//! `EventBridge`: what no signup waits for. The ledger is swept, and whoever set a budget is told where the month stands (DESIGN §3).

use std::time::Duration;

use lambda_runtime::Context;
use pipeline::sweep::{Crossed, Sweep, Swept};
use platform::remaining;
use serde_json::Value;

/// With less time left no further round is begun; the next tick goes on.
const LEAST_TIME: Duration = Duration::from_secs(5);
/// Who sends ticks: the schedule of `template.yaml`, or a rule or a person in its place.
const SENDERS: [&str; 2] = ["aws.scheduler", "aws.events"];

/// What the function works with.
pub struct App {
    /// The use case.
    pub sweep: Sweep,
}

/// Why a tick failed as a whole. The next one tries again, and nothing is lost meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TickFailed {
    /// The function was invoked with something else.
    #[error("not a tick: {0}; connect this function to a schedule of EventBridge")]
    NotATick(&'static str),
    /// Some of it could not be done; the log has a line for each.
    #[error("{0} reservations or months could not be worked on; the next tick tries again")]
    InPart(usize),
}

/// Sweeps until nothing is left to do or little time is.
///
/// # Errors
/// [`TickFailed`] when something is left to the next tick that this one should have done. What was done stays done, and is logged.
pub async fn handle(app: &App, payload: &Value, context: &Context) -> Result<(), TickFailed> {
    check(payload)?;
    let swept = sweep(app, context).await;
    log(&swept);
    if swept.failed > 0 { Err(TickFailed::InPart(swept.failed)) } else { Ok(()) }
}

fn check(payload: &Value) -> Result<(), TickFailed> {
    let field = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    if field("detail-type") != "Scheduled Event" {
        return Err(TickFailed::NotATick("its `detail-type` is not `Scheduled Event`"));
    }
    if !SENDERS.contains(&field("source")) {
        return Err(TickFailed::NotATick("its `source` is neither aws.scheduler nor aws.events"));
    }
    Ok(())
}

/// Round after round, as long as each brings something about.
async fn sweep(app: &App, context: &Context) -> Swept {
    let mut swept = Swept::default();
    loop {
        let round = app.sweep.tick().await;
        // At once: a threshold that is marked is told by nobody else.
        round.crossed.iter().for_each(tell);
        let goes_on = round.more && round.resolved() > 0 && remaining(context, app.sweep.clock.now()) >= LEAST_TIME;
        swept.add(round);
        if !goes_on {
            return swept;
        }
    }
}

/// `CreditsAlarm` of `template.yaml` rings by these words.
fn tell(crossed: &Crossed) {
    let Crossed { month, threshold, used, total } = crossed;
    let (used, total) = (tracing::field::display(used), tracing::field::display(total));
    tracing::warn!(stage = "refresh", month, threshold = threshold.as_str(), used, total, why = %threshold, "a credit threshold was crossed");
}

/// One line a tick, and none when there was nothing to do.
fn log(swept: &Swept) {
    let Swept { settled, unknown, failed, more, .. } = swept;
    if *settled + *unknown + *failed > 0 {
        tracing::info!(stage = "refresh", settled, unknown, failed, more, "ledger swept");
    }
}
