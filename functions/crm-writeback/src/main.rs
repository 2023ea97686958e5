//! The Lambda `crm-writeback`.

use std::process::ExitCode;
use std::sync::Arc;

use connectors::{Egress, Endpoints, Reach};
use crm_writeback::{Ports, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::versions::Versions;
use platform::{Aws, Boot, DEFAULT_WORKSPACE, Function, OsEntropy, SystemClock, bundled_config, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::CrmWriteback, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::CrmWriteback)?;
    let (aws, clock, entropy) = (Aws::in_function(&boot)?, Arc::new(SystemClock), Arc::new(OsEntropy));
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let (queue, store) = (Arc::new(aws.queue(settings.queues)), Arc::new(aws.store(settings.tables, DEFAULT_WORKSPACE)));
    let reach = Reach::new(Endpoints::new(settings.endpoints)?, Egress::new(settings.egress_allowed, aws.tls())?, secrets);
    let ports = Ports { store: store.clone(), queue, clock: clock.clone(), entropy };
    let versions = Versions::load(store, clock, bundled_config(), move |sources| Ok(ports.app(reach.crm(sources)?))).await?;
    let work = async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&*versions.in_force().await, &event.payload, &event.context).await?);
    run(service_fn(work)).await
}
