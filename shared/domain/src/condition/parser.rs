//! Tokens to a checked expression: `or` binds weakest, then `and`, then `not`, then comparisons.

use super::lexer::{Placed, Token};
use super::{ConditionError, DEPTH_MAX, Expression, Operand, Operator};
use crate::schema::{Field, FieldKind, Resolved, Schema};
use crate::value::Value;

pub(super) fn parse(tokens: &[Placed], schema: &Schema, end: usize) -> Result<Expression, ConditionError> {
    let mut parser = Parser { tokens, next: 0, schema, end, depth: 0 };
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.error("the condition should end here; join clauses with && or ||")),
    }
}

struct Parser<'a> {
    tokens: &'a [Placed],
    next: usize,
    schema: &'a Schema,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, ConditionError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("a condition nests at most 20 deep"));
        }
        let mut parts = vec![self.all()?];
        while self.take(&Token::Or) {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, ConditionError> {
        let mut parts = vec![self.not()?];
        while self.take(&Token::And) {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::All(parts) })
    }

    fn not(&mut self) -> Result<Expression, ConditionError> {
        let mut negations = 0;
        while self.take(&Token::Not) {
            negations += 1;
        }
        let clause = self.clause()?;
        Ok(if negations % 2 == 1 { Expression::Not(Box::new(clause)) } else { clause })
    }

    fn clause(&mut self) -> Result<Expression, ConditionError> {
        if self.take(&Token::Open) {
            let inner = self.any()?;
            self.expect(&Token::Close, "`)` is missing here")?;
            return Ok(inner);
        }
        if self.take(&Token::Has) {
            self.expect(&Token::Open, "write has(field)")?;
            let field = self.field()?;
            self.expect(&Token::Close, "`)` is missing after has(…")?;
            return Ok(Expression::Has(field));
        }
        let at = self.at();
        let left = self.operand()?;
        if self.take(&Token::In) {
            let haystack = self.haystack()?;
            return Ok(Expression::In { needle: left, haystack });
        }
        if let Some(operator) = self.take_operator() {
            let right = self.operand()?;
            self.check_kinds(at, &left, operator, &right)?;
            return Ok(Expression::Compare { left, operator, right });
        }
        self.check_is_bool(at, &left)?;
        Ok(Expression::Is(left))
    }

    fn operand(&mut self) -> Result<Operand, ConditionError> {
        let at = self.at();
        let Some((_, token)) = self.tokens.get(self.next) else {
            return Err(self.error("a field, a number or a text is missing here"));
        };
        self.next += 1;
        match token {
            Token::Text(text) => Ok(Operand::Literal(Value::text(text))),
            Token::Number(number) => Ok(Operand::Literal(Value::Number(*number))),
            Token::Bool(yes) => Ok(Operand::Literal(Value::Bool(*yes))),
            Token::Path(path) => match self.schema.resolve(path) {
                Some(Resolved::Field(field)) => Ok(Operand::Field(field)),
                Some(Resolved::Score) => Ok(Operand::Score),
                None => Err(ConditionError::new(at, self.schema.no_such_field(path))),
            },
            Token::Operator(_)
            | Token::And
            | Token::Or
            | Token::Not
            | Token::In
            | Token::Has
            | Token::Open
            | Token::Close
            | Token::Comma => Err(ConditionError::new(at, "a field, a number or a text is missing here")),
        }
    }

    fn field(&mut self) -> Result<Field, ConditionError> {
        let at = self.at();
        match self.operand()? {
            Operand::Field(field) => Ok(field),
            Operand::Score | Operand::Literal(_) | Operand::List(_) => {
                Err(ConditionError::new(at, "has() takes a field, such as has(contact.phone)"))
            }
        }
    }

    fn haystack(&mut self) -> Result<Operand, ConditionError> {
        if !self.take(&Token::Open) {
            return self.field().map(Operand::Field);
        }
        let mut values = Vec::new();
        loop {
            let at = self.at();
            let Operand::Literal(value) = self.operand()? else {
                return Err(ConditionError::new(at, "a list holds texts and numbers, such as [\"vp\", \"director\"]"));
            };
            values.push(value);
            if !self.take(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::Close, "the list has no closing bracket")?;
        Ok(Operand::List(values))
    }

    fn check_kinds(&self, at: usize, left: &Operand, operator: Operator, right: &Operand) -> Result<(), ConditionError> {
        let (Some(left), Some(right)) = (self.shape(left), self.shape(right)) else { return Ok(()) };
        if left != right {
            return Err(ConditionError::new(at, format!("{} cannot be compared with {}", left.words(), right.words())));
        }
        let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if left == Shape::List || (left == Shape::Bool && is_order) {
            return Err(ConditionError::new(
                at,
                format!("{} has no order; write `\"word\" in field` for lists, `field == true` for yes and no", left.words()),
            ));
        }
        Ok(())
    }

    fn check_is_bool(&self, at: usize, operand: &Operand) -> Result<(), ConditionError> {
        match self.shape(operand) {
            Some(Shape::Bool) => Ok(()),
            _ => Err(ConditionError::new(at, "this is not a yes-or-no value; compare it, as in `company.headcount >= 50`")),
        }
    }

    fn shape(&self, operand: &Operand) -> Option<Shape> {
        match operand {
            Operand::Score => Some(Shape::Number),
            Operand::List(_) => None,
            Operand::Literal(Value::Bool(_)) => Some(Shape::Bool),
            Operand::Literal(Value::Number(_)) => Some(Shape::Number),
            Operand::Literal(Value::Text(_)) => Some(Shape::Text),
            Operand::Literal(Value::List(_)) => Some(Shape::List),
            Operand::Field(field) => Some(match self.schema.kind_of(field).0 {
                FieldKind::Number => Shape::Number,
                FieldKind::Bool => Shape::Bool,
                FieldKind::List => Shape::List,
                FieldKind::Text | FieldKind::Word | FieldKind::Date | FieldKind::Url | FieldKind::Domain => Shape::Text,
                FieldKind::Email | FieldKind::Phone | FieldKind::CompanyName | FieldKind::Title => Shape::Text,
            }),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    fn take_operator(&mut self) -> Option<Operator> {
        let Some(Token::Operator(operator)) = self.peek() else { return None };
        let operator = *operator;
        self.next += 1;
        Some(operator)
    }

    fn expect(&mut self, token: &Token, message: &str) -> Result<(), ConditionError> {
        if self.take(token) { Ok(()) } else { Err(self.error(message)) }
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn error(&self, message: &str) -> ConditionError {
        ConditionError::new(self.at(), message)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Bool,
    Number,
    Text,
    List,
}

impl Shape {
    const fn words(self) -> &'static str {
        match self {
            Self::Bool => "a yes-or-no value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
        }
    }
}
