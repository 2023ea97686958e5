//! `rules`: when which records are to be looked up again (S0-89 to S0-98).

#[cfg(test)]
mod tests;
mod written;

use serde_saphyr::Spanned;

use super::MAIN_FILE;
use super::check::{Checker, line};
use crate::freshness::Freshness;
use crate::priority::Priority;
use crate::rules::{Action, Rule, RuleTrigger};
use crate::schema::{Entity, Field};
use crate::signup::Arrival;
use crate::units::{Credits, Millis};

pub(super) use written::RuleSection;
use written::{ActionSection, TriggerSection, Written};

/// A scheduled rule comes round at most so often.
const CADENCE_MIN: Millis = Millis::hours(1);

/// The words for cadences, beside durations. A quarter is counted as 90 days.
const CADENCES: &[(&str, Millis)] =
    &[("daily", Millis::days(1)), ("weekly", Millis::days(7)), ("monthly", Millis::days(30)), ("quarterly", Millis::days(90))];

impl Checker {
    /// `allocation` is the month's, `freshness` the shortest lifetimes of any lead.
    pub(super) fn enrichment_rules(&mut self, sections: Vec<RuleSection>, allocation: Credits, freshness: &Freshness) -> Vec<Rule> {
        let mut names: Vec<String> = Vec::new();
        let mut rules = Vec::new();
        for section in sections {
            self.check_rule_name(&section.name, &names);
            names.push(section.name.value.clone());
            self.check_rule_budget(&section, allocation);
            rules.extend(self.enrichment_rule(section, freshness));
        }
        rules
    }

    fn check_rule_name(&mut self, name: &Spanned<String>, names: &[String]) {
        let (at, name) = (line(name), name.value.as_str());
        let is_word = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_word {
            self.find(MAIN_FILE, at, format!("rules: `{name}` is no name; begin with a letter and write lower-case words joined by _"));
        }
        if Arrival::ALL.iter().any(|arrival| arrival.as_str() == name) {
            let message = format!("rules: `{name}` is how a signup arrives and has its cap under credits.caps.rule; write another name");
            self.find(MAIN_FILE, at, message);
        }
        if names.iter().any(|earlier| earlier == name) {
            self.find(MAIN_FILE, at, format!("there are two rules named `{name}`; give each its own name"));
        }
    }

    fn check_rule_budget(&mut self, section: &RuleSection, allocation: Credits) {
        let (name, Some(budget)) = (&section.name.value, &section.budget) else { return };
        if budget.value.0 == Credits::ZERO {
            let message = format!("rule `{name}` may spend nothing, so it never looks anything up; write credits a month or leave it out");
            self.find(MAIN_FILE, line(budget), message);
        }
        if budget.value.0 > allocation {
            let message = format!("rule `{name}` may spend more than the month's allocation of {allocation}; lower its budget");
            self.find(MAIN_FILE, line(budget), message);
        }
    }

    fn enrichment_rule(&mut self, section: RuleSection, freshness: &Freshness) -> Option<Rule> {
        let name = section.name.value;
        for (place, written) in [("deadline", &section.deadline), ("max_age", &section.max_age)] {
            if let Some(written) = written.as_ref().filter(|written| written.value == Millis(0)) {
                self.find(MAIN_FILE, line(written), format!("rule `{name}`: `{place}` is no time at all; write for example 5m"));
            }
        }
        let at = line(&section.trigger);
        let trigger = self.trigger(&name, section.trigger);
        let action = self.action(&name, section.action);
        let filter = section.filter.and_then(|written| self.condition(MAIN_FILE, &written));
        let max_age = section.max_age.map(|written| written.value);
        if let Some(RuleTrigger::Scheduled(every)) = trigger {
            let fresh = max_age.unwrap_or_else(|| self.shortest_of(&action, section.entity, freshness));
            self.check_schedule(&name, at, every, fresh);
        }
        Some(Rule {
            name,
            trigger: trigger?,
            entity: section.entity,
            filter,
            action,
            priority: section.priority.unwrap_or(Priority::Normal),
            budget: section.budget.map(|budget| budget.value.0),
            deadline: section.deadline.map(|written| written.value),
            max_age,
        })
    }

