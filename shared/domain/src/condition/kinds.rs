//! What may stand beside what: kinds, dates and closed vocabularies, checked before a condition is ever evaluated.

use super::{ConditionError, Operand, Operator};
use crate::schema::{Field, FieldKind, Schema, nearest, words_of};
use crate::value::{Value, fold};

/// An operand and the byte offset where it starts.
pub(super) type At<'a> = (usize, &'a Operand);

/// Checks clauses against the kinds of the schema's fields.
#[derive(Clone, Copy)]
pub(super) struct Kinds<'a>(pub(super) &'a Schema);

impl Kinds<'_> {
    /// Two operands around `==`, `<` and their like.
    pub(super) fn check_comparison(self, left: At<'_>, operator: Operator, right: At<'_>) -> Result<(), ConditionError> {
        let (one, other) = (self.shape_beside(left.1, right.1), self.shape_beside(right.1, left.1));
        if one != other {
            let advice = if [one, other].contains(&Shape::List) { "; write `\"word\" in field` for lists" } else { "" };
            return Err(ConditionError::new(left.0, format!("{} cannot be compared with {}{advice}", one.words(), other.words())));
        }
        let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if one == Shape::List || (one == Shape::Bool && is_order) {
            return Err(ConditionError::new(
                left.0,
                format!("{} has no order; write `\"word\" in field` for lists, `field == true` for yes and no", one.words()),
            ));
        }
        self.check_literal(left.1, right)?;
        self.check_literal(right.1, left)
    }

    /// An operand that stands alone.
    pub(super) fn check_yes_or_no(self, (at, operand): At<'_>) -> Result<(), ConditionError> {
        match self.shape(operand) {
            Shape::Bool => Ok(()),
            _ => Err(ConditionError::new(at, "this is not a yes-or-no value; compare it, as in `company.headcount >= 50`")),
        }
    }

    /// `needle in (…)`: every value must be of the needle's kind.
    pub(super) fn check_in_list(self, needle: At<'_>, values: &[(usize, Operand)]) -> Result<(), ConditionError> {
        self.check_needle(needle)?;
        for (at, value) in values {
            let (wanted, found) = (self.shape(needle.1), self.shape_beside(value, needle.1));
            if wanted != found {
                let message =
                    format!("the list holds {} here and `in` follows {}; write values of one kind", found.words(), wanted.words());
                return Err(ConditionError::new(*at, message));
            }
            self.check_literal(needle.1, (*at, value))?;
        }
        Ok(())
    }

    /// `needle in field`: the field must be a list, and lists hold texts.
    pub(super) fn check_in_field(self, needle: At<'_>, (at, field): (usize, &Field)) -> Result<(), ConditionError> {
        self.check_needle(needle)?;
        let haystack = self.shape_of(field);
        if haystack != Shape::List {
            let message =
                format!("`{field}` is {}, not a list; compare it with == or write a list in brackets after `in`", haystack.words());
            return Err(ConditionError::new(at, message));
        }
        match self.shape(needle.1) {
            Shape::Text => Ok(()),
            other => Err(ConditionError::new(
                needle.0,
                format!("`{field}` holds texts and never {}; write a text in quotes, as in `\"aws\" in company.tech_stack`", other.words()),
            )),
        }
    }

    fn check_needle(self, (at, needle): At<'_>) -> Result<(), ConditionError> {
        if *needle == Operand::Score {
            return Err(ConditionError::new(at, "the score cannot stand before `in`; compare it, as in `score >= 60`"));
        }
        if self.shape(needle) == Shape::List {
            return Err(ConditionError::new(at, "a list cannot stand before `in`; write `\"aws\" in company.tech_stack`"));
        }
        Ok(())
    }

    /// A literal beside a field must be something that the field can hold.
    fn check_literal(self, beside: &Operand, (at, operand): At<'_>) -> Result<(), ConditionError> {
        let (Operand::Field(field), Operand::Literal(value @ Value::Text(text))) = (beside, operand) else { return Ok(()) };
        let kind = self.0.kind_of(field).0;
        if kind == FieldKind::Date && !value.fits(kind) {
            return Err(ConditionError::new(at, format!("`{text}` is no date; write one such as \"2026-04-18\"")));
        }
        let Some(words) = words_of(field) else { return Ok(()) };
        let folded = fold(text);
        if words.contains(&&*folded) {
            return Ok(());
        }
        let advice = match nearest(&folded, words.iter().copied()) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("write one of: {}", words.join(", ")),
        };
        Err(ConditionError::new(at, format!("`{field}` is never \"{text}\"; {advice}")))
    }

    /// A text in quotes counts as a date beside a date.
    fn shape_beside(self, operand: &Operand, other: &Operand) -> Shape {
        match (operand, self.shape(operand)) {
            (Operand::Literal(_), Shape::Text) if self.shape(other) == Shape::Date => Shape::Date,
            (_, shape) => shape,
        }
    }

    fn shape(self, operand: &Operand) -> Shape {
        match operand {
            Operand::Score | Operand::Literal(Value::Number(_)) => Shape::Number,
            Operand::Literal(Value::Bool(_)) => Shape::Bool,
            Operand::Literal(Value::Text(_)) => Shape::Text,
            Operand::List(_) | Operand::Literal(Value::List(_)) => Shape::List,
            Operand::Field(field) => self.shape_of(field),
        }
    }

    fn shape_of(self, field: &Field) -> Shape {
        match self.0.kind_of(field).0 {
            FieldKind::Number => Shape::Number,
            FieldKind::Bool => Shape::Bool,
            FieldKind::List => Shape::List,
            FieldKind::Date => Shape::Date,
            FieldKind::Text | FieldKind::Word | FieldKind::Url | FieldKind::Domain => Shape::Text,
            FieldKind::Email | FieldKind::Phone | FieldKind::CompanyName | FieldKind::Title => Shape::Text,
        }
    }
}

/// What kinds of values compare with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Bool,
    Number,
    Text,
    Date,
    List,
}

impl Shape {
    const fn words(self) -> &'static str {
        match self {
            Self::Bool => "a yes-or-no value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Date => "a date",
            Self::List => "a list",
        }
    }
}
