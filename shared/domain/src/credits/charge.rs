use serde::{Deserialize, Serialize};

use crate::schema::Entity;

/// What made somebody spend (S0-73).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A signup came in.
    #[default]
    Auto,
    /// A person asked for it.
    Manual,
    /// A refresh was due.
    Scheduled,
}

impl Trigger {
    /// Whether a signup that came in was it.
    #[must_use]
    pub const fn is_auto(&self) -> bool {
        matches!(self, Self::Auto)
    }

    /// The word used in usage counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }
}

/// Who is charged: the four ways in which usage is counted, each adding up to the total (I7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The provider, `crustdata`.
    pub provider: String,
    /// What is looked up.
    pub entity: Entity,
    /// What set it off.
    pub trigger: Trigger,
    /// The rule that asked for it (S0-98); a signup's is named by its arrival, `demo_request`.
    pub rule: String,
}

impl Charge {
    /// The names of its four usage counters: `provider:crustdata`, `entity:account`, `trigger:auto`, `rule:signup`.
    #[must_use]
    pub fn parts(&self) -> [String; 4] {
        let (entity, trigger) = (self.entity.as_str(), self.trigger.as_str());
        [self.provider_part(), format!("entity:{entity}"), format!("trigger:{trigger}"), self.rule_part()]
    }

    /// `provider:crustdata`.
    #[must_use]
    pub fn provider_part(&self) -> String {
        format!("provider:{}", self.provider)
    }

    /// `rule:signup`.
    #[must_use]
    pub fn rule_part(&self) -> String {
        format!("rule:{}", self.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s0_71_to_s0_73_usage_is_counted_by_provider_entity_trigger_and_rule() {
        let parts = |entity, trigger| Charge { provider: "crustdata".into(), entity, trigger, rule: "signup".into() }.parts();
        let expected = ["provider:crustdata", "entity:account", "trigger:auto", "rule:signup"];
        assert_eq!(parts(Entity::Account, Trigger::Auto), expected);
        assert_eq!(parts(Entity::Contact, Trigger::Manual)[1..3], ["entity:contact", "trigger:manual"]);
        assert_eq!(parts(Entity::Lead, Trigger::Scheduled)[1..3], ["entity:lead", "trigger:scheduled"]);
    }
}
