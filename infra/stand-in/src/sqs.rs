//! The JSON protocol of SQS in front of queues in memory, as far as our functions and tools speak it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::units::{Millis, Timestamp};
use md5::{Digest as _, Md5};
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Clock, DeadLetter, Queue as _, QueueName, Received};
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
    /// Also for messages sent to dead letters, and for changed visibility elsewhere: nothing of ours does it.
    const UNSUPPORTED: Self = Self { code: "AWS.SimpleQueueService.UnsupportedOperation", shape: "com.amazonaws.sqs#UnsupportedOperation" };
}

/// SQS delays a message by at most this many seconds.
const DELAYS: std::ops::RangeInclusive<i64> = 0..=900;

/// The queues, and which of their dead letters somebody reads: in memory those are always to be seen.
pub(crate) struct Sqs {
    pub(crate) queue: MemoryQueue,
    clock: Arc<dyn Clock>,
    /// By receipt, until when.
    hidden: Mutex<BTreeMap<String, Timestamp>>,
}

impl Sqs {
    pub(crate) fn new(clock: Arc<dyn Clock>, receives_max: u32) -> Self {
        Self { queue: MemoryQueue::new(Arc::clone(&clock), receives_max), clock, hidden: Mutex::default() }
    }

    /// Answers one request, or says why not.
    pub(crate) async fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        match operation {
            "SendMessage" => send(&self.queue, request).await,
            "ReceiveMessage" => self.receive(request).await,
            "DeleteMessage" => delete(&self.queue, request).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility(request),
            _ => Err(Refusal::UNSUPPORTED),
        }
    }

    async fn receive(&self, request: &Value) -> Result<Value, Refusal> {
        let (name, is_dead) = queue_of(request)?;
        let most = number(request, "MaxNumberOfMessages")?.ok_or(Refusal::MISSING)?;
        let most = usize::try_from(most).map_err(|_| Refusal::INVALID)?;
        let hidden = Millis::seconds(number(request, "VisibilityTimeout")?.ok_or(Refusal::MISSING)?);
        let messages: Vec<Value> = if is_dead {
            let letters = self.queue.dead_letters(name).await.map_err(|_| Refusal::INVALID)?;
            letters.iter().filter(|letter| self.hide(&letter.receipt, hidden)).take(most).map(dead_letter).collect()
        } else {
            self.queue.receive(name, most, hidden).await.map_err(|_| Refusal::INVALID)?.iter().map(message).collect()
        };
        Ok(json!({ "Messages": messages }))
    }

    /// Hides a dead letter; `false` when it is hidden already.
    fn hide(&self, receipt: &str, span: Millis) -> bool {
        let now = self.clock.now();
        // A panic elsewhere leaves this as it was between two requests.
        let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        if hidden.get(receipt).is_some_and(|until| *until > now) {
            return false;
        }
        hidden.insert(receipt.to_owned(), now.after(span));
        true
    }

    fn change_visibility(&self, request: &Value) -> Result<Value, Refusal> {
        let (_, true) = queue_of(request)? else { return Err(Refusal::UNSUPPORTED) };
        let entries = request.get("Entries").and_then(Value::as_array).ok_or(Refusal::MISSING)?;
        let mut changed = Vec::new();
        for entry in entries {
            let span = Millis::seconds(number(entry, "VisibilityTimeout")?.ok_or(Refusal::MISSING)?);
            let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
            hidden.insert(text(entry, "ReceiptHandle")?.to_owned(), self.clock.now().after(span));
            changed.push(json!({ "Id": text(entry, "Id")? }));
        }
        Ok(json!({ "Successful": changed, "Failed": [] }))
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

async fn delete(queue: &MemoryQueue, request: &Value) -> Result<Value, Refusal> {
    let receipt = text(request, "ReceiptHandle")?;
    let deleted = match queue_of(request)? {
        (name, false) => queue.delete(name, receipt).await,
        (name, true) => queue.delete_dead_letter(name, receipt).await,
    };
    deleted.map_err(|_| Refusal::INVALID)?;
    Ok(json!({}))
}

fn message(received: &Received) -> Value {
    let attributes = json!({ "ApproximateReceiveCount": received.receive_count.to_string() });
    json!({ "MessageId": received.id, "ReceiptHandle": received.receipt, "Body": received.body, "Attributes": attributes })
}

fn dead_letter(letter: &DeadLetter) -> Value {
    let sent_at = letter.sent_at.map(|sent_at| sent_at.millis().to_string());
    let attributes = json!({ "ApproximateReceiveCount": letter.receive_count.to_string(), "SentTimestamp": sent_at });
    json!({ "MessageId": letter.id, "ReceiptHandle": letter.receipt, "Body": letter.body, "Attributes": attributes })
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
