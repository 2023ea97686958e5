//! The Lambda `crm-writeback`.

use std::process::ExitCode;
use std::sync::Arc;

use connectors::{Egress, Endpoints, HubSpot};
use crm_writeback::{App, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::write_back::WriteBack;
use platform::{Aws, Boot, Function, OsEntropy, SystemClock, bundled_config, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::CrmWriteback, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::CrmWriteback)?;
    let (config, connectors) = connectors::configure_for_use(&bundled_config())?;
    let (aws, clock) = (Aws::in_function(&boot)?, Arc::new(SystemClock));
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let (endpoints, egress) = (Endpoints::new(settings.endpoints)?, Egress::new(settings.egress_allowed, aws.tls())?);
    endpoints.check(&connectors)?;
    let path = config.crm.as_ref().map_or(HubSpot::CONTACTS_PATH, |crm| &crm.path).to_owned();
    let crm = Arc::new(HubSpot::new(&endpoints, &path, egress, secrets)?);
    let store = Arc::new(aws.store(settings.tables, &config.workspace));
    let (queue, entropy) = (Arc::new(aws.queue(settings.queues)), Arc::new(OsEntropy));
    let app = App { write_back: WriteBack { store, queue, crm, clock, entropy, config: Arc::new(config) } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
