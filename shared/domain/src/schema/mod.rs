//! The canonical schema: every field a contact, an account or a lead can carry, its type and how fast it ages.

mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::condition::Condition;

use fields::{ALIASES, FIELDS, PREFIX_ALIASES, RESERVED, SCORE_NAMES, VOCABULARIES};

/// The kinds of record (S0-01). A lead carries the fields of both others (S0-53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A person.
    Contact,
    /// A company.
    Account,
    /// A person with their company, or the signup itself.
    Lead,
}

impl Entity {
    /// All kinds of record.
    pub const ALL: [Self; 3] = [Self::Contact, Self::Account, Self::Lead];

    /// The entity whose fields an operation of this class supplies: what its credits are spent on (S0-72).
    #[must_use]
    pub const fn of_class(class: FieldClass) -> Self {
        match class {
            FieldClass::Company => Self::Account,
            FieldClass::Person | FieldClass::Phone => Self::Contact,
            FieldClass::Check => Self::Lead,
        }
    }

    /// The word used in usage counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Account => "account",
            Self::Lead => "lead",
        }
    }
}

/// The type of a field's value; it decides how two sources are compared and what a condition may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Free text.
    Text,
    /// A word out of a small set, such as `series_a` or `vp`.
    Word,
    /// A decimal number.
    Number,
    /// Yes or no.
    Bool,
    /// A set of words.
    List,
    /// A calendar date, `2026-04-18`, optionally with a time.
    Date,
    /// A web address.
    Url,
    /// A registrable domain.
    Domain,
    /// An email address.
    Email,
    /// A phone number in E.164 form.
    Phone,
    /// A company's name; legal forms do not count when names are compared.
    CompanyName,
    /// A job title.
    Title,
}

/// How fast a field ages and how long it counts as fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// About a person: job, seniority, profile.
    Person,
    /// About a company: size, funding, technology.
    Company,
    /// A check of a phone number.
    Phone,
    /// A check of an address, consent, suppression, risk: anything of the moment.
    Check,
}

/// One field of the canonical schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Where it stands, such as `company.headcount`.
    pub path: Cow<'static, str>,
    /// What it holds.
    pub kind: FieldKind,
    /// How it ages.
    pub class: FieldClass,
}

/// The path of a field of the schema, such as `company.headcount`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Field(Cow<'static, str>);

impl Field {
    /// Names a field that is known to stand in the schema; the schema's tests keep the constants below honest.
    #[must_use]
    pub const fn known(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four channels a person can be reached by (S1-08), and the spellings of them that providers fill.
const CHANNELS: &[&str] = &[
    "contact.work_email",
    "contact.personal_email",
    "contact.phone",
    "contact.direct_phone",
    "contact.mobile_phone",
    "contact.linkedin_url",
];

/// Whether a field is a channel, which some vendors charge for one by one (S1-12).
#[must_use]
pub fn is_channel(field: &Field) -> bool {
    CHANNELS.contains(&field.as_str())
}

/// All words that a field of a closed vocabulary can hold; `None` for a field that can hold others.
#[must_use]
pub fn words_of(field: &Field) -> Option<&'static [&'static str]> {
    VOCABULARIES.iter().find(|(path, _)| *path == field.as_str()).map(|(_, words)| *words)
}

/// The name most like a mistyped one; `None` when none is close.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    likeness.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// What the paths of segments and audiences begin with, and the word for each.
const NAMED: &[(&str, &str)] = &[("segment.", "segment"), ("audience.", "audience")];

/// Whether a path names a segment or an audience rather than a field, such as `segment.enterprise`.
pub(crate) fn is_name(path: &str) -> bool {
    NAMED.iter().any(|(prefix, _)| path.starts_with(prefix))
}

/// The canonical fields in order of their paths, to be found by halving.
static BY_PATH: LazyLock<Vec<(&str, FieldKind, FieldClass)>> = LazyLock::new(|| {
    let mut fields = FIELDS.to_vec();
    fields.sort_unstable_by_key(|(path, ..)| *path);
    fields
});

/// The schema in force: the canonical fields, the custom ones that configuration declares, and the conditions it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    custom: BTreeMap<String, FieldSpec>,
    named: BTreeMap<String, Arc<Condition>>,
}

/// What a written path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A field of the schema.
    Field(Field),
    /// The lead's score, an interval.
    Score,
}

impl Schema {
    /// Adds a custom field such as `loan_tier`; a canonical field keeps its own type.
    ///
    /// # Errors
    /// Refuses a name that is taken already, by a canonical field, the score or the condition language, and one that is
    /// not lower-case words joined by dots and underscores with a letter first: no condition could read it.
    pub fn declare(&mut self, path: &str, kind: FieldKind) -> Result<(), String> {
        if self.spec(path).is_some() {
            return Err(format!("`{path}` is a field already; custom fields need a name of their own"));
        }
        if SCORE_NAMES.contains(&path) {
            return Err(format!("`{path}` is the lead's score in conditions; custom fields need a name of their own"));
        }
        if RESERVED.contains(&path) {
            return Err(format!("`{path}` is a word of the condition language; custom fields need a name of their own"));
        }
        if is_name(path) {
            return Err(format!("`{path}` would be a segment or an audience; custom fields need a name of their own"));
        }
        let is_name = path.starts_with(|c: char| c.is_ascii_lowercase())
            && path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        if !is_name {
            return Err(format!(
                "`{path}` is not a field name; begin with a letter and write lower-case words joined by dots and underscores, \
                 such as product.tier"
            ));
        }
        self.custom.insert(path.to_owned(), FieldSpec { path: Cow::Owned(path.to_owned()), kind, class: FieldClass::Check });
        Ok(())
    }

