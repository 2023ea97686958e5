//! Whether the stack left anything in its queues, and the conformance suite of the Queue port against the stand-in's SQS, on queues of its own that no function reads.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::priority::Priority;
use domain::units::Millis;
use pipeline::conformance::{RECEIVES_MAX, queue_suite};
use pipeline::ports::{Queue, QueueName};
use platform::{Aws, QueueUrls};
use serde_json::json;
use tokio::task::JoinSet;

use crate::aws::AwsApi;
use crate::ministack::Ministack;
use crate::stack::Stack;

const COUNTS: [&str; 3] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Nothing may be left once the last work is done: neither a message that nobody works on nor a dead letter.
pub(crate) async fn become_empty(stack: &Stack, aws: &AwsApi) -> Result<()> {
    let start = Instant::now();
    loop {
        match (first_leftover(stack, aws).await?, start.elapsed() > PATIENCE) {
            (None, _) => return Ok(()),
            (Some(leftover), true) => bail!("{leftover}"),
            (Some(_), false) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

async fn first_leftover(stack: &Stack, aws: &AwsApi) -> Result<Option<String>> {
    for (output, url) in stack.queue_urls() {
        let answer = aws.json("AmazonSQS.GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": COUNTS})).await?;
        let count = |name: &str| answer.pointer(&format!("/Attributes/{name}")).and_then(|count| count.as_str()).map(str::to_owned);
        let counts: Option<Vec<String>> = COUNTS.iter().map(|name| count(name)).collect();
        let counts = counts.context("the stand-in counts no messages")?;
        if counts.iter().any(|count| count != "0") {
            return Ok(Some(format!("{output} still holds messages (visible, hidden, delayed): {}", counts.join(", "))));
        }
    }
    Ok(None)
}

/// The queues that the suite uses.
const USED: [QueueName; 2] = [QueueName::Writeback, QueueName::Lookup(Priority::Low)];

/// Runs the suite in real time. It panics, as tests do, where a queue does not behave; here that is an error, so that the
/// stand-in is stopped in good order.
pub(crate) async fn check(stand_in: &Ministack, aws: &AwsApi) -> Result<()> {
    let connection = Aws::local(&stand_in.url()).await?;
    // The suite asks for a handful of fresh queues; making them can fail only before the suite begins.
    let mut made = Vec::new();
    for nth in 0..CASES {
        made.push(make(aws, nth).await?);
    }
    let next = AtomicU32::new(0);
    // A set of tasks ends with whoever waits for it, as a task alone does not.
    let mut suite = JoinSet::new();
    suite.spawn(async move {
        let fresh = move || {
            let nth = next.fetch_add(1, Ordering::SeqCst) as usize;
            let queue: Arc<dyn Queue> = Arc::new(connection.queue(made.get(nth).cloned().unwrap_or_default()));
            ready(queue)
        };
        queue_suite(fresh, |span: Millis| tokio::time::sleep(span.to_std())).await;
    });
    suite.join_next().await.context("the suite never ran")?.context("the suite of the Queue port")
}

/// How many sets of queues the suite may ask for.
const CASES: u32 = 8;

async fn make(aws: &AwsApi, nth: u32) -> Result<QueueUrls> {
    let (mut queues, mut dead_letters) = (Vec::new(), Vec::new());
    for queue in USED {
        let name = format!("suite-{nth}-{}", queue.as_str());
        let dead = create(aws, &format!("{name}-dlq"), json!({})).await?;
        let attributes = json!({"QueueUrl": dead, "AttributeNames": ["QueueArn"]});
        let arn = aws.json("AmazonSQS.GetQueueAttributes", &attributes).await?;
        let arn = arn.pointer("/Attributes/QueueArn").and_then(|arn| arn.as_str()).context("a queue without an ARN")?;
        let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES_MAX.to_string()});
        queues.push((queue, create(aws, &name, json!({"RedrivePolicy": redrive.to_string()})).await?));
        dead_letters.push((queue, dead));
    }
    Ok(QueueUrls::new(queues).with_dead_letters(dead_letters))
}

async fn create(aws: &AwsApi, name: &str, attributes: serde_json::Value) -> Result<String> {
    let created = aws.json("AmazonSQS.CreateQueue", &json!({"QueueName": name, "Attributes": attributes})).await?;
    created.get("QueueUrl").and_then(|url| url.as_str()).map(str::to_owned).context("a queue without a URL")
}
