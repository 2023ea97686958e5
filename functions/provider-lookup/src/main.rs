//! The Lambda `provider-lookup`.

use std::process::ExitCode;
use std::sync::Arc;

use connectors::{Egress, Endpoints, Reach};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::enrich::{Configured, Desks, Enrich};
use pipeline::versions::Versions;
use platform::{Aws, Boot, DEFAULT_WORKSPACE, Function, OsEntropy, SystemClock, bundled_config, start};
use provider_lookup::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ProviderLookup, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::ProviderLookup)?;
    let (aws, clock, entropy) = (Aws::in_function(&boot)?, Arc::new(SystemClock), Arc::new(OsEntropy));
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let (queue, store) = (Arc::new(aws.queue(settings.queues)), Arc::new(aws.store(settings.tables, DEFAULT_WORKSPACE)));
    let reach = Reach::new(Endpoints::new(settings.endpoints)?, Egress::new(settings.egress_allowed, aws.tls())?, secrets.clone());
    let versions = Versions::load(store.clone(), clock.clone(), bundled_config(), move |sources| Ok(reach.providers(sources)?));
    let (key, versions) = tokio::join!(secrets.hash_key(), versions);
    let (key, versions, desks) = (Arc::new(key?), Arc::new(versions?), Desks::default());
    let Configured { config, provider } = Configured::clone(&*versions.in_force().await);
    let app = App { enrich: Enrich { store, queue, provider, clock, entropy, config, versions: Some(versions), key, desks } };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, &event.payload, &event.context).await?))).await
}
