//! The Lambda `scheduled-refresh`.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::sweep::Sweep;
use platform::{Aws, Boot, Function, SystemClock, bundled_config, start};
use scheduled_refresh::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ScheduledRefresh, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ScheduledRefresh)?;
    let (config, _) = connectors::configure_for_use(&bundled_config())?;
    let store = Arc::new(Aws::in_function(&boot)?.store(settings.tables, &config.workspace));
    let app = App { sweep: Sweep { store, clock: Arc::new(SystemClock), config: Arc::new(config) } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
