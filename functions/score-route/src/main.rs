//! The Lambda `score-route`.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::redecide::Redecide;
use platform::{Aws, Boot, Function, SystemClock, bundled_config, start};
use score_route::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ScoreRoute, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ScoreRoute)?;
    let (config, _) = connectors::configure_for_use(&bundled_config())?;
    let aws = Aws::in_function(&boot)?;
    let (store, queue) = (Arc::new(aws.store(settings.tables, &config.workspace)), Arc::new(aws.queue(settings.queues)));
    let app = App { redecide: Redecide { store, queue, clock: Arc::new(SystemClock), config: Arc::new(config) } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
