//! The contacts that were written.

use std::collections::BTreeMap;

use serde::Serialize;

use super::refusal::Refusal;

/// Properties that HubSpot sets itself.
pub(crate) const READ_ONLY: &[&str] = &["createdate", "hs_object_id", "lastmodifieddate"];
/// So that ids look like HubSpot's and never like an index.
const FIRST_ID: u64 = 501;

/// A contact as HubSpot shows it. Properties are strings; one that was cleared is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// HubSpot's id, a number as text.
    pub id: String,
    /// By name; the email in lower case.
    pub properties: BTreeMap<String, String>,
    /// RFC 3339 with milliseconds, of the sandbox's own clock.
    pub created_at: String,
    /// As `created_at`.
    pub updated_at: String,
    /// Always false: nothing is archived here.
    pub archived: bool,
}

#[derive(Default)]
pub(crate) struct Contacts {
    by_id: BTreeMap<u64, Contact>,
    by_email: BTreeMap<String, u64>,
    writes: u64,
}

impl Contacts {
    pub(crate) fn all(&self) -> Vec<Contact> {
        self.by_id.values().cloned().collect()
    }

    pub(crate) fn id_of_email(&self, email: &str) -> Option<u64> {
        self.by_email.get(email).copied()
    }

    pub(crate) fn get(&self, id: u64) -> Result<Contact, Refusal> {
        self.by_id.get(&id).cloned().ok_or(Refusal::NotFound)
    }

    pub(crate) fn create(&mut self, properties: BTreeMap<String, String>) -> Result<Contact, Refusal> {
        let named = ["email", "firstname", "lastname"].iter().any(|name| properties.get(*name).is_some_and(|value| !value.is_empty()));
        if !named {
            return Err(Refusal::invalid("a contact needs an email, a firstname or a lastname", "properties"));
        }
        let id = FIRST_ID + u64::try_from(self.by_id.len()).unwrap_or_default();
        self.claim_email(id, &properties)?;
        let now = self.tick();
        let mut contact = Contact {
            id: id.to_string(),
            properties: BTreeMap::from([("createdate".to_owned(), now.clone()), ("hs_object_id".to_owned(), id.to_string())]),
            created_at: now.clone(),
            updated_at: now.clone(),
            archived: false,
        };
        contact.take(properties, now);
        self.by_id.insert(id, contact.clone());
        Ok(contact)
    }

    pub(crate) fn update(&mut self, id: u64, properties: BTreeMap<String, String>) -> Result<Contact, Refusal> {
        let before = self.get(id)?;
        self.claim_email(id, &properties)?;
        if let (Some(old), Some(new)) = (before.properties.get("email"), properties.get("email"))
            && *old != normal_email(new)
        {
            self.by_email.remove(old);
        }
        let now = self.tick();
        let contact = self.by_id.get_mut(&id).ok_or(Refusal::NotFound)?;
        contact.take(properties, now);
        Ok(contact.clone())
    }

    /// An email belongs to one contact.
    fn claim_email(&mut self, id: u64, properties: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let Some(email) = properties.get("email").map(|email| normal_email(email)).filter(|email| !email.is_empty()) else {
            return Ok(());
        };
        if !email.contains('@') {
            return Err(Refusal::invalid("email is not a valid address", "email"));
        }
        match self.by_email.get(&email) {
            Some(&owner) if owner != id => Err(Refusal::Conflict(owner)),
            _ => {
                self.by_email.insert(email, id);
                Ok(())
            }
        }
    }

    /// One second a write, from an invented first day.
    fn tick(&mut self) -> String {
        let seconds = self.writes;
        self.writes += 1;
        let (day, second) = (seconds / 86_400 + 1, seconds % 86_400);
        format!("2026-01-{day:02}T{:02}:{:02}:{:02}.000Z", second / 3_600, second / 60 % 60, second % 60)
    }
}

impl Contact {
    /// Sets what has a value and clears what is empty.
    fn take(&mut self, properties: BTreeMap<String, String>, now: String) {
        for (name, value) in properties {
            let value = if name == "email" { normal_email(&value) } else { value };
            if value.is_empty() {
                self.properties.remove(&name);
            } else {
                self.properties.insert(name, value);
            }
        }
        self.properties.insert("lastmodifieddate".to_owned(), now.clone());
        self.updated_at = now;
    }
}

fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
