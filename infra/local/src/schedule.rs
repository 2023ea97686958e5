//! What the schedule of `template.yaml` does, in a shorter measure: it ticks `scheduled-refresh`.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Context;
use pipeline::ports::Clock;
use pipeline::versions::Versions;
use scheduled_refresh::{App, handle};
use serde_json::json;

use crate::pump::FUNCTION_TIMEOUT;

/// Five minutes there are five seconds here, so that one sees it.
const EVERY: Duration = Duration::from_secs(5);

/// Ticks until the task is dropped, one tick after the other.
pub(crate) async fn tick(versions: Versions<App>, clock: Arc<dyn Clock>) {
    let event = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"});
    loop {
        tokio::time::sleep(EVERY).await;
        let mut context = Context::default();
        context.deadline = u64::try_from(clock.now().after(FUNCTION_TIMEOUT).millis()).unwrap_or_default();
        if let Err(error) = handle(&*versions.in_force().await, &event, &context).await {
            tracing::error!(stage = "refresh", error = %error, "the tick failed; the next one tries again");
        }
    }
}
