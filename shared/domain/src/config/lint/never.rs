//! Conditions that never hold, whatever is known.

use super::sheet::{Placed, Reader, Sheet};
use super::worlds::{Points, Worlds};
use crate::condition::{Condition, Truth};
use crate::config::enrichment_rules::RuleSection;
use crate::config::{Finding, MAIN_FILE};
use crate::schema::Schema;

/// Segments, audiences.
pub(super) fn names(sheet: &Sheet<'_>) -> Vec<Finding> {
    among(sheet, sheet.named.iter())
}

/// Gate, steps, score, verticals and where undecided leads wait. Routes and sets are looked at in their order.
pub(super) fn rules(sheet: &Sheet<'_>) -> Vec<Finding> {
    let score = sheet.score.iter().chain(sheet.sets.iter().flat_map(|set| set.score.iter().flatten())).map(|rule| &rule.placed);
    let steps = sheet.steps.iter().filter_map(|step| step.when.as_ref());
    among(sheet, sheet.gate.iter().chain(steps).chain(score).chain(&sheet.verticals).chain(&sheet.undecided))
}

/// The filters of the rules by which records are looked up again.
pub(super) fn filters(sheet: &Sheet<'_>, rules: &[RuleSection]) -> Vec<Finding> {
    let reader = Reader { schema: sheet.schema, file: MAIN_FILE };
    let filters = rules.iter().filter_map(|rule| reader.placed(rule.filter.as_ref()?, format!("rule `{}`", rule.name.value)));
    among(sheet, filters.collect::<Vec<_>>().iter())
}

fn among<'s>(sheet: &Sheet<'_>, placed: impl Iterator<Item = &'s Placed<'s>>) -> Vec<Finding> {
    let meant = placed.filter(|placed| !is_switched_off(&placed.when));
    meant.filter(|placed| never_holds(&placed.when, Points::ANY, sheet.schema)).map(contradiction).collect()
}

/// Whether somebody has switched a rule off on purpose, by `false` alone.
pub(super) fn is_switched_off(when: &Condition) -> bool {
    when.text().trim() == "false"
}

/// Whether it surely never holds.
pub(super) fn never_holds(when: &Condition, points: Points<'_>, schema: &Schema) -> bool {
    let may_hold = |worlds: Worlds<'_>| worlds.any(|view| when.evaluate(view) != Truth::False);
    Worlds::decided(&[when], points, schema).and_then(may_hold) == Some(false)
}

/// What is said of a condition whose clauses leave nothing.
pub(super) fn contradiction(placed: &Placed<'_>) -> Finding {
    let fields: Vec<String> = placed.when.fields().iter().map(|field| format!("`{field}`")).collect();
    let whatever = match fields.as_slice() {
        [] => String::new(),
        [one] => format!(", whatever {one} is"),
        [first @ .., last] => format!(", whatever {} and {last} are", first.join(", ")),
    };
    let message = format!(
        "{}: `{}` never holds{whatever}; let its clauses leave something over, or drop it (`false` alone switches it off)",
        placed.what, placed.when
    );
    Finding::new(placed.file, placed.line, message)
}
