//! Text to tokens.

use rust_decimal::Decimal;

use super::{ConditionError, Operator};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Path(String),
    Text(String),
    Number(Decimal),
    Bool(bool),
    Operator(Operator),
    And,
    Or,
    Not,
    In,
    Has,
    Open,
    Close,
    OpenSquare,
    CloseSquare,
    Comma,
}

/// A token and the byte offset where it starts.
pub(super) type Placed = (usize, Token);

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ConditionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = token(&text[at..], first).map_err(|message| ConditionError::new(at, message))?;
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

fn token(rest: &str, first: char) -> Result<(Token, usize), String> {
    const SYMBOLS: &[(&str, Token)] = &[
        ("&&", Token::And),
        ("||", Token::Or),
        ("==", Token::Operator(Operator::Equal)),
        ("!=", Token::Operator(Operator::NotEqual)),
        ("<=", Token::Operator(Operator::LessOrEqual)),
        (">=", Token::Operator(Operator::GreaterOrEqual)),
        ("=", Token::Operator(Operator::Equal)),
        ("<", Token::Operator(Operator::Less)),
        (">", Token::Operator(Operator::Greater)),
        ("!", Token::Not),
        ("(", Token::Open),
        ("[", Token::OpenSquare),
        (")", Token::Close),
        ("]", Token::CloseSquare),
        (",", Token::Comma),
    ];
    if let Some((symbol, token)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Ok((token.clone(), symbol.len()));
    }
    match first {
        '"' | '\'' => quoted(rest, first),
        '0'..='9' | '-' => number(rest),
        'a'..='z' | 'A'..='Z' | '_' => Ok(word(rest)),
        other => Err(format!("`{other}` has no meaning in a condition")),
    }
}

fn quoted(rest: &str, quote: char) -> Result<(Token, usize), String> {
    let inner = &rest[1..];
    let end = inner.find(quote).ok_or_else(|| format!("this text has no closing {quote}"))?;
    Ok((Token::Text(inner[..end].to_owned()), end + 2))
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let length = rest.char_indices().skip(1).find(|(_, c)| !c.is_ascii_digit() && *c != '.').map_or(rest.len(), |(i, _)| i);
    let digits = &rest[..length];
    let number = digits.parse::<Decimal>().map_err(|_| format!("`{digits}` is not a number"))?;
    Ok((Token::Number(number.normalize()), length))
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
    let word = &rest[..length];
    let token = match word {
        "and" | "AND" => Token::And,
        "or" | "OR" => Token::Or,
        "not" | "NOT" => Token::Not,
        "in" | "IN" => Token::In,
        "has" => Token::Has,
        "true" => Token::Bool(true),
        "false" => Token::Bool(false),
        path => Token::Path(path.to_owned()),
    };
    (token, length)
}
