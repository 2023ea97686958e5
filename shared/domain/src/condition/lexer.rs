//! Text to tokens.

use rust_decimal::Decimal;

use super::{ConditionError, Operator};

/// A number of this many digits always fits; some of one digit more do as well.
const DIGITS_MAX: usize = 28;

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
        '0'..='9' | '-' | '.' => number(rest),
        'a'..='z' | 'A'..='Z' | '_' => Ok(word(rest)),
        other => Err(no_meaning(other)),
    }
}

fn no_meaning(sign: char) -> String {
    let advice = match sign {
        '&' => "; write && or `and`",
        '|' => "; write || or `or`",
        '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '`' => "; write texts in straight quotes, as in \"vp\"",
        '+' | '*' | '/' | '%' => ": it compares and does not calculate; write the result",
        '≤' | '≥' | '≠' => "; write <=, >= or !=",
        _ => "",
    };
    format!("`{sign}` has no meaning in a condition{advice}")
}

fn quoted(rest: &str, quote: char) -> Result<(Token, usize), String> {
    let inner = &rest[1..];
    let end = inner.find(quote).ok_or_else(|| format!("this text has no closing {quote}"))?;
    Ok((Token::Text(inner[..end].to_owned()), end + 2))
}

/// Digits, at most one point between them, a minus before them: what a decimal holds exactly, and nothing else.
fn number(rest: &str) -> Result<(Token, usize), String> {
    let unsigned = rest.strip_prefix('-').unwrap_or(rest);
    let length = unsigned.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(unsigned.len());
    let written = &rest[..rest.len() - unsigned.len() + length];
    let (whole, places) = unsigned[..length].split_once('.').map_or((&unsigned[..length], None), |(whole, places)| (whole, Some(places)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !places.is_none_or(is_digits) {
        return Err(no_number(written));
    }
    // `parse` would round what does not fit.
    let number = Decimal::from_str_exact(written).map_err(|_| {
        format!("`{}` has more digits than a number can hold; write at most {DIGITS_MAX} digits, places included", shortened(written))
    })?;
    Ok((Token::Number(number.normalize()), written.len()))
}

fn no_number(written: &str) -> String {
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let is_exponent = unsigned.split_once(['e', 'E']).is_some_and(|(digits, _)| digits.ends_with(|c: char| c.is_ascii_digit()));
    let advice = if unsigned.is_empty() {
        "a minus stands before digits only, as in -5; a condition does not calculate"
    } else if unsigned.starts_with('.') {
        "write a digit before the point, as in 0.5"
    } else if unsigned.ends_with('.') {
        "write a digit after the point, as in 5.0"
    } else if unsigned.contains('_') {
        "write the digits without underscores, as in 100000"
    } else if is_exponent {
        "write the digits out, as in 1000 for 1e3"
    } else {
        "write digits with at most one point, as in 0.15"
    };
    format!("`{}` is not a number; {advice}", shortened(written))
}

/// As much of a long word as helps to find it.
fn shortened(written: &str) -> String {
    const SHOWN: usize = 40;
    if written.len() <= SHOWN { written.to_owned() } else { format!("{}…", written.chars().take(SHOWN).collect::<String>()) }
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

/// Whether a word belongs to the language and can name no field.
pub(super) fn is_own_word(written: &str) -> bool {
    !matches!(word(written).0, Token::Path(_))
}
