//! The Lambda `provider-lookup`.

use std::process::ExitCode;
use std::sync::Arc;

use connectors::{Egress, Endpoints, HttpProvider};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::enrich::Enrich;
use platform::{Aws, Boot, Function, OsEntropy, SystemClock, bundled_config, start};
use provider_lookup::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ProviderLookup, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ProviderLookup)?;
    let (config, connectors) = connectors::configure_for_use(&bundled_config())?;
    let (aws, clock) = (Aws::in_function(&boot)?, Arc::new(SystemClock));
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let key = Arc::new(secrets.hash_key().await?);
    let (endpoints, egress) = (Endpoints::new(settings.endpoints)?, Egress::new(settings.egress_allowed, aws.tls())?);
    endpoints.check(&connectors)?;
    let provider = Arc::new(HttpProvider::new(Arc::new(connectors), endpoints, egress, secrets));
    let store = Arc::new(aws.store(settings.tables, &config.workspace));
    let (queue, entropy) = (Arc::new(aws.queue(settings.queues)), Arc::new(OsEntropy));
    let app = App { enrich: Enrich { store, queue, provider, clock, entropy, config: Arc::new(config), key } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
