//! What of an answer some path may read. The rest is skipped while it is parsed: vendors tell far more than is mapped.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::path::{Path, Step};

/// A tree of the names that paths go through.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A path ends here, or goes on as no plain one does: all that is here is read.
    whole: bool,
    names: Vec<(String, Wanted)>,
    /// Of the items of a list; none of them is left out, so that each keeps its place.
    items: Option<Box<Wanted>>,
    /// Whether a path goes on through all values of an object.
    all_names: bool,
}

impl Wanted {
    /// Wants what these paths lead to.
    pub(crate) fn add<'p>(&mut self, paths: impl IntoIterator<Item = &'p Path>) {
        for path in paths {
            self.below(path.beginning().0).whole = true;
        }
    }

    /// Wants to know no more than whether these paths lead anywhere, and whether anything is there.
    pub(crate) fn add_whether<'p>(&mut self, paths: impl IntoIterator<Item = &'p Path>) {
        for path in paths {
            let (steps, is_all) = path.beginning();
            self.below(steps).whole |= !is_all;
        }
    }

    /// Wants what `paths` lead to from each of `roots`.
    pub(crate) fn add_from<'p>(&mut self, roots: &[Path], paths: impl IntoIterator<Item = &'p Path> + Clone) {
        for root in roots {
            let (steps, is_all) = root.beginning();
            let root = self.below(steps);
            root.whole |= !is_all;
            root.add(paths.clone());
        }
    }

    fn below(&mut self, steps: &[Step]) -> &mut Self {
        let Some((step, rest)) = steps.split_first() else { return self };
        self.all_names |= *step == Step::Each;
        let next = match step {
            Step::Name(name) => self.named(name),
            Step::Place(_) | Step::Each => self.items.get_or_insert_default(),
        };
        next.below(rest)
    }

    fn named(&mut self, name: &str) -> &mut Self {
        let place = self.names.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.names.push((name.to_owned(), Self::default()));
            self.names.len() - 1
        });
        &mut self.names[place].1
    }

    /// Reads the whole of an answer as far as it is wanted: every path that was added finds what it finds in all of it. Of what
    /// is skipped only the form is looked at, not whether each number and character can be held.
    pub(crate) fn read(&self, text: &str) -> Result<Json, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let json = self.deserialize(&mut deserializer)?;
        deserializer.end().map(|()| json)
    }
}

