//! A function that panics on demand, which none of ours does: for the test that one record's panic fails that record alone
//! under the real runtime. Otherwise it is made like ours: `platform::work_batch` under `platform::start` and `lambda_runtime::run`.

use std::process::ExitCode;

use aws_lambda_events::sqs::SqsMessage;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::ports::Clock as _;
use pipeline::work::Retry;
use platform::{Boot, Function, SystemClock, read_batch, remaining, start, work_batch};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start(Function::ProviderLookup, serve).await
}

async fn serve(_boot: Boot) -> Result<(), Error> {
    run(service_fn(async |event: LambdaEvent<Value>| {
        let batch = read_batch(&event.payload)?;
        Ok::<_, Error>(work_batch(batch, remaining(&event.context, SystemClock.now()), work).await)
    }))
    .await
}

/// Panics over the body `panic` before it first waits, and over `panic later` after it; the text is such as the log may not show.
fn work(message: SqsMessage) -> impl Future<Output = Result<(), Retry>> {
    let body = message.body.unwrap_or_default();
    assert!(body != "panic", "canary 4711");
    async move {
        tokio::task::yield_now().await;
        assert!(body != "panic later", "canary 4711");
        Ok(())
    }
}
