//! The Lambda `score-route`.

use std::process::ExitCode;
use std::sync::Arc;

use domain::config::Sources;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::redecide::Redecide;
use pipeline::versions::Versions;
use platform::{Aws, Boot, DEFAULT_WORKSPACE, Function, SystemClock, bundled_config, start};
use score_route::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ScoreRoute, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ScoreRoute)?;
    let (aws, clock) = (Aws::in_function(&boot)?, Arc::new(SystemClock));
    let (store, queue) = (Arc::new(aws.store(settings.tables, DEFAULT_WORKSPACE)), Arc::new(aws.queue(settings.queues)));
    let make = |sources: &Sources| Ok::<_, Error>(connectors::configure_for_use(sources)?.0);
    let versions = Arc::new(Versions::load(store.clone(), clock.clone(), bundled_config(), make).await?);
    let app = App { redecide: Redecide { store, queue, clock, config: versions.in_force().await, versions: Some(versions) } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
