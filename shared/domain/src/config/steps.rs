//! Steps, the filters between them, and what their calls are worth.

use serde_saphyr::Spanned;

use super::check::{Checker, line};
use super::document::{Amount, StepSection, Worth};
use crate::condition::Condition;
use crate::plan::{Guard, OnError, Skip, Step, Stop};
use crate::schema::Field;
use crate::units::Credits;

/// Where nothing else is said, an answer has to be worth this many times its price (S4-03, S4-04).
const TIMES: u32 = 2;

impl Checker {
    /// The steps in their order; a step without providers is a filter, which those after it are behind (S4-31).
    pub(super) fn steps(&mut self, file: &str, sections: Vec<StepSection>) -> Vec<Step> {
        let mut names: Vec<String> = Vec::new();
        let (mut steps, mut filters) = (Vec::new(), Vec::new());
        for section in sections {
            if names.contains(&section.name.value) {
                self.find(file, line(&section.name), format!("there are two steps named `{}`; give each its own name", section.name.value));
            }
            names.push(section.name.value.clone());
            match section.providers.is_some() {
                true => steps.push(self.step(file, section, &filters)),
                false => filters.extend(self.filter(file, section)),
            }
        }
        steps
    }

    fn filter(&mut self, file: &str, section: StepSection) -> Option<Guard> {
        let name = section.name.value.clone();
        if section.wants.is_some() {
            let message =
                format!("step `{name}` wants fields and asks nobody for them; add `providers`, or drop `wants` to make it a filter");
            self.find(file, line(&section.name), message);
            return None;
        }
        let asks = section.stop.is_some()
            || section.budget.is_some()
            || section.worth.is_some()
            || section.timeout.is_some()
            || section.batch.is_some()
            || section.required;
        if asks {
            let message =
                format!("step `{name}` asks nobody, so that it has nothing to stop, to spend or to require; a filter has `when` alone");
            self.find(file, line(&section.name), message);
        }
        let Some(written) = &section.when else {
            let message = format!("step `{name}` has neither `providers` nor `when`; a filter needs the condition that it lets pass");
            self.find(file, line(&section.name), message);
            return None;
        };
        Some(Guard { when: self.condition(file, written)?, why: Skip::Filtered { filter: name } })
    }

    fn step(&mut self, file: &str, section: StepSection, filters: &[Guard]) -> Step {
        let providers = self.providers(file, &section);
        let wants = self.wants(file, &section, &providers);
        let stop = section.stop.as_ref().and_then(|written| self.stop(file, written));
        let when = section.when.as_ref().and_then(|written| self.condition(file, written));
        let guards: Vec<Guard> = filters.iter().cloned().chain(self.worth(file, &section, &providers)).collect();
        let batch = section.batch.as_ref().map(|written| self.batch(file, &section.name.value, written, &providers));
        let default = OnError::default();
        Step {
            when: self.all_of(file, &section.name, &guards, when),
            budget: section.budget.and_then(|written| self.budget(file, &section.name.value, &written, &providers)),
            name: section.name.value,
            guards,
            wants,
            providers,
            stop,
            batch,
            timeout: section.timeout,
            required: section.required,
            on: OnError {
                timeout: section.on_timeout.unwrap_or(default.timeout),
                rate_limit: section.on_rate_limit.unwrap_or(default.rate_limit),
                invalid: section.on_invalid.unwrap_or(default.invalid),
                auth_failure: section.on_auth_failure.unwrap_or(default.auth_failure),
            },
        }
    }

    fn stop(&mut self, file: &str, written: &Spanned<String>) -> Option<Stop> {
        let stop = Stop::parse(&written.value);
        if stop.is_none() {
            let message =
                format!("`{}` is no stop rule; write first_usable, \"confidence >= 5000\" or \"confirmations: 2\"", written.value);
            self.find(file, line(written), message);
        }
        stop
    }

    fn budget(&mut self, file: &str, step: &str, written: &Spanned<Amount>, providers: &[String]) -> Option<Credits> {
        let budget = written.value.0;
        let cheapest = providers.iter().filter_map(|name| Some(self.catalogue.get(name)?.dearest())).min()?;
        if budget < cheapest {
            let message = format!(
                "one call of step `{step}` costs {cheapest}, and its budget is {budget}: raise it to that or more, or drop the step"
            );
            self.find(file, line(written), message);
        }
        Some(budget)
    }

    /// The step's own condition and those of its guards, as one.
    fn all_of(&mut self, file: &str, name: &Spanned<String>, guards: &[Guard], own: Option<Condition>) -> Option<Condition> {
        let all: Vec<&Condition> = guards.iter().map(|guard| &guard.when).chain(&own).collect();
        if all.len() < 2 {
            return all.first().map(|only| (*only).clone());
        }
        let text = all.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" && ");
        let joined = Condition::parse(&text, &self.schema);
        joined.map_err(|error| self.find(file, line(name), format!("with the filters before it: {}", error.message))).ok()
    }

    /// The condition of a step whose answer is worth little for what it costs: then only some leads are looked up (S4-04).
    fn worth(&mut self, file: &str, section: &StepSection, providers: &[String]) -> Option<Guard> {
        let worth = section.worth.as_ref()?;
        let Worth { value, times, otherwise } = &worth.value;
        let dearest = providers.iter().filter_map(|name| Some(self.catalogue.get(name)?.dearest())).max().unwrap_or(Credits::ZERO);
        let wanted = dearest.micros().saturating_mul(i64::from(times.unwrap_or(TIMES)));
        if value.0.micros() >= wanted {
            return None;
        }
        let Some(otherwise) = otherwise else {
            let message = format!(
                "what step `{}` tells is worth {}, and a call may cost {dearest}: it is never asked; write under `otherwise` for which leads it is, or drop the step",
                section.name.value, value.0
            );
            self.find(file, line(worth), message);
            return None;
        };
        Some(Guard { when: self.condition(file, otherwise)?, why: Skip::NotWorthIt })
    }

    fn providers(&mut self, file: &str, section: &StepSection) -> Vec<String> {
        let known = self.catalogue.keys().cloned().collect::<Vec<_>>().join(", ");
        let Some(written) = &section.providers else { return Vec::new() };
        if written.value.is_empty() {
            let message = format!("step `{}` asks no provider; write one or more of: {known}", section.name.value);
            self.find(file, line(written), message);
        }
        let mut providers = Vec::new();
        for name in &written.value {
            if self.catalogue.contains_key(&name.value) {
                providers.push(name.value.clone());
            } else {
                self.find(file, line(name), format!("there is no connector `{}`; write one of: {known}", name.value));
            }
        }
        providers
    }

    fn wants(&mut self, file: &str, section: &StepSection, providers: &[String]) -> Vec<Field> {
        let fields = section.wants.as_ref().map(|wants| wants.value.as_slice()).unwrap_or_default();
        if fields.is_empty() {
            let message = format!("step `{}` wants nothing, so it never asks; write the fields it is for", section.name.value);
            self.find(file, section.wants.as_ref().map_or_else(|| line(&section.name), line), message);
        }
        let mut wants = Vec::new();
        for written in fields {
            let Some(field) = self.field(file, written) else { continue };
            let is_supplied =
                providers.iter().any(|name| self.catalogue.get(name).is_some_and(|operation| operation.supplies.contains(&field)));
            if !is_supplied && !providers.is_empty() {
                self.find(
                    file,
                    line(written),
                    format!("no provider of step `{}` returns `{field}`; add one that does or drop the field", section.name.value),
                );
            }
            wants.push(field);
        }
        wants
    }
}
