//! What a run would come to if something were known that is not, or were otherwise.

use rust_decimal::Decimal;

use crate::config::Config;
use crate::decision::Decision;
use crate::derived;
use crate::merge::weigh;
use crate::observation::{Basis, Observation};
use crate::replay::Moment;
use crate::run::Run;
use crate::schema::{Field, FieldKind, Schema, nearest, words_of};
use crate::units::{BasisPoints, Timestamp};
use crate::value::Value;

/// The source that a supposed value names.
const SOURCE: &str = "what-if";

/// A value that is supposed for a field. `Debug` shows no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supposed {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: Value,
}

/// A run's newest decision, as it stands and as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// Made again from the log alone.
    pub before: Decision,
    /// Made with what is supposed.
    pub after: Decision,
}

impl Supposed {
    /// Reads `company.headcount=300` by the kind of the field.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, String> {
        let example = "write for example company.headcount=300";
        let Some((path, written)) = text.split_once('=') else { return Err(format!("`{text}` supposes nothing; {example}")) };
        let field = schema.field(path.trim())?;
        let written = written.trim();
        if written.is_empty() {
            return Err(format!("`{text}` supposes no value; {example}"));
        }
        let value = value_of(written, &field, schema.kind_of(&field).0)?;
        Ok(Self { field, value })
    }

    /// As if a source that is never wrong had said it at this moment. Merged like any other, it has whatever a fact has.
    fn observation(&self, at: Timestamp) -> Observation {
        Observation {
            field: self.field.clone(),
            value: self.value.clone(),
            source: SOURCE.to_owned(),
            family: SOURCE.to_owned(),
            observed_at: at,
            stated: BasisPoints::ONE,
            basis: Basis::Validated,
        }
    }
}

/// Decides again with values supposed for some fields; the last one of a field counts. Nothing is asked and nothing written.
/// `None` while nothing is decided.
#[must_use]
pub fn what_if(run: &Run, config: &Config, supposed: &[Supposed]) -> Option<WhatIf> {
    let logged = run.decision()?;
    let mut moment = Moment::of(run, config, run.decisions.len() - 1, logged);
    let before = moment.decide();
    // What follows from other facts follows from the supposed ones.
    derived::take_out(&mut moment.facts);
    if let Some(before) = moment.before.as_mut().filter(|_| !supposed.is_empty()) {
        before.news = true;
    }
    for one in supposed {
        let mut facts = weigh([&one.observation(logged.at)], &config.schema, &config.trust, logged.at);
        for fact in facts.values_mut() {
            fact.confidence = BasisPoints::ONE;
        }
        moment.facts.append(&mut facts);
    }
    let said: Vec<Observation> = moment.said.iter().cloned().chain(supposed.iter().map(|one| one.observation(logged.at))).collect();
    derived::add(&mut moment.facts, &said, &config.schema, &config.trust, logged.at);
    Some(WhatIf { before, after: moment.decide() })
}

fn value_of(written: &str, field: &Field, kind: FieldKind) -> Result<Value, String> {
    match kind {
        FieldKind::Number => {
            let number = written.parse::<Decimal>().map_err(|_| format!("`{written}` is no number; {field} takes one, such as 300"))?;
            Ok(Value::Number(number.normalize()))
        }
        FieldKind::Bool => match written.to_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(format!("`{written}` is neither true nor false, which {field} takes")),
        },
        FieldKind::List => Ok(Value::list(written.split(',').map(str::trim))),
        _ => text_of(written, field, kind),
    }
}

fn text_of(written: &str, field: &Field, kind: FieldKind) -> Result<Value, String> {
    let word = written.to_lowercase();
    match words_of(field) {
        Some(words) if words.contains(&word.as_str()) => return Ok(Value::text(word)),
        Some(words) => {
            let advice = match nearest(&word, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", words.join(", ")),
            };
            return Err(format!("{field} is never `{written}`; {advice}"));
        }
        None => {}
    }
    let value = Value::text(written);
    if value.fits(kind) { Ok(value) } else { Err(format!("`{written}` does not fit {field}, which takes {}", example_of(kind))) }
}

const fn example_of(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Date => "a date such as 2026-04-18",
        FieldKind::Url => "an address such as https://acme.io",
        FieldKind::Domain => "a domain such as acme.io",
        FieldKind::Email => "an email address",
        FieldKind::Phone => "a phone number such as +4915112345678",
        _ => "a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Value, String> {
        Supposed::parse(text, &Schema::default()).map(|supposed| supposed.value)
    }

    #[test]
    fn a_value_is_read_by_the_kind_of_its_field() {
        assert_eq!(parsed("company.headcount=300"), Ok(Value::number(300)));
        assert_eq!(parsed("company.tech_stack = kubernetes, aws"), Ok(Value::list(["aws", "kubernetes"])));
        assert_eq!(parsed("email.disposable=True"), Ok(Value::Bool(true)));
        assert_eq!(parsed("contact.seniority=VP"), Ok(Value::text("vp")));
        assert_eq!(parsed("company.domain=acme.io"), Ok(Value::text("acme.io")));
    }

    #[test]
    fn a_mistake_is_answered_with_what_to_write() {
        let wrong = |text: &str| parsed(text).unwrap_err();
        assert_eq!(wrong("company.headcout=300"), "`company.headcout` is not a field; did you mean `company.headcount`?");
        assert_eq!(wrong("company.headcount=many"), "`many` is no number; company.headcount takes one, such as 300");
        assert_eq!(wrong("company.headcount"), "`company.headcount` supposes nothing; write for example company.headcount=300");
        assert_eq!(wrong("company.headcount="), "`company.headcount=` supposes no value; write for example company.headcount=300");
        assert_eq!(wrong("email.disposable=maybe"), "`maybe` is neither true nor false, which email.disposable takes");
        assert!(wrong("contact.seniority=vpp").contains("did you mean `vp`?"), "{}", wrong("contact.seniority=vpp"));
        assert!(wrong("score=5").contains("is the lead's score"), "{}", wrong("score=5"));
        assert!(wrong("company.domain=acme io").contains("a domain such as acme.io"));
    }
}
