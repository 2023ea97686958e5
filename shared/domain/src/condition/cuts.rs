//! Where the answers of conditions change: for each field a few values that stand for all that it can hold (DESIGN §5).

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{Condition, Expression, Operand, Truth, View};
use crate::schema::{Field, FieldKind};
use crate::value::{Value, fold};

/// A field that is compared with more values than this is not cut.
const CONSTANTS_MAX: usize = 64;
/// More words than this have too many subsets to be looked at.
const WORDS_MAX: usize = 8;

/// Several conditions, by the fields that they read.
#[derive(Debug, Default)]
pub(crate) struct Cuts<'c> {
    conditions: Vec<&'c Condition>,
}

impl<'c> Cuts<'c> {
    pub(crate) fn of(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        Self { conditions: conditions.into_iter().collect() }
    }

    /// The fields that they read, sorted, each once.
    pub(crate) fn fields(&self) -> BTreeSet<&'c Field> {
        self.conditions.iter().flat_map(|condition| condition.read_fields()).collect()
    }

    /// Whether one of them asks if the field has a value at all.
    pub(crate) fn asks_for(&self, field: &Field) -> bool {
        self.leaves(field).iter().any(|leaf| matches!(leaf, Expression::Has(_)))
    }

    /// Values of `field`, one for each way in which the clauses can answer. `None` where no few values stand for all: the field
    /// is compared with another one that is not known in `view`, or with the score.
    pub(crate) fn values(&self, field: &Field, kind: FieldKind, view: &View<'_>) -> Option<Vec<Value>> {
        let constants = self.constants(field, view).filter(|constants| constants.len() <= CONSTANTS_MAX)?;
        let candidates = match kind {
            FieldKind::Bool => vec![Value::Bool(true), Value::Bool(false)],
            FieldKind::List => subsets(constants)?,
            FieldKind::Number => between_numbers(constants),
            _ => between_texts(constants),
        };
        let mut seen = BTreeSet::new();
        Some(candidates.into_iter().filter(|value| seen.insert(self.signature(field, value, view))).collect())
    }

    /// What the field is compared with; `None` where that is not known in `view`.
    pub(crate) fn constants(&self, field: &Field, view: &View<'_>) -> Option<Vec<Value>> {
        let mut constants = Vec::new();
        for leaf in self.leaves(field) {
            constants_of(leaf, field, view, &mut constants)?;
        }
        Some(constants)
    }

    /// What the conditions that read the field make of a value: whole conditions where they read nothing else, else clause by clause.
    /// Told and untold, since a condition may ask whether it was.
    fn signature(&self, field: &Field, value: &Value, view: &View<'_>) -> Vec<Truth> {
        let answers = |is_present| {
            let assumed = [Assumed { field, value, is_present }];
            self.answers(field, &view.assuming(&assumed))
        };
        [answers(true), answers(false)].concat()
    }

    fn answers(&self, field: &Field, view: &View<'_>) -> Vec<Truth> {
        let mut answers = Vec::new();
        for condition in self.reading(field) {
            if condition.read_fields().len() == 1 && !condition.reads_score() {
                answers.push(condition.evaluate(view));
            } else {
                answers.extend(leaves_of(&condition.expression, field).into_iter().map(|leaf| leaf.evaluate(view)));
            }
        }
        answers
    }

    fn leaves(&self, field: &Field) -> Vec<&'c Expression> {
        self.reading(field).flat_map(|condition| leaves_of(&condition.expression, field)).collect()
    }

    fn reading(&self, field: &Field) -> impl Iterator<Item = &'c Condition> {
        self.conditions.iter().copied().filter(move |condition| condition.read_fields().contains(field))
    }
}

/// A value that a field is taken to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assumed<'a> {
    pub(crate) field: &'a Field,
    pub(crate) value: &'a Value,
    /// Whether somebody has told it: a value that stays untold is there for comparisons and not for `has`.
    pub(crate) is_present: bool,
}

fn leaves_of<'e>(expression: &'e Expression, field: &Field) -> Vec<&'e Expression> {
    match expression {
        Expression::Any(parts) | Expression::All(parts) => parts.iter().flat_map(|part| leaves_of(part, field)).collect(),
        Expression::Not(inner) => leaves_of(inner, field),
        Expression::Named(condition) => leaves_of(&condition.expression, field),
        leaf => {
            let mut fields = Vec::new();
            leaf.collect_fields(&mut fields);
            if fields.contains(field) { vec![leaf] } else { Vec::new() }
        }
    }
}

/// Adds what a clause compares the field with; `None` where that is not known.
fn constants_of(leaf: &Expression, field: &Field, view: &View<'_>, constants: &mut Vec<Value>) -> Option<()> {
    let is_it = |operand: &Operand| matches!(operand, Operand::Field(other) if other == field);
    match leaf {
        Expression::Compare { left, right, .. } => {
            let other = if is_it(left) { right } else { left };
            constants.push(constant(other, view)?);
        }
        Expression::In { needle, haystack } if is_it(needle) => match haystack {
            Operand::List(values) => constants.extend(values.iter().cloned()),
            other => match constant(other, view)? {
                Value::List(words) => constants.extend(words.into_iter().map(Value::Text)),
                value => constants.push(value),
            },
        },
        Expression::In { needle, .. } => constants.push(constant(needle, view)?),
        _ => {}
    }
    Some(())
}

fn constant(operand: &Operand, view: &View<'_>) -> Option<Value> {
    match operand {
        Operand::Literal(value) => Some(value.clone()),
        Operand::Field(other) => view.value(other).cloned(),
        Operand::Score | Operand::List(_) => None,
    }
}

/// Each constant, a value below all, one above all, and one between each two.
fn between_numbers(constants: Vec<Value>) -> Vec<Value> {
    let mut numbers: Vec<Decimal> = constants.iter().filter_map(Value::as_number).collect();
    numbers.sort();
    numbers.dedup();
    let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else { return vec![Value::number(0)] };
    let mut values = vec![first.saturating_sub(Decimal::ONE)];
    for pair in numbers.windows(2) {
        values.extend([pair[0], pair[0] / Decimal::TWO + pair[1] / Decimal::TWO]);
    }
    values.extend([last, last.saturating_add(Decimal::ONE)]);
    values.into_iter().map(Value::Number).collect()
}

/// The same for texts, in the order in which they compare.
fn between_texts(constants: Vec<Value>) -> Vec<Value> {
    let mut texts: Vec<String> =
        constants.iter().filter_map(|value| if let Value::Text(text) = value { Some(fold(text).into_owned()) } else { None }).collect();
    texts.sort();
    texts.dedup();
    let mut values = vec![Value::text("")];
    for text in texts {
        // The least text above this one: nothing that folds to another text lies between them.
        let above = format!("{text}\u{1}");
        values.extend([Value::Text(text), Value::Text(above)]);
    }
    values
}

/// Every set of the words that somebody asks for.
fn subsets(constants: Vec<Value>) -> Option<Vec<Value>> {
    let mut words: Vec<String> =
        constants.iter().filter_map(|value| if let Value::Text(text) = value { Some(fold(text).into_owned()) } else { None }).collect();
    words.sort();
    words.dedup();
    if words.len() > WORDS_MAX {
        return None;
    }
    let chosen = |set: usize| words.iter().enumerate().filter(move |(place, _)| set & (1 << place) != 0).map(|(_, word)| word.clone());
    Some((0..1_usize << words.len()).map(|set| Value::List(chosen(set).collect())).collect())
}
