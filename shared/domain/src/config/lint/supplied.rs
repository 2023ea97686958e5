//! Fields that a rule reads and nobody ever tells.

use std::collections::BTreeSet;

use super::sheet::{Placed, Sheet};
use crate::condition::Cuts;
use crate::config::Finding;
use crate::decide::may_be_said_by_signup;
use crate::derived;
use crate::plan::Catalogue;
use crate::schema::Field;

/// Each field is said once a file, where it stands first. A plan without steps looks nobody up on purpose; nothing is said of it.
pub(super) fn findings(sheet: &Sheet<'_>, catalogue: &Catalogue) -> Vec<Finding> {
    if sheet.steps.is_empty() {
        return Vec::new();
    }
    let asked = sheet.steps.iter().flat_map(|step| &step.providers).filter_map(|name| catalogue.get(*name));
    let mut told: BTreeSet<Field> = asked.flat_map(|operation| &operation.supplies).cloned().collect();
    told.extend(derived::derivable(&told));
    let is_told = |field: &Field| told.contains(field) || may_be_said_by_signup(field, sheet.schema);
    let (mut found, mut said) = (Vec::new(), BTreeSet::new());
    for placed in conditions(sheet) {
        let cuts = Cuts::of([&placed.when]);
        // Who asks `has(x)` first says that nobody may tell x, and what follows then.
        for field in cuts.fields().into_iter().filter(|field| !is_told(field) && !cuts.asks_for(field)) {
            if said.insert((placed.file, field.clone())) {
                let message = format!(
                    "{} reads `{field}`, which is never known: no step asks anybody who tells it and no signup brings it; {}, or leave it out",
                    placed.what,
                    advice(field, catalogue)
                );
                found.push(Finding::new(placed.file, placed.line, message));
            }
        }
    }
    for wanted in sheet.wanted.iter().filter(|wanted| !told.contains(&wanted.field)) {
        let field = &wanted.field;
        let message = format!("plan.wanted: no step asks anybody who tells `{field}`; {}, or leave it out", advice(field, catalogue));
        found.push(Finding::new(wanted.file, wanted.line, message));
    }
    found
}

fn conditions<'s>(sheet: &'s Sheet<'_>) -> impl Iterator<Item = &'s Placed<'s>> {
    let of_sets = sheet.sets.iter().flat_map(|set| {
        let score = set.score.iter().flatten().map(|rule| &rule.placed);
        score.chain(set.route.iter().flatten().map(|rule| &rule.placed))
    });
    let named = sheet.named.iter().chain(&sheet.verticals).chain(&sheet.gate);
    let steps = sheet.steps.iter().filter_map(|step| step.when.as_ref());
    let score = sheet.score.iter().map(|rule| &rule.placed);
    named.chain(steps).chain(score).chain(sheet.route.iter().map(|rule| &rule.placed)).chain(of_sets)
}

fn advice(field: &Field, catalogue: &Catalogue) -> String {
    let tellers: Vec<String> = catalogue
        .values()
        .filter(|operation| operation.supplies.contains(field))
        .map(|operation| format!("`{}`", operation.name))
        .collect();
    if let (true, Some(inputs)) = (tellers.is_empty(), derived::inputs_of(field)) {
        let inputs: Vec<String> = inputs.iter().map(|input| format!("`{input}`")).collect();
        return format!("it is derived from {}: let a step ask who tells them", inputs.join(", "));
    }
    if tellers.is_empty() {
        return format!("no connector tells it either: write one, or ask `has({field}) && …` first");
    }
    format!("let a step ask {}", tellers.join(" or "))
}
