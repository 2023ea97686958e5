//! The Lambda `signup-webhook`.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::{Aws, Boot, DEFAULT_WORKSPACE, Function, SystemClock, start};
use signup_webhook::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::SignupWebhook, serve).await
}

async fn serve(boot: Boot) -> Result<(), Error> {
    let settings = boot.settings(Function::SignupWebhook)?;
    let (aws, clock) = (Aws::in_function(&boot)?, Arc::new(SystemClock));
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let hash_key = Arc::new(secrets.hash_key().await?);
    let (queue, store) = (Arc::new(aws.queue(settings.queues)), Arc::new(aws.store(settings.tables, DEFAULT_WORKSPACE)));
    let app = App { keys: secrets, queue, store, clock, hash_key };
    run(service_fn(async |event: LambdaEvent<_>| Ok::<_, Error>(handle(&app, event.payload).await))).await
}
