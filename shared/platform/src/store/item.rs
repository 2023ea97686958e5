//! How values stand in items: control attributes that conditions read, and the rest as one JSON document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::units::{Credits, Timestamp};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
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

/// Shorter documents stay readable: packing them saves no unit.
const PACKED_FROM: usize = 512;
/// No document of ours unpacks to more; an item holds 400 KB.
pub(super) const UNPACKED_MOST: u64 = 16 * 1024 * 1024;

/// The document part of an item: JSON, deflated unless it is short. Every write is billed by the whole item's size, and a run's log
/// packs to about a quarter.
pub(super) fn document<T: Serialize>(key: &Key, value: &T) -> Result<AttributeValue, StoreError> {
    let json = serde_json::to_string(value)
        .map_err(|error| key.corrupt(format!("its document cannot be written: {:?} error", error.classify())))?;
    if json.len() < PACKED_FROM {
        return Ok(AttributeValue::S(json));
    }
    let mut packer = DeflateEncoder::new(Vec::with_capacity(json.len() / 2), Compression::default());
    let packed = packer.write_all(json.as_bytes()).and_then(|()| packer.finish());
    packed
        .map(|bytes| AttributeValue::B(Blob::new(bytes)))
        .map_err(|error| key.corrupt(format!("its document cannot be packed: {}", error.kind())))
}

/// A document's JSON; `None` for what is neither text nor packed text.
fn unpacked(value: &AttributeValue) -> Option<Cow<'_, str>> {
    match value {
        AttributeValue::S(json) => Some(Cow::Borrowed(json)),
        AttributeValue::B(packed) => {
            let mut json = String::new();
            DeflateDecoder::new(packed.as_ref()).take(UNPACKED_MOST).read_to_string(&mut json).ok()?;
            Some(Cow::Owned(json))
        }
        _ => None,
    }
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
        let json = self.item.get("doc").and_then(unpacked).ok_or_else(|| self.wrong("doc", "document"))?;
        serde_json::from_str(&json).map_err(|error| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key { partition: "default#RUN#a".to_owned(), sort: "-".to_owned() }
    }

    fn stored(text: &str) -> AttributeValue {
        document(&key(), &text).unwrap()
    }

    fn read(doc: AttributeValue) -> Result<String, StoreError> {
        let item = key().item([("doc", doc)]);
        Reader::of(&key(), &item)?.document()
    }

    #[test]
    fn a_document_reads_back_whatever_its_length_and_a_long_one_is_packed() {
        for length in [0, 1, PACKED_FROM - 3, PACKED_FROM - 2, 5_000, 400_000] {
            let text = "series_a;".repeat(length / 9 + 1)[..length].to_owned();
            assert_eq!(stored(&text).is_b(), length + 2 >= PACKED_FROM, "{length}");
            assert_eq!(read(stored(&text)).unwrap(), text);
        }
        let AttributeValue::B(packed) = stored(&"a word of a log ".repeat(400)) else { unreachable!("it is long") };
        assert!(packed.as_ref().len() < 1024, "one unit instead of seven");
    }

    #[test]
    fn a_packed_document_that_was_cut_or_is_none_is_a_clear_error() {
        let AttributeValue::B(packed) = stored(&"a word of a log ".repeat(400)) else { unreachable!("it is long") };
        let cut = packed.as_ref()[..packed.as_ref().len() / 2].to_vec();
        for broken in [AttributeValue::B(Blob::new(cut)), AttributeValue::B(Blob::new(b"canary".to_vec())), AttributeValue::Bool(true)] {
            let error = read(broken).unwrap_err().to_string();
            assert!(error.contains("default#RUN#a") && error.contains("`doc`") && !error.contains("canary"), "{error}");
        }
    }
}
