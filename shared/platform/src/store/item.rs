//! How values stand in items: control attributes that conditions read, and the rest as one JSON text.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::units::{Credits, Timestamp};
use pipeline::ports::StoreError;
use serde::{Serialize, de::DeserializeOwned};

use crate::tables::{PARTITION_KEY, SORT_KEY};

/// The version of the item's form, in attribute `v`. A reader refuses any other.
const FORM: &str = "1";

/// An item as the database has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A primary key. Holds hashes and random names, nobody's data, so it may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) partition: String,
    pub(super) sort: String,
}

impl Key {
    pub(super) fn attributes(&self) -> Item {
        HashMap::from([(PARTITION_KEY.to_owned(), text(&self.partition)), (SORT_KEY.to_owned(), text(&self.sort))])
    }

    /// A whole item under this key.
    pub(super) fn item<const N: usize>(&self, attributes: [(&str, AttributeValue); N]) -> Item {
        let mut item = self.attributes();
        item.insert("v".to_owned(), form());
        item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
        item
    }

    fn corrupt(&self, why: String) -> StoreError {
        StoreError::Corrupt { key: self.to_string(), why }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.partition, self.sort)
    }
}

/// The value of `v` in every item written today.
pub(super) fn form() -> AttributeValue {
    AttributeValue::N(FORM.to_owned())
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn moment(value: Timestamp) -> AttributeValue {
    number(value.millis())
}

/// A moment as the database's clean-up wants it.
pub(super) fn expiry(value: Timestamp) -> AttributeValue {
    number(value.seconds())
}

pub(super) fn credits(value: Credits) -> AttributeValue {
    number(value.micros())
}

/// The document part of an item.
pub(super) fn document<T: Serialize>(key: &Key, value: &T) -> Result<AttributeValue, StoreError> {
    let json = serde_json::to_string(value)
        .map_err(|error| key.corrupt(format!("its document cannot be written: {:?} error", error.classify())))?;
    Ok(AttributeValue::S(json))
}

/// Reads attributes; what is missing or of another form is an error that names the key.
pub(super) struct Reader<'a> {
    key: &'a Key,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    pub(super) fn of(key: &'a Key, item: &'a Item) -> Result<Self, StoreError> {
        let reader = Self { key, item };
        let form: String = reader.number("v")?;
        if form == FORM { Ok(reader) } else { Err(key.corrupt(format!("its form is {form}, and this version reads only {FORM}"))) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.item.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, StoreError> {
        self.item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| self.wrong(name, "text"))
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        let digits = self.item.get(name).and_then(|value| value.as_n().ok());
        digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| self.wrong(name, "number"))
    }

    pub(super) fn moment(&self, name: &str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn document<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(self.text("doc")?).map_err(|error| {
            // The error's own text repeats values, which may be a person's.
            let place = format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column());
            self.key.corrupt(format!("attribute `doc` is not of the expected form: {place}"))
        })
    }

    pub(super) fn corrupt(&self, why: &str) -> StoreError {
        self.key.corrupt(why.to_owned())
    }

    fn wrong(&self, name: &str, kind: &str) -> StoreError {
        self.key.corrupt(format!("attribute `{name}` is missing or no {kind}"))
    }
}
