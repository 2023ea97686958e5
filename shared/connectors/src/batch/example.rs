//! Recorded answers to batches, which are tests as those to single calls are.

use std::collections::BTreeMap;

use domain::identity::KeyKind;
use domain::schema::Schema;
use serde_json::Value as Json;

use super::document::BatchKeys;
use crate::connector::{Connector, Speech};
use crate::egress::Answer;
use crate::example::{Expected, NOW, expected};

/// Keys that were asked together, what was sent for them, and what must come out for each.
#[derive(Debug)]
pub(crate) struct BatchExample {
    kind: KeyKind,
    keys: Vec<String>,
    sends: Option<Json>,
    expect: BTreeMap<String, Expected>,
}

impl BatchExample {
    pub(crate) fn parse(keys: &BatchKeys, sends: Option<&Json>, expect: &Json, schema: &Schema) -> Result<Self, String> {
        let mut kinds = keys.iter();
        let (Some((kind, keys)), None) = (kinds.next(), kinds.next()) else {
            return Err("batch: write one kind of key and the keys, such as {domain: [acme.example, other.example]}".to_owned());
        };
        let each = "expect: write for each key of `batch` what comes out, such as {acme.example: no_match}";
        let written = expect.as_object().filter(|written| written.len() == keys.len() && keys.iter().all(|key| written.contains_key(key)));
        let written = written.ok_or_else(|| each.to_owned())?;
        let expect = written.iter().map(|(key, json)| Ok((key.clone(), expected(json, schema)?)));
        Ok(Self { kind: *kind, keys: keys.clone(), sends: sends.cloned(), expect: expect.collect::<Result<_, String>>()? })
    }

    /// Builds the request and reads the recorded answer, and compares both; the message names keys by their place.
    pub(crate) fn check(&self, name: &str, connector: &Connector, answer: &Answer) -> Result<(), String> {
        let Speech::Http(http) = &connector.speech else { return Err(format!("example `{name}`: a builtin operation has no batch form")) };
        let Some(form) = http.batch.as_ref().filter(|form| form.terms.keys.contains(&self.kind)) else {
            return Err(format!("example `{name}`: the connector has no batch form for {}", self.kind.as_str()));
        };
        if let Some(sends) = &self.sends
            && form.body(self.kind, &self.keys).map(Json::Object).as_ref() != Some(sends)
        {
            return Err(format!("example `{name}`: something else is sent"));
        }
        let replies = http.read_all(form, &connector.operation, (self.kind, &self.keys), answer, NOW);
        for (place, (key, reply)) in self.keys.iter().zip(replies).enumerate() {
            let name = format!("{name}, key {}", place + 1);
            self.expect.get(key).map_or(Ok(()), |expected| expected.check(&name, reply))?;
        }
        Ok(())
    }
}
