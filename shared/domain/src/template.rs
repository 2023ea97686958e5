//! `{{path}}` in connector requests and CRM properties.

use crate::schema::{Field, Resolved, Schema};

/// A text with fields to fill in, parsed and checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Hole),
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
    /// Parses a text; `names` are the words besides fields that may stand between braces.
    ///
    /// # Errors
    /// Says which braces or which name are wrong.
    pub fn parse(text: &str, schema: &Schema, names: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, next) = after.split_once("}}").ok_or_else(|| format!("`{{{{` without `}}}}` in `{text}`"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Hole(hole(inside.trim(), schema, names)?));
            rest = next;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Fills the holes; `None` when one of them has no value, for half a request is no request.
    #[must_use]
    pub fn fill(&self, value_of: impl Fn(&Hole) -> Option<String>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole(hole) => filled.push_str(&value_of(hole)?),
            }
        }
        Some(filled)
    }
}

fn hole(inside: &str, schema: &Schema, names: &[&str]) -> Result<Hole, String> {
    if names.contains(&inside) {
        return Ok(Hole::Name(inside.to_owned()));
    }
    match schema.resolve(inside) {
        Some(Resolved::Field(field)) => Ok(Hole::Field(field)),
        Some(Resolved::Score) => Ok(Hole::Name(inside.to_owned())),
        None => Err(schema.no_such_field(inside)),
    }
}

#[cfg(test)]
mod tests {
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
    fn an_unclosed_or_unknown_hole_is_refused() {
        assert!(Template::parse("{{contact.phone", &Schema::default(), &[]).is_err());
        assert!(Template::parse("{{contact.phne}}", &Schema::default(), &[]).unwrap_err().contains("did you mean"));
    }
}
