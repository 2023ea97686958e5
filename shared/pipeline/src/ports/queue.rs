use async_trait::async_trait;
use domain::priority::Priority;
use domain::units::{Millis, Timestamp};

/// So many dead letters of one queue are read at a time: more are a disaster that nobody reads one by one.
pub const DEAD_LETTERS_MOST: usize = 1000;

/// The queues there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// Signups to look up, by urgency.
    Lookup(Priority),
    /// Leads to decide about again.
    Score,
    /// Leads to write to the CRM.
    Writeback,
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 6] = [
        Self::Lookup(Priority::Critical),
        Self::Lookup(Priority::High),
        Self::Lookup(Priority::Normal),
        Self::Lookup(Priority::Low),
        Self::Score,
        Self::Writeback,
    ];

    /// The name used in logs: `lookup-critical`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookup(Priority::Critical) => "lookup-critical",
            Self::Lookup(Priority::High) => "lookup-high",
            Self::Lookup(Priority::Normal) => "lookup-normal",
            Self::Lookup(Priority::Low) => "lookup-low",
            Self::Score => "score",
            Self::Writeback => "writeback",
        }
    }

    /// The queue of this name; `None` when there is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// A message that was received: it is hidden until its visibility ends or it is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The queue's id of the message.
    pub id: String,
    /// The handle of this receive, for deleting.
    pub receipt: String,
    /// The body.
    pub body: String,
    /// How often it was received, from 1.
    pub receive_count: u32,
}

/// A message that was received too often and put among the dead letters of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue's id of the message.
    pub id: String,
    /// The handle for deleting it, until somebody reads the dead letters again.
    pub receipt: String,
    /// The body.
    pub body: String,
    /// How often it was received; having been read as a dead letter may count.
    pub receive_count: u32,
    /// When it was sent; `None` where the queue does not know any more.
    pub sent_at: Option<Timestamp>,
}

/// The queue did not do as told: try again later. Whether it took effect is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue {queue} did not answer: {why}")]
pub struct QueueError {
    /// The queue.
    pub queue: &'static str,
    /// What happened.
    pub why: String,
}

/// At-least-once queues without order, as SQS has them. The longest delay is 15 minutes.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends a message that becomes visible after `delay`.
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError>;
    /// Receives up to `max` visible messages and hides them for `visibility`. A message received more often
    /// than the queue allows goes to its dead-letter queue instead.
    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError>;
    /// Deletes a message by its receipt; an old receipt deletes nothing.
    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError>;
    /// The dead letters of a queue, at most [`DEAD_LETTERS_MOST`]. They stay where they are, and can be read again at once.
    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError>;
    /// Deletes a dead letter by its receipt; an old receipt deletes nothing.
    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError>;
}
