//! The condition language: parsed and checked once, evaluated in strong Kleene logic (DESIGN §6).
//!
//! ```
//! use domain::condition::{Condition, Truth, View};
//! use domain::schema::Schema;
//!
//! let condition = Condition::parse("company.headcount >= 50 && company.headcount <= 5000", &Schema::default())?;
//! let nothing_known = View::default();
//! assert_eq!(condition.evaluate(&nothing_known), Truth::Unknown, "missing is not zero");
//! # Ok::<(), domain::condition::ConditionError>(())
//! ```

mod clauses;
mod cuts;
mod evaluate;
mod kinds;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use clauses::Clause;
pub(crate) use cuts::{Assumed, Cuts};
pub use evaluate::{Truth, View};

use crate::schema::{Field, Schema, is_name};
use crate::value::Value;

/// A longer condition is refused.
const TEXT_MAX_BYTES: usize = 2000;
/// More brackets within brackets are refused.
const DEPTH_MAX: usize = 20;
/// More clauses and values of lists, counted together, are refused.
const PARTS_MAX: usize = 200;
/// More clauses are refused, those of the segments and audiences that are named counted in.
const CLAUSES_MAX: usize = 1000;
/// A segment that names a segment that names a segment, and so on: a longer chain is refused.
pub(crate) const NAMES_DEPTH_MAX: usize = 10;

/// A condition that names existing fields and compares them with values of their own type.
#[derive(Clone, PartialEq, Eq)]
pub struct Condition {
    text: String,
    expression: Expression,
    /// Where its clauses stand in `text`, in the order in which they are written.
    spans: Vec<Range<usize>>,
    /// The fields that it reads, sorted, each once.
    fields: Vec<Field>,
}

impl Condition {
    /// Parses and checks a condition against the schema.
    ///
    /// # Errors
    /// Says what is wrong, at which column, and what to write instead.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, ConditionError> {
        if text.len() > TEXT_MAX_BYTES {
            return Err(ConditionError::new(0, format!("a condition has at most {TEXT_MAX_BYTES} bytes; split it into several rules")));
        }
        let parsed = lexer::tokens(text).and_then(|tokens| parser::parse(&tokens, schema, text));
        let (expression, spans) = parsed.map_err(|error| error.within(text))?;
        if expression.clauses() > CLAUSES_MAX {
            let message = format!("with the segments it names this condition has more than {CLAUSES_MAX} clauses; name fewer");
            return Err(ConditionError::new(0, message));
        }
        if expression.names_depth() > NAMES_DEPTH_MAX {
            let message = format!("segments name each other at most {NAMES_DEPTH_MAX} deep; write the innermost out");
            return Err(ConditionError::new(0, message));
        }
        let mut fields = Vec::new();
        expression.collect_fields(&mut fields);
        fields.sort();
        fields.dedup();
        Ok(Self { text: text.to_owned(), expression, spans, fields })
    }

    /// The segments and audiences that a text names, such as `segment.enterprise`; none for a text that is no condition.
    pub(crate) fn names_in(text: &str) -> Vec<String> {
        let path = |(_, token)| if let lexer::Token::Path(path) = token { Some(path) } else { None };
        let paths = lexer::tokens(text).unwrap_or_default().into_iter().filter_map(path);
        paths.filter(|path| is_name(path)).collect()
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether both say the same in the same order, however they are written.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.expression == other.expression
    }

    /// Evaluates the condition on what is known.
    #[must_use]
    pub fn evaluate(&self, view: &View<'_>) -> Truth {
        self.expression.evaluate(view)
    }

    /// The fields that the condition reads, sorted, each once.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        self.fields.clone()
    }

    /// The same, to look at.
    pub(crate) fn read_fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether the condition reads the lead's score, which no rule may do before the score exists.
    #[must_use]
    pub fn reads_score(&self) -> bool {
        self.expression.reads_score()
    }

    /// The fields it reads that are not known in `view`: what made it unknown.
    #[must_use]
    pub fn missing(&self, view: &View<'_>) -> Vec<Field> {
        self.fields.iter().filter(|field| view.value(field).is_none()).cloned().collect()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at column {column})")]
pub struct ConditionError {
    /// Byte offset into the text.
    pub at: usize,
    /// Where that is for a reader: the first character stands in column 1, and each character counts once.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl ConditionError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, column: at + 1, message: message.into() }
    }

    /// Counts the column in characters.
    fn within(self, text: &str) -> Self {
        let column = text.char_indices().take_while(|(at, _)| *at < self.at).count() + 1;
        Self { column, ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
    In {
        needle: Operand,
        haystack: Operand,
    },
    Has(Field),
    Is(Operand),
    /// A segment or an audience: another condition by its name.
    Named(Arc<Condition>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    Field(Field),
    Score,
    Literal(Value),
    List(Vec<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::operands).collect(),
            Self::Not(inner) => inner.operands(),
            Self::Compare { left, right, .. } => vec![left, right],
            Self::In { needle, haystack } => vec![needle, haystack],
            Self::Is(operand) => vec![operand],
            Self::Has(_) => Vec::new(),
            Self::Named(condition) => condition.expression.operands(),
        }
    }

    /// How many clauses there are, those of named conditions counted in.
    fn clauses(&self) -> usize {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::clauses).sum(),
            Self::Not(inner) => inner.clauses(),
            Self::Named(condition) => condition.expression.clauses(),
            Self::Compare { .. } | Self::In { .. } | Self::Has(_) | Self::Is(_) => 1,
        }
    }

    /// How many names one has to follow at most to read it.
    fn names_depth(&self) -> usize {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().map(Self::names_depth).max().unwrap_or(0),
            Self::Not(inner) => inner.names_depth(),
            Self::Named(condition) => condition.expression.names_depth() + 1,
            Self::Compare { .. } | Self::In { .. } | Self::Has(_) | Self::Is(_) => 0,
        }
    }

    fn collect_fields(&self, fields: &mut Vec<Field>) {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().for_each(|part| part.collect_fields(fields)),
            Self::Not(inner) => inner.collect_fields(fields),
            Self::Has(field) => fields.push(field.clone()),
            Self::Named(condition) => condition.expression.collect_fields(fields),
            Self::Compare { .. } | Self::In { .. } | Self::Is(_) => {
                fields.extend(
                    self.operands()
                        .into_iter()
                        .filter_map(|operand| if let Operand::Field(field) = operand { Some(field.clone()) } else { None }),
                );
            }
        }
    }

    fn reads_score(&self) -> bool {
        self.operands().into_iter().any(|operand| *operand == Operand::Score)
    }
}
