//! Strong Kleene evaluation: an unknown clause leaves the whole open unless the rest settles it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::cuts::Assumed;
use super::{Expression, Operand, Operator};
use crate::merge::Facts;
use crate::schema::Field;
use crate::units::BasisPoints;
use crate::value::{Value, fold};

/// The three answers of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on something not known.
    Unknown,
}

impl Truth {
    const fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// What a condition can see: the facts, the fields that may still be supplied, and the score where it exists.
#[derive(Clone, Debug, Default)]
pub struct View<'a> {
    facts: Option<&'a Facts>,
    floor: BasisPoints,
    open: Cow<'a, BTreeSet<Field>>,
    hides_open: bool,
    assumed: &'a [Assumed<'a>],
    only_told: bool,
    pub(super) score: Option<(i64, i64)>,
}

impl<'a> View<'a> {
    /// Sees these facts; no further field can arrive and there is no score.
    #[must_use]
    pub fn of(facts: &'a Facts) -> Self {
        Self { facts: Some(facts), ..Self::default() }
    }

    /// Sees only facts of at least this confidence: a weak value is not a known value (S3-45).
    #[must_use]
    pub fn with_floor(mut self, floor: BasisPoints) -> Self {
        self.floor = floor;
        self
    }

    /// Lets `has` answer unknown for fields that a remaining step could supply.
    #[must_use]
    pub fn with_open(mut self, open: impl IntoIterator<Item = Field>) -> Self {
        self.open = Cow::Owned(open.into_iter().collect());
        self
    }

    /// Sees no value of a field that is still open, whatever is known of it so far: an answer may overturn it.
    pub(crate) fn hiding(mut self, open: &'a BTreeSet<Field>) -> Self {
        (self.open, self.hides_open) = (Cow::Borrowed(open), true);
        self
    }

