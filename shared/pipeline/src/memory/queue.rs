use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::units::{Millis, Timestamp};

use crate::ports::{Clock, Queue, QueueError, QueueName, Received};

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
    dead: BTreeMap<QueueName, Vec<String>>,
}

struct Message {
    id: String,
    body: String,
    visible_at: Timestamp,
    receive_count: u32,
    receipt: String,
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
        let visible_at = self.clock.now().after(delay.min(LONGEST_DELAY));
        let mut state = self.state();
        state.next += 1;
        let id = format!("m{}", state.next);
        let message = Message { id, body: body.to_owned(), visible_at, receive_count: 0, receipt: String::new() };
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
                state.dead.entry(queue).or_default().push(message.body);
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

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<String>, QueueError> {
        Ok(self.state().dead.get(&queue).cloned().unwrap_or_default())
    }
}
