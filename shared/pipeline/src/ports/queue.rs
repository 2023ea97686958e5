use async_trait::async_trait;
use domain::priority::Priority;
use domain::units::Millis;

/// The queues there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// Signups to look up, by urgency.
    Lookup(Priority),
    /// Leads to write to the CRM.
    Writeback,
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 5] = [
        Self::Lookup(Priority::Critical),
        Self::Lookup(Priority::High),
        Self::Lookup(Priority::Normal),
        Self::Lookup(Priority::Low),
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
            Self::Writeback => "writeback",
        }
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
    /// The bodies in the dead-letter queue.
    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<String>, QueueError>;
}
