//! Tokens to a checked expression: `or` binds weakest, then `and`, then `not`, then comparisons.

use std::ops::Range;
use std::sync::Arc;

use super::kinds::{At, Kinds};
use super::lexer::{Placed, Token, is_own_word};
use super::{ConditionError, DEPTH_MAX, Expression, Operand, Operator, PARTS_MAX};
use crate::schema::{Field, Resolved, Schema, words_of};
use crate::value::{Value, fold};

/// The expression, and where each of its clauses stands, in the order in which they are written.
pub(super) fn parse(tokens: &[Placed], schema: &Schema, text: &str) -> Result<(Expression, Vec<Range<usize>>), ConditionError> {
    let mut parser = Parser { tokens, next: 0, schema, text, depth: 0, parts: 0, spans: Vec::new() };
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok((expression, parser.spans)),
        Some(_) => Err(parser.error("the condition should end here; join clauses with && or ||")),
    }
}

/// It never goes back, so its work grows with the number of tokens; only brackets make it call itself.
struct Parser<'a> {
    tokens: &'a [Placed],
    next: usize,
    schema: &'a Schema,
    text: &'a str,
    depth: usize,
    parts: usize,
    spans: Vec<Range<usize>>,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, ConditionError> {
        let mut parts = vec![self.all()?];
        while self.take(&Token::Or) {
            parts.push(self.all()?);
        }
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
        let clause = if self.peek() == Some(&Token::Open) { self.bracketed()? } else { self.clause()? };
        Ok(if negations % 2 == 1 { Expression::Not(Box::new(clause)) } else { clause })
    }

    fn bracketed(&mut self) -> Result<Expression, ConditionError> {
        if self.depth == DEPTH_MAX {
            return Err(
                self.error(&format!("a condition nests at most {DEPTH_MAX} deep; leave brackets out or split it into several rules"))
            );
        }
        self.next += 1;
        self.depth += 1;
        let inner = self.any()?;
        self.depth -= 1;
        self.expect(&Token::Close, "`)` is missing here")?;
        Ok(inner)
    }

    fn clause(&mut self) -> Result<Expression, ConditionError> {
        let start = self.at();
        if self.take(&Token::Has) {
            self.expect(&Token::Open, "write has(field)")?;
            let field = self.field()?;
            self.expect(&Token::Close, "`)` is missing after has(…")?;
            return self.stands(start, Expression::Has(field));
        }
        if let Some(named) = self.named(start)? {
            return Ok(named);
        }
        let left = self.operand()?;
        if self.take(&Token::In) {
            let haystack = self.haystack((start, &left))?;
            return self.stands(start, Expression::In { needle: left, haystack });
        }
        if matches!(self.peek(), Some(Token::Operator(_))) {
            return self.comparison(start, left);
        }
        Kinds(self.schema).check_yes_or_no((start, &left))?;
        self.stands(start, Expression::Is(left))
    }

    /// `a < b`, or a chain `a <= b < c` that stands for `a <= b && b < c`.
    fn comparison(&mut self, mut start: usize, mut left: Operand) -> Result<Expression, ConditionError> {
        let mut parts = Vec::new();
        let mut before: Option<Operator> = None;
        while let Some(Token::Operator(operator)) = self.peek() {
            let operator = *operator;
            if before.is_some_and(|before| !before.chains_with(operator)) {
                return Err(self.error("a chain of comparisons goes one way, as in `50 <= x <= 5000`; else join two clauses with &&"));
            }
            self.next += 1;
            let right_at = self.at();
            let right = self.right_of(&left)?;
            Kinds(self.schema).check_comparison((start, &left), operator, (right_at, &right))?;
            let clause = Expression::Compare { left, operator, right: right.clone() };
            parts.push(self.stands(start, clause)?);
            (start, left, before) = (right_at, right, Some(operator));
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::All(parts) })
    }

    /// Notes where a clause stands that ends before the next token.
    fn stands(&mut self, start: usize, clause: Expression) -> Result<Expression, ConditionError> {
        self.count(start)?;
        let end = self.text[..self.at()].trim_end().len();
        self.spans.push(start..end);
        Ok(clause)
    }

    fn count(&mut self, at: usize) -> Result<(), ConditionError> {
        self.parts += 1;
        if self.parts <= PARTS_MAX {
            return Ok(());
        }
        let message = format!("a condition has at most {PARTS_MAX} clauses and list values together; split it into several rules");
        Err(ConditionError::new(at, message))
    }

    /// The right side of a comparison; a word without quotes that `left` can hold is told from a mistyped field.
    fn right_of(&mut self, left: &Operand) -> Result<Operand, ConditionError> {
        match (self.peek(), left) {
            (Some(Token::Path(word)), Operand::Field(field)) if is_word_of(field, word) && self.schema.resolve(word).is_none() => {
                Err(self.error(&in_quotes(word)))
            }
            _ => self.operand(),
        }
    }

    /// A segment or an audience, alone or beside `== true`: the condition of that name stands for it.
    fn named(&mut self, start: usize) -> Result<Option<Expression>, ConditionError> {
        let Some(Token::Path(path)) = self.peek() else { return Ok(None) };
        let Some(condition) = self.schema.named(path) else { return Ok(None) };
        let clause = Expression::Named(Arc::clone(condition));
        self.next += 1;
        let Some(Token::Operator(operator)) = self.peek() else { return self.stands(start, clause).map(Some) };
        let operator = *operator;
        self.next += 1;
        let yes = match (operator, self.peek()) {
            (Operator::Equal, Some(Token::Bool(yes))) => *yes,
            (Operator::NotEqual, Some(Token::Bool(yes))) => !yes,
            _ => return Err(self.error("a segment or an audience is yes or no; write it alone, or after `not`")),
        };
        self.next += 1;
        let clause = self.stands(start, clause)?;
        Ok(Some(if yes { clause } else { Expression::Not(Box::new(clause)) }))
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
                None => Err(ConditionError::new(at, no_such_field(self.schema, path))),
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
            let values = self.list(needle.1)?;
            self.expect(&Token::Close, "the list was opened with `(`; `,` or `)` is missing here")?;
            kinds.check_in_list(needle, &values)?;
            return Ok(list_of(values));
        }
        if self.take(&Token::OpenSquare) {
            let values = self.list(needle.1)?;
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
    fn list(&mut self, needle: &Operand) -> Result<Vec<(usize, Operand)>, ConditionError> {
        let mut values = Vec::new();
        loop {
            let at = self.at();
            self.count(at)?;
            values.push((at, self.list_value(needle)?));
            if !self.take(&Token::Comma) {
                return Ok(values);
            }
        }
    }

    /// A literal, or a word without quotes where all words are known: `funding_stage in (series_a, series_b)`.
    fn list_value(&mut self, needle: &Operand) -> Result<Operand, ConditionError> {
        if let Some(Token::Path(word)) = self.peek() {
            let has_words = matches!(needle, Operand::Field(field) if words_of(field).is_some());
            if has_words {
                let literal = Operand::Literal(Value::text(word));
                self.next += 1;
                return Ok(literal);
            }
            if self.schema.resolve(word).is_none() {
                return Err(self.error(&in_quotes(word)));
            }
        }
        let (at, value) = (self.at(), self.operand()?);
        if matches!(value, Operand::Literal(_)) {
            return Ok(value);
        }
        Err(ConditionError::new(at, "a list holds texts and numbers, such as [\"vp\", \"director\"]"))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token, message: &str) -> Result<(), ConditionError> {
        if self.take(token) { Ok(()) } else { Err(self.error(message)) }
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at)
    }

    fn error(&self, message: &str) -> ConditionError {
        ConditionError::new(self.at(), message)
    }
}

impl Operator {
    /// Whether both stand in one chain: `<` and `<=`, or `>` and `>=`.
    const fn chains_with(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Less | Self::LessOrEqual, Self::Less | Self::LessOrEqual)
                | (Self::Greater | Self::GreaterOrEqual, Self::Greater | Self::GreaterOrEqual)
        )
    }
}

fn is_word_of(field: &Field, word: &str) -> bool {
    words_of(field).is_some_and(|words| words.contains(&&*fold(word)))
}

fn in_quotes(word: &str) -> String {
    format!("`{word}` is a text; write it in quotes: \"{word}\"")
}

/// The language's own words are written in small letters, except for AND, OR, NOT and IN.
fn no_such_field(schema: &Schema, path: &str) -> String {
    let small = path.to_ascii_lowercase();
    if is_own_word(&small) { format!("`{path}` has no meaning in a condition; write `{small}`") } else { schema.no_such_field(path) }
}

fn list_of(values: Vec<(usize, Operand)>) -> Operand {
    let literals = values.into_iter().filter_map(|(_, value)| if let Operand::Literal(value) = value { Some(value) } else { None });
    Operand::List(literals.collect())
}
