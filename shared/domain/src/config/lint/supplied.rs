//! Fields that a rule reads and nobody ever tells.

use std::collections::BTreeSet;

use super::sheet::{Placed, Sheet, StepAt};
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
    let told = told_by(&sheet.steps, catalogue);
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
    found.extend(waiting_for_themselves(sheet, catalogue, &told));
    for wanted in sheet.wanted.iter().filter(|wanted| !told.contains(&wanted.field)) {
        let field = &wanted.field;
        let message = format!("{}: no step asks anybody who tells `{field}`; {}, or leave it out", wanted.what, advice(field, catalogue));
        found.push(Finding::new(wanted.file, wanted.line, message));
    }
    found
}

/// What those whom these steps ask tell, and what follows from it.
fn told_by<'s>(steps: impl IntoIterator<Item = &'s StepAt<'s>>, catalogue: &Catalogue) -> BTreeSet<Field> {
    let asked = steps.into_iter().flat_map(|step| &step.providers).filter_map(|name| catalogue.get(*name));
    let mut told: BTreeSet<Field> = asked.flat_map(|operation| &operation.supplies).cloned().collect();
    told.extend(derived::derivable(&told));
    told
}

/// Conditions of steps and filters that read only what is told by those who are asked once they hold: nobody ever is.
fn waiting_for_themselves(sheet: &Sheet<'_>, catalogue: &Catalogue, all: &BTreeSet<Field>) -> Vec<Finding> {
    let may_hold = |when: &Placed<'_>, told: &BTreeSet<Field>| {
        let cuts = Cuts::of([&when.when]);
        let read = cuts.fields();
        let is_known = |field: &Field| told.contains(field) || may_be_said_by_signup(field, sheet.schema) || cuts.asks_for(field);
        // What nobody tells at all is said of the field itself.
        read.is_empty() || when.when.reads_score() || read.iter().any(|field| is_known(field) || !all.contains(field))
    };
    let mut asked = BTreeSet::new();
    loop {
        let known = told_by(asked.iter().map(|nth: &usize| &sheet.steps[*nth]), catalogue);
        let is_free = |nth: &usize| guards(sheet, *nth).all(|when| may_hold(when, &known));
        let next: BTreeSet<usize> = (0..sheet.steps.len()).filter(is_free).collect();
        if next == asked {
            let stuck = sheet.steps.iter().filter_map(|step| step.when.as_ref()).filter(|when| !may_hold(when, &known));
            return stuck.map(waits_for_itself).collect();
        }
        asked = next;
    }
}

/// The condition of a step, and the filters before it.
fn guards<'s>(sheet: &'s Sheet<'_>, nth: usize) -> impl Iterator<Item = &'s Placed<'s>> {
    let filters = sheet.steps[..nth].iter().filter(|step| step.providers.is_empty());
    filters.chain([&sheet.steps[nth]]).filter_map(|step| step.when.as_ref())
}

fn waits_for_itself(when: &Placed<'_>) -> Finding {
    let fields: Vec<String> = when.when.fields().iter().map(|field| format!("`{field}`")).collect();
    let message = format!(
        "{} waits for {}, which only those tell who are asked once it holds: nobody ever is; ask for it in a step before, without this \
         condition",
        when.what,
        fields.join(" and ")
    );
    Finding::new(when.file, when.line, message)
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
