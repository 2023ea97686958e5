//! `{{path}}` and `{{path | default}}`: texts with fields to fill in.

use crate::schema::{Field, Resolved, Schema};

/// A text with fields to fill in, parsed and checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole { hole: Hole, default: Option<String> },
}

/// What stands between the braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hole {
    /// A field of the record.
    Field(Field),
    /// Something else that whoever fills the template knows by name, such as `key` or `secret`.
    Name(String),
}

impl Template {
    /// Parses a text; `names` are the words besides fields that may stand between braces, and these take no default.
    ///
    /// # Errors
    /// Says which braces, name or default are wrong and what to write.
    pub fn parse(text: &str, schema: &Schema, names: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, next) = after.split_once("}}").ok_or_else(|| format!("`{{{{` without `}}}}` in `{text}`"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(part(inside, schema, names)?);
            rest = next;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Fills the holes; `None` when one of them has neither a value nor a default, for half a request is no request.
    #[must_use]
    pub fn fill(&self, value_of: impl Fn(&Hole) -> Option<String>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole { hole, default } => filled.push_str(&value_of(hole).or_else(|| default.clone())?),
            }
        }
        Some(filled)
    }

    /// What the holes ask for, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| if let Part::Hole { hole, .. } = part { Some(hole) } else { None })
    }
}

fn part(inside: &str, schema: &Schema, names: &[&str]) -> Result<Part, String> {
    if inside.contains(['{', '}']) {
        return Err(format!("`{{{{{inside}}}}}` holds braces; between `{{{{` and `}}}}` stands one field, and its default after a bar"));
    }
    let (path, written) = inside.split_once('|').map_or((inside, None), |(path, default)| (path, Some(default)));
    let path = path.trim();
    if path.is_empty() {
        return Err(format!("`{{{{{inside}}}}}` names no field; write one, such as {{{{contact.first_name}}}}"));
    }
    let hole = hole(path, schema, names)?;
    let default = written.map(|written| default(path, written.trim())).transpose()?;
    if default.is_some() && names.contains(&path) {
        return Err(format!("`{path}` takes no default; write {{{{{path}}}}}"));
    }
    Ok(Part::Hole { hole, default })
}

fn hole(path: &str, schema: &Schema, names: &[&str]) -> Result<Hole, String> {
    if names.contains(&path) {
        return Ok(Hole::Name(path.to_owned()));
    }
    match schema.resolve(path) {
        Some(Resolved::Field(field)) => Ok(Hole::Field(field)),
        Some(Resolved::Score) => Ok(Hole::Name(path.to_owned())),
        None => Err(schema.no_such_field(path)),
    }
}

/// The text after the bar: as it stands, or in quotes where it is empty, begins or ends with a space or holds a bar.
fn default(path: &str, written: &str) -> Result<String, String> {
    let in_quotes = |quote: char| written.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    if let Some(inner) = in_quotes('"').or_else(|| in_quotes('\'')) {
        return Ok(inner.to_owned());
    }
    if written.is_empty() {
        return Err(format!("the default of `{path}` is missing after the bar; write \"\" for an empty one"));
    }
    if written.contains(['"', '\'', '|']) {
        return Err(format!("the default of `{path}` is written as one text, such as {{{{{path} | \"there\"}}}}"));
    }
    Ok(written.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s4_23_a_field_is_filled_in_where_it_is_named() {
        let template = Template::parse("phone={{lead.phone_1}}&key={{key}}", &Schema::default(), &["key"]).unwrap();
        let fill = |hole: &Hole| match hole {
            Hole::Field(field) if field.as_str() == "contact.phone" => Some("+1".to_owned()),
            Hole::Name(name) if name == "key" => Some("k".to_owned()),
            _ => None,
        };
        assert_eq!(template.fill(fill).as_deref(), Some("phone=+1&key=k"));
        assert_eq!(template.fill(|_| None), None, "half a request is no request");
    }

    #[test]
    fn a_default_stands_where_nothing_is_known() {
        for (text, filled) in [
            ("Hi {{contact.first_name | \"there\"}}!", "Hi there!"),
            ("Hi {{contact.first_name|there}}!", "Hi there!"),
            ("Hi{{ contact.first_name | ' you | all' }}!", "Hi you | all!"),
            ("{{contact.first_name | \"\"}}", ""),
            ("{{contact.first_name | 'the \"boss\"'}}", "the \"boss\""),
            ("{{contact.first_name | dear friend}}}", "dear friend}"),
            ("{{score | 0}}", "0"),
        ] {
            let template = Template::parse(text, &Schema::default(), &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(template.fill(|_| None).as_deref(), Some(filled), "{text}");
        }
        let template = Template::parse("{{contact.first_name | you}} at {{company.name}}", &Schema::default(), &[]).unwrap();
        assert_eq!(template.fill(|_| None), None, "a hole without a default still needs its value");
        assert_eq!(template.fill(|_| Some("Ada".to_owned())).as_deref(), Some("Ada at Ada"), "a value goes before the default");
        assert_eq!(template.holes().count(), 2);
    }

    #[test]
    fn a_mistake_between_braces_is_told_with_what_to_write() {
        for (text, said) in [
            ("{{contact.phone", "`{{` without `}}`"),
            ("{{contact.phne}}", "did you mean `contact.phone`?"),
            ("{{contact.phone {{company.name}}}}", "holds braces"),
            ("{{{contact.phone}}}", "holds braces"),
            ("{{contact.phone | \"{}\"}}", "holds braces"),
            ("{{}}", "names no field; write one, such as {{contact.first_name}}"),
            ("{{ | there}}", "names no field"),
            ("{{contact.phone | }}", "write \"\" for an empty one"),
            ("{{contact.phone | \"there}}", "written as one text, such as {{contact.phone | \"there\"}}"),
            ("{{contact.phone | \"}}", "written as one text"),
            ("{{contact.phone | a | b}}", "written as one text"),
            ("{{key | none}}", "`key` takes no default; write {{key}}"),
        ] {
            let error = Template::parse(text, &Schema::default(), &["key"]).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[{}|\"' a-z.é]{0,40}") {
            if let Ok(template) = Template::parse(&text, &Schema::default(), &["a"]) {
                prop_assert!(!text.contains("{{") || template.holes().count() > 0);
            }
        }
    }
}