    fn trigger(&mut self, name: &str, written: Spanned<Written<TriggerSection>>) -> Option<RuleTrigger> {
        let at = line(&written);
        match written.value.0 {
            TriggerSection::RecordCreated => Some(RuleTrigger::RecordCreated),
            TriggerSection::RecordImported => Some(RuleTrigger::RecordImported),
            TriggerSection::FieldChanged(fields) => Some(RuleTrigger::FieldChanged(self.rule_fields(name, at, "trigger", &fields))),
            TriggerSection::StageChanged(stage) => Some(RuleTrigger::StageChanged(stage)),
            TriggerSection::IntegrationSync(from) => Some(RuleTrigger::IntegrationSync(from)),
            TriggerSection::ScoreAbove(points) => {
                if !(0..100).contains(&points) {
                    let message = format!("rule `{name}`: a score is never above 100 or below 0; write 0 to 99");
                    self.find(MAIN_FILE, at, message);
                }
                Some(RuleTrigger::ScoreAbove(points))
            }
            TriggerSection::Scheduled(every) => {
                let word = CADENCES.iter().find(|(word, _)| *word == every).map(|(_, span)| *span);
                let cadence = word.or_else(|| Millis::parse(&every)).filter(|span| *span >= CADENCE_MIN);
                if cadence.is_none() {
                    let words: Vec<&str> = CADENCES.iter().map(|(word, _)| *word).collect();
                    let message =
                        format!("rule `{name}`: `{every}` is no cadence; write {} or a time from 1h on, such as 7d", words.join(", "));
                    self.find(MAIN_FILE, at, message);
                }
                cadence.map(RuleTrigger::Scheduled)
            }
        }
    }

    fn action(&mut self, name: &str, written: Spanned<Written<ActionSection>>) -> Action {
        let at = line(&written);
        match written.value.0 {
            ActionSection::AllMissing => Action::AllMissing,
            ActionSection::Fields(fields) => Action::Fields(self.rule_fields(name, at, "action", &fields)),
        }
    }

    fn rule_fields(&mut self, name: &str, at: u64, place: &str, written: &[Spanned<String>]) -> Vec<Field> {
        if written.is_empty() {
            self.find(MAIN_FILE, at, format!("rule `{name}`: its {place} names no field; write one or more"));
        }
        written.iter().filter_map(|path| self.field(MAIN_FILE, path)).collect()
    }

    /// How soon something that a rule looks up is no longer fresh, for whatever lead.
    fn shortest_of(&self, action: &Action, entity: Option<Entity>, freshness: &Freshness) -> Millis {
        let named = if let Action::Fields(fields) = action { fields.as_slice() } else { &[] };
        let of_named = named.iter().map(|field| freshness.of(self.schema.kind_of(field).1)).min();
        of_named.unwrap_or(match entity {
            Some(Entity::Account) => freshness.company,
            Some(Entity::Contact) => freshness.person,
            Some(Entity::Lead) | None => freshness.person.min(freshness.company),
        })
    }

    /// A schedule that finds everything fresh whenever it comes round would do nothing.
    fn check_schedule(&mut self, name: &str, at: u64, every: Millis, fresh: Millis) {
        if fresh >= every {
            let message = format!(
                "rule `{name}` comes round every {every} and finds what it looked up still fresh, for {fresh}; write for example `max_age: {}`",
                shorter_than(every)
            );
            self.find(MAIN_FILE, at, message);
        }
    }
}

/// A tenth less, in whole days or hours where that is possible.
fn shorter_than(every: Millis) -> Millis {
    let less = every.0 / 10 * 9;
    let units = [Millis::days(1), Millis::hours(1), Millis::minutes(1)];
    let unit = units.into_iter().find(|unit| less >= 2 * unit.0).unwrap_or(Millis::minutes(1)).0;
    Millis(less / unit * unit)
}
