//! What travels in the queues: no more of a person than the next stage needs.

use domain::credits::Trigger;
use domain::priority::Priority;
use domain::record::RecordId;
use domain::rules::Action;
use domain::signup::{RunId, Signup};
use domain::units::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ports::{InForce, QueueName};

/// An accepted signup on its way to provider-lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupMessage {
    /// The signup.
    pub signup: Signup,
    /// Its urgency for caps.
    pub priority: Priority,
    /// What sent it.
    #[serde(default, skip_serializing_if = "Trigger::is_auto")]
    pub trigger: Trigger,
    /// What is looked up.
    #[serde(default, skip_serializing_if = "Action::is_all_missing")]
    pub action: Action,
    /// When the webhook accepted it.
    pub accepted_at: Timestamp,
    /// When somebody waiting gets what is known; absent when nobody waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// How many delayed copies it has come through: a copy is a new message to the queue, which counts receives from 1 again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(copies: &u32) -> bool {
    *copies == 0
}

impl LookupMessage {
    /// A signup that came in, for which nobody waits.
    #[must_use]
    pub const fn of(signup: Signup, priority: Priority, accepted_at: Timestamp) -> Self {
        Self { signup, priority, trigger: Trigger::Auto, action: Action::AllMissing, accepted_at, answer_by: None, copies: 0 }
    }

    /// The queue it travels in: whoever waits is served first, without rising in budget priority.
    #[must_use]
    pub const fn queue(&self) -> QueueName {
        if self.answer_by.is_some() { QueueName::Lookup(Priority::Critical) } else { QueueName::Lookup(self.priority) }
    }
}

/// A decided lead on its way to crm-writeback. The write reads the newest decision on the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WritebackMessage {
    /// The record to write.
    pub record: RecordId,
    /// The run that handed it over.
    pub run: RunId,
    /// How often it was tried in vain.
    #[serde(default)]
    pub attempt: u32,
}

/// A lead to decide about again, on its way to score-route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedecideMessage {
    /// The record.
    pub record: RecordId,
    /// What makes it worth deciding again, for the log.
    pub cause: Cause,
    /// What was in force when it was asked for: nothing older decides. Absent in messages of earlier programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<InForce>,
    /// How many delayed copies it has come through.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u32,
}

/// What makes a lead worth deciding about again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody asked for it, after another configuration was deployed as a rule.
    Operator,
}

impl Cause {
    /// The word used in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
        }
    }
}

/// A message body that cannot be read: it will never get better and is stored with its reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is not of the expected form: {0}")]
pub struct Unreadable(String);

/// Writes a message as JSON.
///
/// # Errors
/// Never for the messages above; the error is kept for the caller to pass on.
pub fn to_body<T: Serialize>(message: &T) -> Result<String, Unreadable> {
    serde_json::to_string(message).map_err(|error| Unreadable(error.to_string()))
}

/// Reads a message back.
///
/// # Errors
/// Says at which place the body differs, without repeating its content.
pub fn from_body<T: DeserializeOwned>(body: &str) -> Result<T, Unreadable> {
    serde_json::from_str(body).map_err(|error| {
        // serde_json repeats offending values in data errors; category and place are enough to find it.
        Unreadable(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    })
}
