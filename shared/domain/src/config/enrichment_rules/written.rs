//! `rules` as they are written.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::config::document::Amount;
use crate::priority::Priority;
use crate::schema::Entity;
use crate::units::Millis;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RuleSection {
    pub(in crate::config) name: Spanned<String>,
    pub(super) trigger: Spanned<Written<TriggerSection>>,
    #[serde(default)]
    pub(in crate::config) filter: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) entity: Option<Entity>,
    pub(super) action: Spanned<Written<ActionSection>>,
    #[serde(default)]
    pub(super) priority: Option<Priority>,
    #[serde(default)]
    pub(super) budget: Option<Spanned<Amount>>,
    #[serde(default)]
    pub(super) deadline: Option<Spanned<Millis>>,
    #[serde(default)]
    pub(super) max_age: Option<Spanned<Millis>>,
}

#[derive(Debug)]
pub(super) enum TriggerSection {
    RecordCreated,
    RecordImported,
    FieldChanged(Vec<Spanned<String>>),
    StageChanged(String),
    ScoreAbove(i64),
    IntegrationSync(String),
    Scheduled(String),
}

#[derive(Debug)]
pub(super) enum ActionSection {
    AllMissing,
    Fields(Vec<Spanned<String>>),
}

/// A word, or a word with what belongs to it: `record_created`, `{scheduled: 7d}`. A derived enum would read on behind a
/// word that lacks its part and name the wrong thing.
trait WordOrPair: Sized {
    /// What to write, for error messages.
    const EXPECTED: &'static str;

    fn of_word(word: &str) -> Option<Self>;
    fn of_pair<'de, A: MapAccess<'de>>(word: &str, map: &mut A) -> Result<Option<Self>, A::Error>;
}

impl WordOrPair for TriggerSection {
    const EXPECTED: &'static str = "record_created, record_imported, {field_changed: [company.domain]}, {stage_changed: negotiation}, \
                                    {score_above: 80}, {integration_sync: salesforce} or {scheduled: 7d}";

    fn of_word(word: &str) -> Option<Self> {
        match word {
            "record_created" => Some(Self::RecordCreated),
            "record_imported" => Some(Self::RecordImported),
            _ => None,
        }
    }

    fn of_pair<'de, A: MapAccess<'de>>(word: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(Some(match word {
            "field_changed" => Self::FieldChanged(map.next_value()?),
            "stage_changed" => Self::StageChanged(map.next_value()?),
            "score_above" => Self::ScoreAbove(map.next_value()?),
            "integration_sync" => Self::IntegrationSync(map.next_value()?),
            "scheduled" => Self::Scheduled(map.next_value()?),
            _ => return Ok(None),
        }))
    }
}

impl WordOrPair for ActionSection {
    const EXPECTED: &'static str = "all_missing or {fields: [contact.phone]}";

    fn of_word(word: &str) -> Option<Self> {
        (word == "all_missing").then_some(Self::AllMissing)
    }

    fn of_pair<'de, A: MapAccess<'de>>(word: &str, map: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(if word == "fields" { Some(Self::Fields(map.next_value()?)) } else { None })
    }
}

#[derive(Debug)]
pub(super) struct Written<T>(pub(super) T);

impl<'de, T: WordOrPair> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrPairVisitor(PhantomData)).map(Self)
    }
}

struct WordOrPairVisitor<T>(PhantomData<T>);

impl<'de, T: WordOrPair> Visitor<'de> for WordOrPairVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        T::of_word(word).ok_or_else(|| E::custom(format!("`{word}` does not say enough; write {}", T::EXPECTED)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let word: String = map.next_key()?.unwrap_or_default();
        let said = T::of_pair(&word, &mut map)?;
        match (said, map.next_key::<String>()) {
            (Some(said), Ok(None)) => Ok(said),
            _ => Err(A::Error::custom(format!("`{word}` is not one of these alone; write {}", T::EXPECTED))),
        }
    }
}
