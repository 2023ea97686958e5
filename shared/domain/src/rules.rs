//! Rules: when which records are to be looked up again, and for what (S0-89 to S0-98).
//!
//! A rule is an object that is checked and matched here. Nothing fires it yet.

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::priority::Priority;
use crate::schema::{Entity, Field};
use crate::units::{Credits, Millis};
use crate::value::fold;

/// What makes a rule look at a record (S0-94).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleTrigger {
    /// A record was created.
    RecordCreated,
    /// A record came with an import.
    RecordImported,
    /// One of these fields changed.
    FieldChanged(Vec<Field>),
    /// An associated deal moved to this stage (S0-91).
    StageChanged(String),
    /// The score rose above these points (S0-92).
    ScoreAbove(i64),
    /// The record came with a sync from this integration (S0-93).
    IntegrationSync(String),
    /// It is time again, so often.
    Scheduled(Millis),
}

/// What is looked up (S0-96).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Every field that is missing.
    #[default]
    AllMissing,
    /// These, as far as they are missing.
    Fields(Vec<Field>),
}

impl Action {
    /// Whether nothing in particular is meant.
    #[must_use]
    pub const fn is_all_missing(&self) -> bool {
        matches!(self, Self::AllMissing)
    }

    /// The fields that are meant by name.
    #[must_use]
    pub fn named(&self) -> &[Field] {
        if let Self::Fields(fields) = self { fields } else { &[] }
    }

    /// Whether a field is meant.
    #[must_use]
    pub fn means(&self, field: &Field) -> bool {
        self.is_all_missing() || self.named().contains(field)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What makes it look at a record.
    pub trigger: RuleTrigger,
    /// The kind of record it is for; `None` for all (S0-95).
    pub entity: Option<Entity>,
    /// The records it is for; `None` for all (S0-95).
    pub filter: Option<Condition>,
    /// What it looks up.
    pub action: Action,
    /// Where its lookups enter the queue (S0-97).
    pub priority: Priority,
    /// What it may spend in a month; `None` sets no limit of its own (S0-98).
    pub budget: Option<Credits>,
    /// How long after its event the lookup should be done (S0-90).
    pub deadline: Option<Millis>,
    /// What is older counts as stale for its lookups, whatever freshness says.
    pub max_age: Option<Millis>,
}

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The kind of record.
    pub entity: Entity,
    /// What happened.
    pub what: Happening,
}

/// What can happen to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It was created.
    Created,
    /// It was imported.
    Imported,
    /// A field changed.
    Changed(Field),
    /// A deal of it moved to this stage.
    Stage(String),
    /// It was scored anew.
    Scored {
        /// The low end of its score before; `None` for the first time.
        before: Option<i64>,
        /// The low end of its score now.
        after: i64,
    },
    /// It came with a sync from this integration.
    Synced(String),
    /// It is this rule's time.
    Due(String),
}

impl Rule {
    /// Whether it is for this event and this record. Its filter must surely hold.
    #[must_use]
    pub fn matches(&self, event: &Event, view: &View<'_>) -> bool {
        let is_meant = self.entity.is_none_or(|entity| entity == event.entity);
        is_meant && self.is_triggered_by(&event.what) && self.filter.as_ref().is_none_or(|filter| filter.evaluate(view) == Truth::True)
    }

    fn is_triggered_by(&self, what: &Happening) -> bool {
        match (&self.trigger, what) {
            (RuleTrigger::RecordCreated, Happening::Created) | (RuleTrigger::RecordImported, Happening::Imported) => true,
            (RuleTrigger::FieldChanged(fields), Happening::Changed(field)) => fields.contains(field),
            (RuleTrigger::StageChanged(wanted), Happening::Stage(stage)) => fold(wanted) == fold(stage),
            // Once on the way up, not with every signup of a lead that is there already.
            (RuleTrigger::ScoreAbove(points), Happening::Scored { before, after }) => {
                after > points && before.is_none_or(|before| before <= *points)
            }
            (RuleTrigger::IntegrationSync(wanted), Happening::Synced(from)) => fold(wanted) == fold(from),
            (RuleTrigger::Scheduled(_), Happening::Due(rule)) => *rule == self.name,
            _ => false,
        }
    }
}

/// The rules that an event and a record call for, in the order of the configuration.
#[must_use]
pub fn matching<'a>(rules: &'a [Rule], event: &Event, view: &View<'_>) -> Vec<&'a Rule> {
    rules.iter().filter(|rule| rule.matches(event, view)).collect()
}
