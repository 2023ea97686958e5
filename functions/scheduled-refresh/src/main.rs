//! The Lambda `scheduled-refresh`.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::sweep::Sweep;
use pipeline::versions::Versions;
use platform::{Aws, Boot, DEFAULT_WORKSPACE, Function, SystemClock, bundled_config, start};
use scheduled_refresh::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ScheduledRefresh, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ScheduledRefresh)?;
    let (store, clock) = (Arc::new(Aws::in_function(&boot)?.store(settings.tables, DEFAULT_WORKSPACE)), Arc::new(SystemClock));
    let versions = Versions::load(store.clone(), clock.clone(), bundled_config(), move |sources| {
        let config = Arc::new(connectors::configure_for_use(sources)?.0);
        Ok(App { sweep: Sweep { store: store.clone(), clock: clock.clone(), config } })
    });
    let versions = versions.await?;
    let work = async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&*versions.in_force().await, &event.payload, &event.context).await?);
    run(service_fn(work)).await
}