    /// The same view with some values taken for granted.
    pub(crate) fn assuming<'b>(&'b self, assumed: &'b [Assumed<'b>]) -> View<'b> {
        View { open: Cow::Borrowed(&self.open), assumed, ..*self }
    }

    /// Takes only those values for granted that somebody told.
    pub(crate) fn only_told(mut self) -> Self {
        self.only_told = true;
        self
    }

    /// Lets conditions read the score, an interval of points.
    #[must_use]
    pub fn with_score(mut self, low: i64, high: i64) -> Self {
        self.score = Some((low, high));
        self
    }

    /// What is known of a field.
    #[must_use]
    pub fn value(&self, field: &Field) -> Option<&'a Value> {
        if let Some(assumed) = self.assumed.iter().find(|assumed| assumed.field == field) {
            return (assumed.is_present || !self.only_told).then_some(assumed.value);
        }
        if self.hides_open && self.open.contains(field) {
            return None;
        }
        let fact = self.facts?.get(field).filter(|fact| fact.confidence >= self.floor)?;
        Some(&fact.value)
    }

    fn has(&self, field: &Field) -> Truth {
        if let Some(assumed) = self.assumed.iter().find(|assumed| assumed.field == field) {
            return Truth::of(assumed.is_present);
        }
        if self.value(field).is_some() {
            Truth::True
        } else if self.open.contains(field) {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    fn operand<'b>(&'b self, operand: &'b Operand) -> Option<&'b Value> {
        match operand {
            Operand::Field(field) => self.value(field),
            Operand::Literal(value) => Some(value),
            Operand::Score | Operand::List(_) => None,
        }
    }
}

impl Expression {
    pub(super) fn evaluate(&self, view: &View<'_>) -> Truth {
        match self {
            Self::Any(parts) => settle(parts, view, Truth::True),
            Self::All(parts) => settle(parts, view, Truth::False),
            Self::Not(inner) => inner.evaluate(view).not(),
            Self::Has(field) => view.has(field),
            Self::Is(operand) => match view.operand(operand) {
                Some(value) => Truth::of(*value == Value::Bool(true)),
                None => Truth::Unknown,
            },
            Self::Compare { left: Operand::Score, operator, right } => compare_score(view, *operator, right),
            Self::Compare { left, operator, right: Operand::Score } => compare_score(view, operator.mirrored(), left),
            Self::Compare { left, operator, right } => match (view.operand(left), view.operand(right)) {
                (Some(left), Some(right)) => left.compare(right).map_or(Truth::False, |order| Truth::of(operator.holds(order))),
                _ => Truth::Unknown,
            },
            Self::In { needle, haystack } => contains(view, needle, haystack),
            Self::Named(condition) => condition.evaluate(view),
        }
    }
}

/// One clause that equals `settling` settles the whole; else one unknown leaves it open.
fn settle(parts: &[Expression], view: &View<'_>, settling: Truth) -> Truth {
    let mut open = false;
    for part in parts {
        match part.evaluate(view) {
            truth if truth == settling => return settling,
            Truth::Unknown => open = true,
            Truth::True | Truth::False => {}
        }
    }
    if open { Truth::Unknown } else { settling.not() }
}

fn contains(view: &View<'_>, needle: &Operand, haystack: &Operand) -> Truth {
    let Some(needle) = view.operand(needle) else { return Truth::Unknown };
    if let Operand::List(values) = haystack {
        return Truth::of(values.iter().any(|value| value.compare(needle) == Some(Ordering::Equal)));
    }
    match (view.operand(haystack), needle) {
        (Some(Value::List(words)), Value::Text(wanted)) => {
            let wanted = fold(wanted);
            Truth::of(words.iter().any(|word| fold(word) == wanted))
        }
        (Some(_), _) => Truth::False,
        (None, _) => Truth::Unknown,
    }
}

fn compare_score(view: &View<'_>, operator: Operator, other: &Operand) -> Truth {
    let (Some((low, high)), Some(bound)) = (view.score, view.operand(other).and_then(Value::as_number)) else { return Truth::Unknown };
    let holds = |points: i64| operator.holds(Decimal::from(points).cmp(&bound));
    if operator == Operator::Equal || operator == Operator::NotEqual {
        let outside = bound < Decimal::from(low) || bound > Decimal::from(high);
        return if low == high || outside { Truth::of(holds(low)) } else { Truth::Unknown };
    }
    // An order over an interval is decided exactly when both its ends agree.
    if holds(low) == holds(high) { Truth::of(holds(low)) } else { Truth::Unknown }
}

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::merge::Fact;
    use crate::schema::Schema;
    use crate::units::Timestamp;

    fn facts(known: &[(&str, Value)]) -> Facts {
        let fact = |value: &Value| Fact {
            value: value.clone(),
            confidence: BasisPoints::ONE,
            sources: vec!["test".into()],
            confirmations: 1,
            observed_at: Timestamp::from_millis(0),
            conflicts: vec![],
            checks: vec![],
        };
        known.iter().map(|(path, value)| (Schema::default().field(path).unwrap(), fact(value))).collect()
    }

    fn parse(text: &str) -> Condition {
        Condition::parse(text, &Schema::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn conditions_of_the_source_documents_hold_where_they_should() {
        let known = facts(&[
            ("company.headcount", Value::number(200)),
            ("company.funding_stage", Value::text("series_b")),
            ("company.tech_stack", Value::list(["aws", "react"])),
            ("contact.seniority", Value::text("VP")),
            ("phone.valid", Value::Bool(true)),
            ("phone.type", Value::text("mobile")),
            ("loan_amount", Value::number(150_000)),
            ("company.last_funding_at", Value::text("2026-04-18T10:00:00Z")),
            ("company.cms", Value::text("React")),
        ]);
        let view = View::of(&known).with_score(70, 80);
        for text in [
            "company.headcount >= 50 && company.headcount <= 5000",
            "company.funding_stage in (\"series_a\", \"series_b\", \"series_c\")",
            "\"kubernetes\" in company.tech_stack or \"aws\" in company.tech_stack",
            "person.seniority in ['director', 'vp', 'c_level']",
            "loan_amount > 100000 OR lead_score > 80 OR source.type = \"exclusive\"",
            "phone.valid = true",
            "phone.type != \"voip\"",
            "phone.type in (\"Mobile\", \"landline\")",
            "company.last_funding_at >= \"2026-01-01\"",
            "company.last_funding_at > \"2026-04-18T09:00:00Z\"",
            "company.headcount in (100, 200)",
            "company.cms in company.tech_stack",
            "score >= 60",
            "60 <= score",
            "!(company.headcount > 5000) and has(contact.seniority)",
        ] {
            assert_eq!(parse(text).evaluate(&view), Truth::True, "{text}");
        }
    }

    #[test]
    fn missing_is_neither_true_nor_false() {
        let nothing = View::default();
        assert_eq!(parse("company.headcount < 50").evaluate(&nothing), Truth::Unknown);
        assert_eq!(parse("company.headcount >= 50").evaluate(&nothing), Truth::Unknown);
        assert_eq!(parse("phone.valid && false").evaluate(&nothing), Truth::False, "one false clause settles an and");
        assert_eq!(parse("phone.valid || true").evaluate(&nothing), Truth::True, "one true clause settles an or");
    }

    #[test]
    fn has_is_unknown_only_while_a_step_could_still_supply_the_field() {
        let condition = parse("has(contact.phone)");
        assert_eq!(condition.evaluate(&View::default()), Truth::False);
        assert_eq!(condition.evaluate(&View::default().with_open([Field::known("contact.phone")])), Truth::Unknown);
    }

    #[test]
    fn a_score_between_the_bounds_is_unknown() {
        assert_eq!(parse("score >= 60").evaluate(&View::default().with_score(55, 75)), Truth::Unknown);
        assert_eq!(parse("score == 50").evaluate(&View::default().with_score(55, 75)), Truth::False);
    }
}
