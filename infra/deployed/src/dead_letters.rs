//! A function that cannot work burns a message's receives; the message is a dead letter, and comes to its end once the
//! function is mended and the letter is sent again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::signup::RunId;
use intake::sample::Sample;
use local::samples::post;
use pipeline::ports::{Clock as _, Runs as _};
use platform::SystemClock;
use serde_json::{Value, json};

use crate::aws::AwsApi;
use crate::samples::follow;
use crate::stack::{NAME, Stack};

const FUNCTION: &str = "ProviderLookupFunction";
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Breaks `provider-lookup`, sends a signup, waits for the dead letter, mends the function, sends the letter again.
pub(crate) async fn check(stack: &Stack, aws: &AwsApi) -> Result<()> {
    let function = aws.physical_name(NAME, FUNCTION).await?;
    let (queue, dlq) = (stack.output("LookupHighQueueUrl")?, stack.output("LookupHighDlqUrl")?);
    let working = aws.environment_of(&function).await?;
    let mut broken = working.clone();
    broken["LEADS_TABLE"] = json!("no-such-table");
    aws.set_environment(&function, &broken).await?;
    // The template's visibility is six minutes; five receives would take half an hour.
    set_visibility(aws, queue, 1).await?;

    let run = send_one(stack).await?;
    let letter = wait_for_letter(aws, dlq).await?;
    if stack.store.read_run(&run).await?.is_some() {
        bail!("the broken function wrote a run into the real table");
    }
    set_visibility(aws, queue, 360).await?;
    aws.set_environment(&function, &working).await?;
    redrive(aws, dlq, queue, &letter).await?;
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

async fn wait_for_letter(aws: &AwsApi, dlq: &str) -> Result<Value> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let received = aws.json("AmazonSQS.ReceiveMessage", &json!({"QueueUrl": dlq, "VisibilityTimeout": 30})).await?;
        if let Some(letter) = received.pointer("/Messages/0") {
            return Ok(letter.clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("no dead letter within {} s", PATIENCE.as_secs())
}

/// What AWS's redrive does; the stand-in has no `StartMessageMoveTask`.
async fn redrive(aws: &AwsApi, dlq: &str, queue: &str, letter: &Value) -> Result<()> {
    let field = |name: &str| letter.get(name).cloned().with_context(|| format!("a dead letter without {name}"));
    aws.json("AmazonSQS.SendMessage", &json!({"QueueUrl": queue, "MessageBody": field("Body")?})).await?;
    aws.json("AmazonSQS.DeleteMessage", &json!({"QueueUrl": dlq, "ReceiptHandle": field("ReceiptHandle")?})).await.map(drop)
}

async fn set_visibility(aws: &AwsApi, queue: &str, seconds: u32) -> Result<()> {
    let attributes = json!({"QueueUrl": queue, "Attributes": {"VisibilityTimeout": seconds.to_string()}});
    aws.json("AmazonSQS.SetQueueAttributes", &attributes).await.map(drop)
}
