//! A lead as it is kept: what every source said, and the newest decision.

use serde::{Deserialize, Serialize};

use crate::confidence::Trust;
use crate::decision::Decision;
use crate::identity::HashKey;
use crate::merge::{Facts, merge};
use crate::observation::Observation;
use crate::schema::Schema;
use crate::signup::{RunId, Signup};

/// The random name of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(pub String);

/// A lead: contact and account in one (S0-53).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub id: RecordId,
    /// Grows by one with every write; 0 was never stored.
    pub version: u64,
    /// What every source said, of one source and field the newest.
    pub observations: Vec<Observation>,
    /// The newest decision and the run that made it.
    pub decided: Option<Decided>,
}

/// The newest decision about a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The run that made it.
    pub run: RunId,
    /// The decision; its `seq` is the version of the record it was stored with.
    pub decision: Decision,
    /// Hash of the configuration that it was made under; empty in what earlier versions stored.
    #[serde(default)]
    pub config: String,
}

impl Record {
    /// A record that was never stored.
    #[must_use]
    pub const fn new(id: RecordId) -> Self {
        Self { id, version: 0, observations: Vec::new(), decided: None }
    }

    /// The facts as they were when the newest decision was made; none before the first decision.
    #[must_use]
    pub fn facts_as_decided(&self, schema: &Schema, trust: &Trust) -> Facts {
        let Some(decided) = &self.decided else { return Facts::new() };
        merge(&self.observations, schema, trust, decided.decision.at)
    }

    /// The owner it has, who keeps it (DESIGN §6).
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.decided.as_ref()?.decision.owner.as_deref()
    }
}

/// A hashed key under which a record is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// `email`, `social_url`, `external_id` …
    pub kind: String,
    /// HMAC of the value.
    pub hash: String,
}

/// The keys that name the person of a signup, strongest first. A domain names a company, not a person.
#[must_use]
pub fn aliases_of(signup: &Signup, key: &HashKey) -> Vec<Alias> {
    let external = signup.external_id.as_ref().map(|id| format!("{}:{id}", signup.issuer));
    let email = signup.email.as_ref().map(|email| email.expose().to_owned());
    let values = [
        ("email", email),
        ("external_id", external),
        ("social_url", signup.social_url.clone()),
        ("sso_identity", signup.sso_identity.clone()),
    ];
    let named = values.into_iter().filter_map(|(kind, value)| Some((kind, value?)));
    named.map(|(kind, value)| Alias { kind: kind.to_owned(), hash: key.hash(&["alias", kind, &value]) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Email;

    #[test]
    fn aliases_hold_no_address() {
        let signup = Signup {
            issuer: "clerk".into(),
            external_id: Some("user_1".into()),
            email: Some(Email::parse("canary@acme.io").unwrap()),
            ..Signup::default()
        };
        let aliases = aliases_of(&signup, &HashKey::new(vec![3; 32]).unwrap());
        let kinds: Vec<&str> = aliases.iter().map(|alias| alias.kind.as_str()).collect();
        assert_eq!(kinds, ["email", "external_id"]);
        assert!(!format!("{aliases:?}").contains("canary"));
    }
}
