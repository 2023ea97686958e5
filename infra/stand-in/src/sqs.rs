//! The JSON protocol of SQS in front of queues in memory, as far as our functions and tools speak it.

use domain::units::Millis;
use md5::{Digest as _, Md5};
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Queue as _, QueueName, Received};
use serde_json::{Value, json};

/// How the names of dead-letter queues end.
const DEAD_LETTERS: &str = "-dlq";

pub(crate) fn url(endpoint: &str, queue: QueueName) -> String {
    format!("{endpoint}/000000000000/{}", queue.as_str())
}

pub(crate) fn dead_letter_url(endpoint: &str, queue: QueueName) -> String {
    format!("{}{DEAD_LETTERS}", url(endpoint, queue))
}

/// Answers one request; `None` for an unknown operation or queue, or a request without what it needs.
pub(crate) async fn answer(queue: &MemoryQueue, operation: &str, request: &Value) -> Option<Value> {
    match operation {
        "SendMessage" => send(queue, request).await,
        "ReceiveMessage" => receive(queue, request).await,
        "DeleteMessage" => delete(queue, request).await,
        _ => None,
    }
}

/// The queue that a request names, and whether it means the dead letters.
fn queue_of(request: &Value) -> Option<(QueueName, bool)> {
    let name = text(request, "QueueUrl")?.rsplit('/').next()?;
    let (name, is_dead) = name.strip_suffix(DEAD_LETTERS).map_or((name, false), |name| (name, true));
    let queue = QueueName::ALL.into_iter().find(|queue| queue.as_str() == name)?;
    Some((queue, is_dead))
}

async fn send(queue: &MemoryQueue, request: &Value) -> Option<Value> {
    let delay = Millis::seconds(number(request, "DelaySeconds").unwrap_or_default());
    let body = text(request, "MessageBody")?;
    queue.send(queue_of(request)?.0, body, delay).await.ok()?;
    // Other SDKs than ours compare the digest.
    Some(json!({ "MessageId": "m", "MD5OfMessageBody": hex::encode(Md5::digest(body)) }))
}

async fn receive(queue: &MemoryQueue, request: &Value) -> Option<Value> {
    let messages: Vec<Value> = match queue_of(request)? {
        (name, true) => queue.dead_letters(name).await.ok()?.iter().enumerate().map(dead_letter).collect(),
        (name, false) => {
            let most = usize::try_from(number(request, "MaxNumberOfMessages")?).ok()?;
            let hidden = Millis::seconds(number(request, "VisibilityTimeout")?);
            queue.receive(name, most, hidden).await.ok()?.iter().map(message).collect()
        }
    };
    Some(json!({ "Messages": messages }))
}

async fn delete(queue: &MemoryQueue, request: &Value) -> Option<Value> {
    queue.delete(queue_of(request)?.0, text(request, "ReceiptHandle")?).await.ok()?;
    Some(json!({}))
}

fn message(received: &Received) -> Value {
    let attributes = json!({ "ApproximateReceiveCount": received.receive_count.to_string() });
    json!({ "MessageId": received.id, "ReceiptHandle": received.receipt, "Body": received.body, "Attributes": attributes })
}

fn dead_letter((index, body): (usize, &String)) -> Value {
    json!({ "MessageId": format!("d{index}"), "ReceiptHandle": "r", "Body": body })
}

fn text<'a>(request: &'a Value, name: &str) -> Option<&'a str> {
    request.get(name)?.as_str()
}

fn number(request: &Value, name: &str) -> Option<i64> {
    request.get(name)?.as_i64()
}
