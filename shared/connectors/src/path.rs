//! Paths into an answer (`JSONPath`, RFC 9535). A plain one, of names, places and `[*]`, is walked here; the few that filter are
//! left to the library, which is general and slow.

use std::fmt;

use serde_json::Value as Json;
use serde_json_path::{JsonPath, ParseError};

/// A path as it was written, ready to be walked.
#[derive(Debug)]
pub(crate) struct Path {
    text: String,
    /// What it begins with: all of it, if it is plain.
    steps: Vec<Step>,
    /// The whole of one that is not.
    query: Option<JsonPath>,
}

/// One step of a plain path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of this name.
    Name(String),
    /// The item of a list at this place, from 0.
    Place(usize),
    /// All values of an object, or all items of a list.
    Each,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Says what is no `JSONPath`.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        let (mut steps, rest) = leading_steps(text);
        let is_plain = text.starts_with('$') && rest.is_empty();
        let query = if is_plain { None } else { Some(JsonPath::parse(text)?) };
        if rest.contains('$') {
            steps.clear(); // a filter may look anywhere from the root on
        }
        Ok(Self { text: text.to_owned(), steps, query })
    }

    /// What every value that the path leads to lies below, and whether it is these values themselves.
    pub(crate) fn beginning(&self) -> (&[Step], bool) {
        (&self.steps, self.query.is_none())
    }

    /// What the path leads to first.
    pub(crate) fn first<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        self.found(json, |found| found.first().copied())
    }

    /// Shows everything that the path leads to, in order.
    pub(crate) fn found<'j, T>(&self, json: &'j Json, read: impl FnOnce(&[&'j Json]) -> T) -> T {
        if let Some(query) = &self.query {
            return read(&query.query(json).all());
        }
        if self.steps.contains(&Step::Each) {
            let mut found = Vec::new();
            walk(&self.steps, json, &mut found);
            return read(&found);
        }
        read(self.steps.iter().try_fold(json, |json, step| step.of(json)).as_slice())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Step {
    /// Where it leads; nowhere for one that may lead to several.
    fn of<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        match self {
            Self::Name(name) => json.as_object()?.get(name),
            Self::Place(place) => json.as_array()?.get(*place),
            Self::Each => None,
        }
    }
}

fn walk<'j>(steps: &[Step], json: &'j Json, found: &mut Vec<&'j Json>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(json);
        return;
    };
    match (step, json) {
        (Step::Each, Json::Array(items)) => items.iter().for_each(|item| walk(rest, item, found)),
        (Step::Each, Json::Object(entries)) => entries.values().for_each(|value| walk(rest, value, found)),
        _ => step.of(json).into_iter().for_each(|json| walk(rest, json, found)),
    }
}

/// The plain steps at the beginning of a path, and what is left of its text.
fn leading_steps(text: &str) -> (Vec<Step>, &str) {
    let mut rest = text.strip_prefix('$').unwrap_or_default();
    let mut steps = Vec::new();
    while let Some((step, after)) = leading_step(rest) {
        steps.push(step);
        rest = after;
    }
    (steps, rest)
}

/// `.name`, `[0]` or `[*]`, and what comes after it. The library reads all other spellings.
fn leading_step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix("[*]") {
        return Some((Step::Each, rest));
    }
    if let Some((place, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_place = (place == "0" || !place.starts_with('0')) && place.bytes().all(|byte| byte.is_ascii_digit());
        return Some((Step::Place(place.parse().ok().filter(|_| is_place && place.len() < 10)?), rest));
    }
    let text = text.strip_prefix('.').filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
    let (name, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (Step::Name(name.to_owned()), rest))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn anything() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i8>().prop_map(Json::from),
            "[ab]".prop_map(Json::from)
        ];
        leaf.prop_recursive(4, 48, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::hash_map("a|b|_c1", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    pub(crate) fn path() -> impl Strategy<Value = String> {
        let step = prop_oneof![
            4 => "\\.(a|b|_c1)",
            2 => "\\[[0-2]\\]",
            2 => Just("[*]".to_owned()),
            1 => prop::sample::select(&["['a']", "[-1]", "..b", ".*", "[?@.a]", "[?$.a]", "[0:2]", "[ 0 ]"][..]).prop_map(str::to_owned),
        ];
        prop::collection::vec(step, 0..5).prop_map(|steps| format!("${}", steps.concat()))
    }

    proptest! {
        #[test]
        fn a_path_leads_where_the_library_says(text in path(), json in anything()) {
            let (ours, theirs) = (Path::parse(&text).unwrap(), JsonPath::parse(&text).unwrap());
            prop_assert_eq!(ours.found(&json, <[&Json]>::to_vec), theirs.query(&json).all());
            prop_assert_eq!(ours.first(&json), theirs.query(&json).first());
        }

        #[test]
        fn what_is_no_path_for_the_library_is_none_here(text in "[$@]?[.\\[\\]0-9a-c_*'? é-]{0,8}") {
            prop_assert_eq!(Path::parse(&text).is_ok(), JsonPath::parse(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn the_usual_paths_are_plain() {
        for text in ["$", "$.a.b_c", "$[0].matches[0]", "$.a[*].name"] {
            assert!(Path::parse(text).unwrap().beginning().1, "{text}");
        }
        let filtered = Path::parse("$.error[?@ == 'x']").unwrap();
        assert_eq!(filtered.beginning(), (&[Step::Name("error".to_owned())][..], false));
    }
}
