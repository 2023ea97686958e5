//! A row of the table: what was measured, and what it must and should be.

use serde_json::{Value, json};

use crate::limit::{Limit, Unit};
use crate::samples::Samples;

/// What became of a measurement.
#[derive(Clone, Debug)]
enum Measured {
    /// A count, or a size.
    Exact(f64),
    /// Times, of which the median counts.
    Repeated(Samples),
    /// A number made of two medians; it says nothing when one of them does not.
    Derived { value: f64, is_steady: bool },
    /// It could not be measured here, and why.
    Skipped(String),
    /// It should have been measured and was not, and why.
    Broken(String),
}

/// The end of the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    Unsteady,
    /// There is no gate.
    Printed,
    Skipped,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    id: &'static str,
    what: String,
    unit: Unit,
    measured: Measured,
    gate: Option<Limit>,
    stretch: Option<Limit>,
}

impl Row {
    pub(crate) fn exact(id: &'static str, what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self::new(id, what, unit, Measured::Exact(value))
    }

    pub(crate) fn repeated(id: &'static str, what: impl Into<String>, unit: Unit, samples: Samples) -> Self {
        Self::new(id, what, unit, Measured::Repeated(samples))
    }

    /// How many times longer `theirs` takes than `ours`.
    pub(crate) fn ratio(id: &'static str, what: impl Into<String>, theirs: &Samples, ours: &Samples) -> Self {
        let (value, is_steady) = (theirs.median() / ours.median(), theirs.is_steady() && ours.is_steady());
        Self::new(id, what, Unit::Times, Measured::Derived { value, is_steady })
    }

    pub(crate) fn skipped(id: &'static str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(id, what, Unit::Times, Measured::Skipped(why.into()))
    }

    pub(crate) fn broken(id: &'static str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(id, what, Unit::Times, Measured::Broken(why.into()))
    }

    fn new(id: &'static str, what: impl Into<String>, unit: Unit, measured: Measured) -> Self {
        Self { id, what: what.into(), unit, measured, gate: None, stretch: None }
    }

    /// What the value must be.
    pub(crate) fn gate(self, limit: Limit) -> Self {
        Self { gate: Some(limit), ..self }
    }

    /// What it should be.
    pub(crate) fn stretch(self, limit: Limit) -> Self {
        Self { stretch: Some(limit), ..self }
    }

    fn value(&self) -> Option<f64> {
        match &self.measured {
            Measured::Exact(value) | Measured::Derived { value, .. } => Some(*value),
            Measured::Repeated(samples) => Some(samples.median()),
            Measured::Skipped(_) | Measured::Broken(_) => None,
        }
    }

    fn is_steady(&self) -> bool {
        match &self.measured {
            Measured::Repeated(samples) => samples.is_steady(),
            Measured::Derived { is_steady, .. } => *is_steady,
            Measured::Exact(_) | Measured::Skipped(_) | Measured::Broken(_) => true,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match (&self.measured, self.value(), self.gate) {
            (Measured::Broken(_), ..) => Verdict::Fail,
            (_, None, _) => Verdict::Skipped,
            _ if !self.is_steady() => Verdict::Unsteady,
            (_, Some(_), None) => Verdict::Printed,
            (_, Some(value), Some(gate)) => {
                if gate.holds(value) {
                    Verdict::Pass
                } else {
                    Verdict::Fail
                }
            }
        }
    }

    fn value_words(&self) -> String {
        match &self.measured {
            Measured::Repeated(samples) => {
                format!("{} (p90 {})", self.unit.words(samples.median()), self.unit.words(samples.p90()))
            }
            _ => self.value().map_or_else(|| "–".to_owned(), |value| self.unit.words(value)),
        }
    }

    fn stretch_words(&self) -> String {
        let Some(limit) = self.stretch else { return String::new() };
        let words = limit.words(self.unit);
        match self.value().filter(|_| self.is_steady()) {
            Some(value) if limit.holds(value) => format!("{words}: met"),
            Some(_) => format!("{words}: not met"),
            None => words,
        }
    }

    fn verdict_words(&self) -> String {
        match (self.verdict(), &self.measured) {
            (Verdict::Pass, _) => "pass".to_owned(),
            (Verdict::Fail, Measured::Broken(why)) => format!("fail: {why}"),
            (Verdict::Fail, _) => "**fail**".to_owned(),
            (Verdict::Unsteady, _) => "no verdict: the machine was busy".to_owned(),
            (Verdict::Skipped, Measured::Skipped(why)) => format!("skipped: {why}"),
            (Verdict::Printed | Verdict::Skipped, _) => String::new(),
        }
    }

    /// The cells of the Markdown table.
    pub(crate) fn cells(&self) -> [String; 6] {
        let gate = self.gate.map(|limit| limit.words(self.unit)).unwrap_or_default();
        [self.id.to_owned(), self.what.clone(), self.value_words(), gate, self.stretch_words(), self.verdict_words()]
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let limit = |limit: Option<Limit>| limit.map(|limit| limit.words(self.unit));
        let samples = match &self.measured {
            Measured::Repeated(samples) => json!({"p50": samples.median(), "p90": samples.p90(), "count": samples.count()}),
            _ => Value::Null,
        };
        json!({
            "id": self.id,
            "what": self.what,
            "value": self.value(),
            "unit": self.unit.symbol(),
            "samples": samples,
            "gate": limit(self.gate),
            "stretch": limit(self.stretch),
            "verdict": self.verdict_words(),
        })
    }
}