impl<'de> DeserializeSeed<'de> for &Wanted {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if self.whole { Json::deserialize(deserializer) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for &Wanted {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        if self.all_names {
            return Json::deserialize(MapAccessDeserializer::new(map));
        }
        let mut entries = Map::new();
        let mut is_empty = true;
        while let Some(known) = map.next_key_seed(Name(&self.names))? {
            is_empty = false;
            match known {
                Some((name, wanted)) => drop(entries.insert(name.clone(), map.next_value_seed(wanted)?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if entries.is_empty() && !is_empty {
            entries.insert(String::new(), Json::Null); // stands for what was skipped: the object is not empty
        }
        Ok(Json::Object(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        if let Some(wanted) = &self.items {
            while let Some(item) = list.next_element_seed(&**wanted)? {
                items.push(item);
            }
        } else {
            while list.next_element::<IgnoredAny>()?.is_some() {
                items.resize(1, Json::Null); // for the same reason
            }
        }
        Ok(Json::Array(items))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::from(text))
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Json, E> {
        Ok(Json::from(yes))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Ok(Json::from(number))
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
}

/// A name in an object, and what is wanted below it.
struct Name<'w>(&'w [(String, Wanted)]);

impl<'de, 'w> DeserializeSeed<'de> for Name<'w> {
    type Value = Option<&'w (String, Wanted)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Name<'w> {
    type Value = Option<&'w (String, Wanted)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(known, _)| known == name))
    }
}

#[cfg(test)]
mod tests {
    use domain::config::Sources;
    use domain::plan::Operation;
    use domain::schema::Schema;
    use domain::units::Timestamp;
    use http::HeaderMap;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::connector::{Http, Speech};
    use crate::egress::Answer;
    use crate::load::{Connectors, load};
    use crate::normalise::says_nothing;
    use crate::path::tests::{anything, path};

    const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000); // 2026-11-20T12:00:00Z

    fn shipped() -> Connectors {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/connectors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: std::path::PathBuf| {
            let name = format!("connectors/{}", path.file_name().unwrap().to_str().unwrap());
            (name, std::fs::read_to_string(path).unwrap())
        };
        load(&Sources::new(files.map(read)), &Schema::default()).unwrap()
    }

    /// Puts `new` where the turns lead.
    fn replace(json: &mut Json, turns: &[Index], new: Json) {
        let Some((turn, turns)) = turns.split_first() else {
            *json = new;
            return;
        };
        match json {
            Json::Array(items) if !items.is_empty() => {
                let place = turn.index(items.len());
                replace(&mut items[place], turns, new);
            }
            Json::Object(entries) if !entries.is_empty() => {
                let place = turn.index(entries.len());
                replace(entries.values_mut().nth(place).unwrap(), turns, new);
            }
            _ => *json = new,
        }
    }

    #[test]
    fn an_answer_of_which_the_rest_is_skipped_means_what_all_of_it_does() {
        let connectors = shipped();
        let mut recorded = Vec::new();
        for connector in connectors.iter() {
            let Speech::Http(http) = &connector.speech else { continue };
            let bodies = connector.examples.iter().filter_map(|example| serde_json::from_slice::<Json>(&example.body).ok());
            recorded.extend(bodies.map(|body| (&connector.operation, &**http, body)));
        }
        let check = |(operation, http, body): &(&Operation, &Http, Json)| {
            let answer = Answer { status: 200, headers: HeaderMap::new(), body: body.to_string().into_bytes() };
            assert_eq!(http.read(operation, &answer, NOW), http.read_parsed(operation, &answer, Some(body), NOW), "{body}");
        };
        recorded.iter().for_each(check);
        proptest!(|(which: Index, turns in prop::collection::vec(any::<Index>(), 0..7), new in anything())| {
            let (operation, http, mut body) = recorded[which.index(recorded.len())].clone();
            replace(&mut body, &turns, new);
            check(&(operation, http, body));
        });
    }

    #[test]
    fn what_no_path_reads_has_to_be_json_but_need_not_be_held() {
        let read = |text: &str| {
            let mut wanted = Wanted::default();
            wanted.add([&Path::parse("$.a").unwrap()]);
            wanted.read(text).ok()
        };
        assert_eq!(read(r#"{"x":[1e999,"\ud800"],"a":5}"#), Some(serde_json::json!({"a": 5})));
        assert_eq!(read(r#"{"a":1,"x":{},"a":2}"#), Some(serde_json::json!({"a": 2})), "the last counts");
        assert_eq!(read(r#"{"x":{}}"#).map(|json| says_nothing(&json)), Some(false));
        for broken in [r#"{"a":5,"x":-}"#, r#"{"a":5,"x":[}"#, r#"{"a":5"#, r#"{"a":5} x"#, r#"{"a":1e999}"#] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn paths_find_in_what_is_wanted_what_they_find_in_all(root in path(), below in path(), whether in path(), json in anything()) {
            let [root, below, whether] = [root, below, whether].map(|text| Path::parse(&text).unwrap());
            let mut wanted = Wanted::default();
            wanted.add_whether([&whether]);
            wanted.add_from(std::slice::from_ref(&root), [&below]);
            let read = wanted.read(&json.to_string()).unwrap();
            let answers = |json| (whether.first(json).map(says_nothing), root.first(json).map(|hit| below.found(hit, |found| found.iter().copied().cloned().collect::<Vec<Json>>())));
            prop_assert_eq!(answers(&read), answers(&json));
        }
    }
}