    /// Names a condition: `path` is `segment.` or `audience.` and the name; an earlier one of that path is replaced.
    pub fn name(&mut self, path: &str, condition: Condition) {
        self.named.insert(path.to_owned(), Arc::new(condition));
    }

    /// The condition of a segment or an audience, such as `segment.enterprise`.
    #[must_use]
    pub fn named(&self, path: &str) -> Option<&Arc<Condition>> {
        self.named.get(path)
    }

    /// Whether a field was declared in the configuration.
    #[must_use]
    pub fn is_custom(&self, field: &Field) -> bool {
        self.custom.contains_key(field.as_str())
    }

    /// Finds the field that a written path means, aliases included; `None` when there is none.
    #[must_use]
    pub fn resolve(&self, written: &str) -> Option<Resolved> {
        if SCORE_NAMES.contains(&written) {
            return Some(Resolved::Score);
        }
        self.spec(written).map(|spec| Resolved::Field(Field(spec.path)))
    }

    /// Finds the field that a written path means, or says which one may have been meant.
    ///
    /// # Errors
    /// The message to show, with the nearest field name.
    pub fn field(&self, written: &str) -> Result<Field, String> {
        match self.resolve(written) {
            Some(Resolved::Field(field)) => Ok(field),
            Some(Resolved::Score) => Err(format!("`{written}` is the lead's score; a field of the record is needed here")),
            None => Err(self.no_such_field(written)),
        }
    }

    /// The message for a path that is no field, with the nearest one that is.
    #[must_use]
    pub fn no_such_field(&self, written: &str) -> String {
        if let Some((prefix, word)) = NAMED.iter().find(|(prefix, _)| written.starts_with(prefix)) {
            return self.no_such_name(written, prefix, word);
        }
        let names = FIELDS.iter().map(|(path, ..)| *path).chain(self.custom.keys().map(String::as_str));
        match nearest(written, names) {
            Some(name) => format!("`{written}` is not a field; did you mean `{name}`?"),
            None => format!("`{written}` is not a field; declare it under `fields:` or see docs/configuration.md for the list"),
        }
    }

    fn no_such_name(&self, written: &str, prefix: &str, word: &str) -> String {
        if self.named.contains_key(written) {
            return format!("`{written}` is not a field but yes or no; write it alone, or after `not`");
        }
        let known: Vec<&str> = self.named.keys().map(String::as_str).filter(|path| path.starts_with(prefix)).collect();
        let names = known.iter().filter_map(|path| path.strip_prefix(prefix));
        match nearest(written.strip_prefix(prefix).unwrap_or(written), names) {
            Some(name) => format!("there is no {word} `{written}`; did you mean `{prefix}{name}`?"),
            None if known.is_empty() => format!("there is no {word} `{written}`; define it under `{word}s:`"),
            None => format!("there is no {word} `{written}`; define it under `{word}s:` or write one of: {}", known.join(", ")),
        }
    }

    /// Type and class of a field; a path outside the schema reads as free text of the moment.
    #[must_use]
    pub fn kind_of(&self, field: &Field) -> (FieldKind, FieldClass) {
        self.spec(field.as_str()).map_or((FieldKind::Text, FieldClass::Check), |spec| (spec.kind, spec.class))
    }

    /// The canonical and custom fields in order of their path.
    pub fn fields(&self) -> impl Iterator<Item = FieldSpec> + '_ {
        let canonical = FIELDS.iter().map(|&(path, kind, class)| FieldSpec { path: Cow::Borrowed(path), kind, class });
        canonical.chain(self.custom.values().cloned())
    }

    fn spec(&self, written: &str) -> Option<FieldSpec> {
        self.exact(written)
            .or_else(|| {
                let (_, canonical) = ALIASES.iter().find(|(alias, _)| *alias == written)?;
                self.exact(canonical)
            })
            .or_else(|| {
                PREFIX_ALIASES.iter().find_map(|(prefix, canonical)| {
                    let rest = written.strip_prefix(prefix)?;
                    self.spec(&format!("{canonical}{rest}"))
                })
            })
    }

    fn exact(&self, path: &str) -> Option<FieldSpec> {
        let canonical = BY_PATH.binary_search_by(|(known, ..)| (*known).cmp(path)).ok().and_then(|place| BY_PATH.get(place));
        canonical
            .map(|&(path, kind, class)| FieldSpec { path: Cow::Borrowed(path), kind, class })
            .or_else(|| self.custom.get(path).cloned())
    }
}
