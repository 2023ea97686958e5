use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::identity::Email;
use domain::units::Millis;

/// A write of one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmWrite {
    /// The CRM, `hubspot`.
    pub target: String,
    /// The contact's address, by which it is found.
    pub email: Email,
    /// The properties, all texts (S3-63).
    pub properties: BTreeMap<String, String>,
    /// The request must end by then.
    pub timeout: Millis,
}

/// The CRM's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrmReply {
    /// It is written.
    Written {
        /// The CRM's id of the contact.
        external_id: String,
        /// Whether the contact is new.
        created: bool,
    },
    /// Too many calls; try again after this time.
    RateLimited {
        /// How long to wait.
        retry_after: Millis,
    },
    /// It did not answer or failed; whether it wrote is unknown. Writing again is safe.
    Unavailable {
        /// What happened, without a word of the body.
        why: String,
    },
    /// It will refuse this write every time: a person has to look.
    Refused {
        /// What is wrong, without personal data.
        why: String,
    },
    /// It refuses our credentials.
    AuthFailed,
}

/// Customer relationship management systems.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Updates the contact, or creates it when there is none.
    async fn upsert(&self, write: &CrmWrite) -> CrmReply;
}
