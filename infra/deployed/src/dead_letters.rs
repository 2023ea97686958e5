//! A function that cannot work burns a message's receives; the message is a dead letter, and comes to its end once the
//! function is mended and the letter is sent again.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::signup::RunId;
use intake::sample::Sample;
use local::samples::post;
use pipeline::ports::{Clock as _, Runs as _};
use platform::SystemClock;
use serde_json::json;

use crate::aws::AwsApi;
use crate::samples::follow;
use crate::stack::{NAME, Stack};

const FUNCTION: &str = "ProviderLookupFunction";
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Breaks `provider-lookup`, sends a signup, waits for the dead letter, mends the function, sends the letter again.
pub(crate) async fn check(root: &Path, stack: &Stack, aws: &AwsApi) -> Result<()> {
    let function = aws.physical_name(NAME, FUNCTION).await?;
    let (queue, dlq) = (stack.output("LookupHighQueueUrl")?, stack.output("LookupHighDlqUrl")?);
    let working = aws.environment_of(&function).await?;
    let mut broken = working.clone();
    broken["LEADS_TABLE"] = json!("no-such-table");
    aws.set_environment(&function, &broken).await?;
    // The template's visibility is six minutes; five receives would take half an hour.
    set_visibility(aws, queue, 1).await?;

    let run = send_one(stack).await?;
    wait_for_letter(aws, dlq).await?;
    if stack.store.read_run(&run).await?.is_some() {
        bail!("the broken function wrote a run into the real table");
    }
    set_visibility(aws, queue, 360).await?;
    aws.set_environment(&function, &working).await?;
    stack.redrive(root, "lookup-high").await?;
    let ended = follow(stack, &run).await?;
    ended.run.decision().map(drop).context("the redriven run has no decision")
}

async fn send_one(stack: &Stack) -> Result<RunId> {
    let body = json!({"email": "ines@redrive-works.example", "signup_source": "free_trial", "timestamp": "$NOW"});
    let sample = json!({"issuer": "signup", "note": "a signup while the function is broken", "body": body});
    let sample = Sample::parse(&sample.to_string())?;
    let (http, url) = stack.webhooks()?;
    Ok(post(&http, &url, &sample, sample.render(SystemClock.now()), SystemClock.now()).await?.run)
}

/// Looks without hiding the letter from whoever reads next.
async fn wait_for_letter(aws: &AwsApi, dlq: &str) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let received = aws.json("AmazonSQS.ReceiveMessage", &json!({"QueueUrl": dlq, "VisibilityTimeout": 0})).await?;
        if received.pointer("/Messages/0").is_some() {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("no dead letter within {} s", PATIENCE.as_secs())
}

async fn set_visibility(aws: &AwsApi, queue: &str, seconds: u32) -> Result<()> {
    let attributes = json!({"QueueUrl": queue, "Attributes": {"VisibilityTimeout": seconds.to_string()}});
    aws.json("AmazonSQS.SetQueueAttributes", &attributes).await.map(drop)
}
