//! The nearest change that would have led a lead elsewhere: found at the constants of the rules, and verified by deciding with it.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::condition::{Cuts, View};
use crate::config::Config;
use crate::merge::Facts;
use crate::route::Track;
use crate::run::Run;
use crate::schema::{Field, FieldKind, words_of};
use crate::value::{Value, fold};
use crate::what_if::{Supposed, what_if};

/// How far it is to a value of a field that nobody has told.
const TO_THE_UNKNOWN: Decimal = Decimal::from_parts(5, 0, 0, false, 1);
/// Of so many nearest changes pairs are made where no single one leads elsewhere.
const PAIRED_MAX: usize = 16;

/// A change that leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// What would have to be known, or be otherwise: one field, or two.
    pub supposed: Vec<Supposed>,
    /// The track that it leads to.
    pub track: Track,
    /// Whether it leads there only for now, as something else stays unknown.
    pub provisional: bool,
}

/// One change and its size: a number's is relative to what it is, a word's is one.
struct Change {
    size: Decimal,
    supposed: Supposed,
}

/// The smallest change of one field that leads the run's newest decision to another track, else of two. `None` where there is none
/// among the constants that the rules compare with, and for a run that is not decided.
#[must_use]
pub fn nearest_flip(run: &Run, config: &Config) -> Option<Flip> {
    let now = what_if(run, config, &[])?.after.route.track;
    let leads_elsewhere = |mut supposed: Vec<Supposed>| {
        supposed.sort_by(|a, b| a.field.cmp(&b.field));
        let route = what_if(run, config, &supposed)?.after.route;
        (route.track != now).then_some(Flip { supposed, track: route.track, provisional: route.provisional })
    };
    let mut changes = changes(&run.facts, config);
    changes.sort_by(|a, b| a.size.cmp(&b.size).then_with(|| a.supposed.field.cmp(&b.supposed.field)));
    if let Some(flip) = changes.iter().find_map(|change| leads_elsewhere(vec![change.supposed.clone()])) {
        return Some(flip);
    }
    changes.truncate(PAIRED_MAX);
    let mut pairs: Vec<(Decimal, [&Supposed; 2])> = Vec::new();
    for (place, one) in changes.iter().enumerate() {
        let others = changes[place + 1..].iter().filter(|other| other.supposed.field != one.supposed.field);
        pairs.extend(others.map(|other| (one.size + other.size, [&one.supposed, &other.supposed])));
    }
    pairs.sort_by_key(|(size, _)| *size);
    pairs.into_iter().find_map(|(_, pair)| leads_elsewhere(pair.map(Clone::clone).to_vec()))
}

/// Every change to a value at which a rule answers otherwise.
fn changes(facts: &Facts, config: &Config) -> Vec<Change> {
    let view = config.view(facts);
    let rules = config.rules(&view);
    let gate = rules.gate.iter().map(|rule| &rule.when);
    let score = rules.score.iter().map(|rule| &rule.when);
    let cuts = Cuts::of(gate.chain(score).chain(rules.route.rules.iter().map(|rule| &rule.when)));
    let mut changes = Vec::new();
    for field in cuts.fields() {
        let known = view.value(field);
        for value in values_of(&cuts, field, config.schema.kind_of(field).0, known, &view) {
            let size = match (known, &value) {
                (None, _) => TO_THE_UNKNOWN,
                (Some(Value::Number(from)), Value::Number(to)) => relative(*from, *to),
                (Some(from), to) if from == to => continue,
                _ => Decimal::ONE,
            };
            changes.push(Change { size, supposed: Supposed { field: field.clone(), value } });
        }
    }
    changes.retain(|change| !change.size.is_zero());
    changes
}

fn relative(from: Decimal, to: Decimal) -> Decimal {
    let apart = from.checked_sub(to).map_or(Decimal::MAX, |apart| apart.abs());
    apart.checked_div(from.abs().max(Decimal::ONE)).unwrap_or(Decimal::MAX)
}

fn values_of(cuts: &Cuts<'_>, field: &Field, kind: FieldKind, known: Option<&Value>, view: &View<'_>) -> Vec<Value> {
    let Some(constants) = cuts.constants(field, view) else { return Vec::new() };
    match kind {
        FieldKind::Bool => vec![Value::Bool(true), Value::Bool(false)],
        FieldKind::Number => constants.iter().filter_map(Value::as_number).flat_map(around).map(Value::Number).collect(),
        FieldKind::List => constants.iter().filter_map(|word| toggled(known, word)).collect(),
        _ => {
            let named: BTreeSet<String> = constants.iter().filter_map(word_of).collect();
            let others = words_of(field).unwrap_or_default().iter().map(|word| (*word).to_owned());
            let other = others.into_iter().find(|word| !named.contains(word));
            named.iter().cloned().chain(other).map(Value::Text).collect()
        }
    }
}

/// A constant and its neighbours, one step of its last digit away.
fn around(constant: Decimal) -> [Decimal; 3] {
    let step = Decimal::new(1, constant.normalize().scale());
    [constant.saturating_sub(step), constant, constant.saturating_add(step)]
}

/// The list with the word, where it has it not, and without it, where it has.
fn toggled(known: Option<&Value>, word: &Value) -> Option<Value> {
    let word = word_of(word)?;
    let mut words: Vec<String> = if let Some(Value::List(words)) = known { words.clone() } else { Vec::new() };
    let before = words.len();
    words.retain(|other| fold(other) != word);
    if words.len() == before {
        words.push(word);
    }
    Some(Value::list(words))
}

fn word_of(value: &Value) -> Option<String> {
    if let Value::Text(word) = value { Some(fold(word).into_owned()) } else { None }
}
