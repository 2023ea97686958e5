use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::units::{Millis, Timestamp};

use crate::ports::{Clock, DEAD_LETTERS_MOST, DeadLetter, Queue, QueueError, QueueName, Received};

/// SQS delays a message by at most this much.
const LONGEST_DELAY: Millis = Millis::minutes(15);

/// Queues as SQS has them: visibility, receive count, delay and dead letters.
#[derive(Clone)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    receives_max: u32,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: u64,
    messages: BTreeMap<QueueName, Vec<Message>>,
    dead: BTreeMap<QueueName, Vec<DeadLetter>>,
}

struct Message {
    id: String,
    body: String,
    sent_at: Timestamp,
    visible_at: Timestamp,
    receive_count: u32,
    receipt: String,
}

impl Message {
    fn into_dead_letter(self, receipt: String) -> DeadLetter {
        let Self { id, body, sent_at, receive_count, .. } = self;
        DeadLetter { id, receipt, body, receive_count, sent_at: Some(sent_at) }
    }
}

impl MemoryQueue {
    /// Empty queues; a message received more than `receives_max` times goes to the dead letters.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, receives_max: u32) -> Self {
        Self { clock, receives_max, state: Arc::default() }
    }

    /// How many messages wait in a queue, visible or not.
    #[must_use]
    pub fn waiting(&self, queue: QueueName) -> usize {
        self.state().messages.get(&queue).map_or(0, Vec::len)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere leaves the queue as it was between two of its operations.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        let sent_at = self.clock.now();
        let visible_at = sent_at.after(delay.min(LONGEST_DELAY));
        let mut state = self.state();
        state.next += 1;
        let id = format!("m{}", state.next);
        let message = Message { id, body: body.to_owned(), sent_at, visible_at, receive_count: 0, receipt: String::new() };
        state.messages.entry(queue).or_default().push(message);
        Ok(())
    }

    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        let now = self.clock.now();
        let mut state = self.state();
        let mut messages = state.messages.remove(&queue).unwrap_or_default();
        let mut received = Vec::new();
        let mut kept = Vec::new();
        for mut message in messages.drain(..) {
            if message.visible_at > now || received.len() >= max {
                kept.push(message);
                continue;
            }
            if message.receive_count >= self.receives_max {
                state.next += 1;
                let receipt = format!("r{}", state.next);
                state.dead.entry(queue).or_default().push(message.into_dead_letter(receipt));
                continue;
            }
            state.next += 1;
            message.receive_count += 1;
            message.visible_at = now.after(visibility);
            message.receipt = format!("r{}", state.next);
            received.push(Received {
                id: message.id.clone(),
                receipt: message.receipt.clone(),
                body: message.body.clone(),
                receive_count: message.receive_count,
            });
            kept.push(message);
        }
        state.messages.insert(queue, kept);
        Ok(received)
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        if let Some(messages) = self.state().messages.get_mut(&queue) {
            messages.retain(|message| message.receipt != receipt);
        }
        Ok(())
    }

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.state().dead.get(&queue).into_iter().flatten().take(DEAD_LETTERS_MOST).cloned().collect())
    }

    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        if let Some(letters) = self.state().dead.get_mut(&queue) {
            letters.retain(|letter| letter.receipt != receipt);
        }
        Ok(())
    }
}
