use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::units::Millis;
use pipeline::ports::{Crm, CrmReply, CrmWrite};

/// How the CRM behaves when it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrmConduct {
    /// Writes after this time.
    Writes(Millis),
    /// Asks to come again later.
    RateLimits(Millis),
    /// Does nothing and does not answer.
    Down,
    /// Does not answer, and writes all the same after this time.
    WritesInSilence(Millis),
}

/// A contact as the CRM holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Its properties.
    pub values: BTreeMap<String, String>,
    /// How often it was created; more than once is a second contact of one person.
    pub created: u32,
    /// Every write, in order.
    pub history: Vec<BTreeMap<String, String>>,
}

/// A CRM that keeps its contacts, by address.
pub struct Contacts {
    pub(super) behaves: Box<dyn Fn() -> CrmConduct + Send + Sync>,
    pub(super) kept: std::sync::Arc<Mutex<BTreeMap<String, Contact>>>,
}

fn write(kept: &Mutex<BTreeMap<String, Contact>>, write: &CrmWrite) -> CrmReply {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let created = !kept.contains_key(write.email.expose());
    let contact = kept.entry(write.email.expose().to_owned()).or_default();
    contact.created += u32::from(created);
    contact.values.extend(write.properties.clone());
    contact.history.push(write.properties.clone());
    CrmReply::Written { external_id: format!("contact of {}", write.email.expose()), created }
}

impl Contacts {
    /// The contacts there are, by address.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Contact> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Crm for Contacts {
    async fn upsert(&self, request: &CrmWrite) -> CrmReply {
        match (self.behaves)() {
            CrmConduct::Writes(span) => {
                tokio::time::sleep(span.to_std()).await;
                write(&self.kept, request)
            }
            CrmConduct::RateLimits(retry_after) => CrmReply::RateLimited { retry_after },
            CrmConduct::Down => CrmReply::Unavailable { why: "it is down".to_owned() },
            CrmConduct::WritesInSilence(span) => {
                let (kept, late) = (self.kept.clone(), request.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(span.to_std()).await;
                    write(&kept, &late)
                });
                tokio::time::sleep(request.timeout.to_std()).await;
                CrmReply::Unavailable { why: "no answer in time".to_owned() }
            }
        }
    }
}
