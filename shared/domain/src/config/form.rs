//! What is wrong with a document's form, in our own words where the reader's help nobody.

use serde_saphyr::Error;

use super::Finding;
use crate::schema::nearest;

impl Finding {
    /// A document that could not be read. The line stands before the message, so the message does not repeat it.
    #[must_use]
    pub fn of_form(file: &str, error: &Error) -> Self {
        let error = error.without_snippet();
        let Some(location) = error.location() else { return Self::new(file, 0, words(error)) };
        let words = words(error);
        let words = words.strip_suffix(&format!(" at line {}, column {}", location.line(), location.column())).unwrap_or(&words);
        Self::new(file, location.line(), format!("{words} (at column {})", location.column()))
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => format!("there is no key `{field}` here; {}", advice(field, expected)),
        Error::SerdeUnknownVariant { variant, expected, .. } => format!("`{variant}` is not known here; {}", advice(variant, expected)),
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` is written twice; leave one of them"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is written twice; leave one of them".to_owned(),
        other => other.to_string(),
    }
}

fn advice(written: &str, expected: &[&'static str]) -> String {
    match nearest(written, expected.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if expected.is_empty() => "take it out".to_owned(),
        None => format!("write one of: {}", expected.join(", ")),
    }
}
