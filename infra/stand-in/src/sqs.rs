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

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code by which SDKs know it.
    pub(crate) code: &'static str,
    /// The name of the error in the JSON protocol.
    pub(crate) shape: &'static str,
}

impl Refusal {
    const NO_SUCH_QUEUE: Self = Self { code: "AWS.SimpleQueueService.NonExistentQueue", shape: "com.amazonaws.sqs#QueueDoesNotExist" };
    const INVALID: Self = Self { code: "InvalidParameterValue", shape: "com.amazon.coral.service#InvalidParameterValueException" };
    const MISSING: Self = Self { code: "MissingParameter", shape: "com.amazon.coral.service#MissingRequiredParameterException" };
    /// Also for dead letters that are sent or deleted: nothing of ours does, and they are no queues of their own here.
    const UNSUPPORTED: Self = Self { code: "AWS.SimpleQueueService.UnsupportedOperation", shape: "com.amazonaws.sqs#UnsupportedOperation" };
}

/// SQS delays a message by at most this many seconds.
const DELAYS: std::ops::RangeInclusive<i64> = 0..=900;

/// Answers one request, or says why not.
pub(crate) async fn answer(queue: &MemoryQueue, operation: &str, request: &Value) -> Result<Value, Refusal> {
    match operation {
        "SendMessage" => send(queue, request).await,
        "ReceiveMessage" => receive(queue, request).await,
        "DeleteMessage" => delete(queue, request).await,
        _ => Err(Refusal::UNSUPPORTED),
    }
}

/// The queue that a request names, and whether it means the dead letters.
fn queue_of(request: &Value) -> Result<(QueueName, bool), Refusal> {
    let name = text(request, "QueueUrl")?.rsplit('/').next().unwrap_or_default();
    let (name, is_dead) = name.strip_suffix(DEAD_LETTERS).map_or((name, false), |name| (name, true));
    let queue = QueueName::ALL.into_iter().find(|queue| queue.as_str() == name).ok_or(Refusal::NO_SUCH_QUEUE)?;
    Ok((queue, is_dead))
}

/// The queue that a request names, which must not be one of dead letters.
fn living_queue_of(request: &Value) -> Result<QueueName, Refusal> {
    match queue_of(request)? {
        (queue, false) => Ok(queue),
        (_, true) => Err(Refusal::UNSUPPORTED),
    }
}

async fn send(queue: &MemoryQueue, request: &Value) -> Result<Value, Refusal> {
    let name = living_queue_of(request)?;
    let delay = number(request, "DelaySeconds")?.unwrap_or_default();
    if !DELAYS.contains(&delay) {
        return Err(Refusal::INVALID);
    }
    let body = text(request, "MessageBody")?;
    queue.send(name, body, Millis::seconds(delay)).await.map_err(|_| Refusal::INVALID)?;
    // Other SDKs than ours compare the digest.
    Ok(json!({ "MessageId": "m", "MD5OfMessageBody": hex::encode(Md5::digest(body)) }))
}

async fn receive(queue: &MemoryQueue, request: &Value) -> Result<Value, Refusal> {
    let messages: Vec<Value> = match queue_of(request)? {
        (name, true) => queue.dead_letters(name).await.map_err(|_| Refusal::INVALID)?.iter().enumerate().map(dead_letter).collect(),
        (name, false) => {
            let most = number(request, "MaxNumberOfMessages")?.ok_or(Refusal::MISSING)?;
            let most = usize::try_from(most).map_err(|_| Refusal::INVALID)?;
            let hidden = Millis::seconds(number(request, "VisibilityTimeout")?.ok_or(Refusal::MISSING)?);
            queue.receive(name, most, hidden).await.map_err(|_| Refusal::INVALID)?.iter().map(message).collect()
        }
    };
    Ok(json!({ "Messages": messages }))
}

async fn delete(queue: &MemoryQueue, request: &Value) -> Result<Value, Refusal> {
    queue.delete(living_queue_of(request)?, text(request, "ReceiptHandle")?).await.map_err(|_| Refusal::INVALID)?;
    Ok(json!({}))
}

fn message(received: &Received) -> Value {
    let attributes = json!({ "ApproximateReceiveCount": received.receive_count.to_string() });
    json!({ "MessageId": received.id, "ReceiptHandle": received.receipt, "Body": received.body, "Attributes": attributes })
}

fn dead_letter((index, body): (usize, &String)) -> Value {
    json!({ "MessageId": format!("d{index}"), "ReceiptHandle": "r", "Body": body })
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    request.get(name).and_then(Value::as_str).ok_or(Refusal::MISSING)
}

/// A number that may be absent.
fn number(request: &Value, name: &str) -> Result<Option<i64>, Refusal> {
    match request.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(Refusal::INVALID),
    }
}
