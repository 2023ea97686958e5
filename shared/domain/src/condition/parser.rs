//! Tokens to a checked expression: `or` binds weakest, then `and`, then `not`, then comparisons.

use super::kinds::{At, Kinds};
use super::lexer::{Placed, Token};
use super::{ConditionError, DEPTH_MAX, Expression, Operand, Operator};
use crate::schema::{Field, Resolved, Schema};
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
        let (at, left) = (self.at(), self.operand()?);
        if self.take(&Token::In) {
            let haystack = self.haystack((at, &left))?;
            return Ok(Expression::In { needle: left, haystack });
        }
        if let Some(operator) = self.take_operator() {
            let (right_at, right) = (self.at(), self.operand()?);
            Kinds(self.schema).check_comparison((at, &left), operator, (right_at, &right))?;
            return Ok(Expression::Compare { left, operator, right });
        }
        Kinds(self.schema).check_yes_or_no((at, &left))?;
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
            | Token::OpenSquare
            | Token::CloseSquare
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

    fn haystack(&mut self, needle: At<'_>) -> Result<Operand, ConditionError> {
        let kinds = Kinds(self.schema);
        if self.take(&Token::Open) {
            let values = self.list()?;
            self.expect(&Token::Close, "the list was opened with `(`; `,` or `)` is missing here")?;
            kinds.check_in_list(needle, &values)?;
            return Ok(list_of(values));
        }
        if self.take(&Token::OpenSquare) {
            let values = self.list()?;
            self.expect(&Token::CloseSquare, "the list was opened with `[`; `,` or `]` is missing here")?;
            kinds.check_in_list(needle, &values)?;
            return Ok(list_of(values));
        }
        let at = self.at();
        let Operand::Field(field) = self.operand()? else {
            return Err(ConditionError::new(
                at,
                "`in` is followed by a list in brackets, such as (\"vp\", \"director\"), or by a list field",
            ));
        };
        kinds.check_in_field(needle, (at, &field))?;
        Ok(Operand::Field(field))
    }

    /// The values of a list up to its closing bracket, each with its offset.
    fn list(&mut self) -> Result<Vec<(usize, Operand)>, ConditionError> {
        let mut values = Vec::new();
        loop {
            let (at, value) = (self.at(), self.operand()?);
            if !matches!(value, Operand::Literal(_)) {
                return Err(ConditionError::new(at, "a list holds texts and numbers, such as [\"vp\", \"director\"]"));
            }
            values.push((at, value));
            if !self.take(&Token::Comma) {
                return Ok(values);
            }
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

fn list_of(values: Vec<(usize, Operand)>) -> Operand {
    let literals = values.into_iter().filter_map(|(_, value)| if let Operand::Literal(value) = value { Some(value) } else { None });
    Operand::List(literals.collect())
}

#[cfg(test)]
mod tests {
    use crate::condition::Condition;
    use crate::schema::Schema;

    #[test]
    fn mistakes_are_refused_with_column_and_advice() {
        let schema = Schema::default();
        for (text, said) in [
            ("company.headcont > 5", "did you mean `company.headcount`? (at column 1)"),
            ("company.headcount > \"many\"", "a number cannot be compared with a text (at column 1)"),
            ("company.headcount >", "is missing here (at column 20)"),
            ("(phone.valid", "`)` is missing here (at column 13)"),
            ("company.name == \"Acme", "no closing \" (at column 17)"),
            ("company.headcount", "is not a yes-or-no value"),
            ("phone.valid phone.valid", "join clauses with && or ||"),
            ("company.headcount > 5 # x", "`#` has no meaning"),
            ("has(5)", "has() takes a field"),
            ("", "is missing here (at column 1)"),
            (
                "company.headcount in (\"a\", \"b\")",
                "the list holds a text here and `in` follows a number; write values of one kind (at column 23)",
            ),
            ("company.headcount in (50, \"b\")", "write values of one kind (at column 27)"),
            (
                "contact.seniority in (\"vp\", true)",
                "the list holds a yes-or-no value here and `in` follows a text; write values of one kind (at column 29)",
            ),
            (
                "\"aws\" in company.cms",
                "`company.cms` is a text, not a list; compare it with == or write a list in brackets after `in` (at column 10)",
            ),
            ("\"aws\" in company.headcount", "`company.headcount` is a number, not a list"),
            ("true in company.tech_stack", "`company.tech_stack` holds texts and never a yes-or-no value; write a text in quotes"),
            ("5 in company.tech_stack", "never a number; write a text in quotes"),
            (
                "company.analytics in company.tech_stack",
                "a list cannot stand before `in`; write `\"aws\" in company.tech_stack` (at column 1)",
            ),
            ("company.tech_stack in (\"aws\")", "a list cannot stand before `in`"),
            ("score in (60)", "the score cannot stand before `in`; compare it, as in `score >= 60` (at column 1)"),
            ("score in company.tech_stack", "the score cannot stand before `in`"),
            ("\"vp\" in score", "`in` is followed by a list in brackets, such as (\"vp\", \"director\"), or by a list field (at column 9)"),
            ("\"vp\" in \"vp\"", "`in` is followed by a list in brackets"),
            ("company.last_funding_at > \"last year\"", "`last year` is no date; write one such as \"2026-04-18\" (at column 27)"),
            ("\"2026-02-30\" < company.last_funding_at", "`2026-02-30` is no date; write one such as \"2026-04-18\" (at column 1)"),
            ("company.last_funding_at in (\"2026-01-01\", \"soon\")", "`soon` is no date"),
            ("company.last_funding_at > 2025", "a date cannot be compared with a number"),
            ("company.last_funding_at > company.name", "a date cannot be compared with a text"),
            ("contact.seniority in (\"vp\"]", "the list was opened with `(`; `,` or `)` is missing here (at column 27)"),
            ("contact.seniority in [\"vp\")", "the list was opened with `[`; `,` or `]` is missing here (at column 27)"),
            ("(phone.valid]", "`)` is missing here (at column 13)"),
            ("has[contact.phone]", "write has(field) (at column 4)"),
            (
                "signup.arrival == \"demo_requst\"",
                "`signup.arrival` is never \"demo_requst\"; did you mean \"demo_request\"? (at column 19)",
            ),
            (
                "email.kind in (\"work\", \"privat\")",
                "`email.kind` is never \"privat\"; write one of: work, personal, disposable, role (at column 24)",
            ),
            ("\"direktor\" = person.seniority", "`contact.seniority` is never \"direktor\"; did you mean \"director\"? (at column 1)"),
            ("phone.type != \"voipp\"", "did you mean \"voip\"? (at column 15)"),
            (
                "company.funding_stage in (\"series-b\")",
                "`company.funding_stage` is never \"series-b\"; did you mean \"series_b\"? (at column 27)",
            ),
        ] {
            let error = Condition::parse(text, &schema).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
