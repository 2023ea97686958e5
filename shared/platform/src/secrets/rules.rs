//! What may be written under which name, and into which of the two secrets (ADR 0006).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::identity::HashKey;
use domain::units::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{HASH_KEY, SecretNotChanged};

const WEBHOOK: &str = "webhook_secret_";
const PREVIOUS_UNTIL: &str = "_previous_until";

/// A text under `hash_key` that is no key. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no URL-safe base64 of at least 16 bytes; make one with `openssl rand -base64 33 | tr '+/' '-_'`")]
pub(super) struct NotAHashKey;

/// Reads a `hash_key` as it stands in the secret; padding may be there or not.
pub(super) fn parse_hash_key(text: &str) -> Result<HashKey, NotAHashKey> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| NotAHashKey)?;
    HashKey::new(bytes).map_err(|_| NotAHashKey)
}

/// Whether readers will understand a value; needs nothing but the value.
pub(super) fn check_value(name: &str, value: &SecretString) -> Result<(), SecretNotChanged> {
    if name == HASH_KEY {
        return parse_hash_key(value.expose_secret()).map(drop).map_err(|error| SecretNotChanged::NotAHashKey(error.to_string()));
    }
    let is_end = name.starts_with(WEBHOOK) && name.ends_with(PREVIOUS_UNTIL);
    if is_end && Timestamp::parse(value.expose_secret()).is_none() {
        return Err(SecretNotChanged::NotATime { name: name.to_owned() });
    }
    Ok(())
}

/// Whether a name belongs into the secret that has these entries: the secret of the webhooks is the one with `hash_key`.
pub(super) fn check_place(name: &str, entries: &BTreeMap<String, String>) -> Result<(), SecretNotChanged> {
    if name == HASH_KEY {
        let has_key = entries.get(HASH_KEY).is_some_and(|text| parse_hash_key(text).is_ok());
        return if has_key { Err(SecretNotChanged::HashKey) } else { Ok(()) };
    }
    match (name.starts_with(WEBHOOK), entries.contains_key(HASH_KEY)) {
        (true, false) => Err(SecretNotChanged::NotOfWebhooks { name: name.to_owned() }),
        (false, true) => Err(SecretNotChanged::OfWebhooks { name: name.to_owned() }),
        (true, true) | (false, false) => Ok(()),
    }
}
