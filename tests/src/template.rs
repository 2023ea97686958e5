//! `template.yaml` as `CloudFormation` reads it.

mod short_forms;

use std::path::Path;

use serde_json::{Value, json};

use short_forms::Node;

/// A template. Its short forms are written out: `!Ref X` reads `{"Ref": "X"}`, `!GetAtt A.Arn` `{"Fn::GetAtt": ["A", "Arn"]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    root: Value,
}

/// One resource of a template.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Its logical id.
    pub id: &'a str,
    /// All of it: `Type`, `Properties`, `DeletionPolicy` and so on.
    pub value: &'a Value,
}

impl Template {
    /// Reads the repository's own template.
    ///
    /// # Errors
    /// When the file cannot be read, or is no YAML.
    pub fn of_repository() -> std::io::Result<Self> {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml"))?;
        Self::parse(&text).map_err(std::io::Error::other)
    }

    /// Reads a template's text.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn parse(text: &str) -> Result<Self, serde_saphyr::Error> {
        Ok(Self { root: serde_saphyr::from_str::<Node>(text)?.0 })
    }

    /// The whole template.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What stands at a JSON pointer; null when nothing does.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.root.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// All resources, by logical id.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        entries(self.at("/Resources")).map(|(id, value)| Resource { id, value })
    }

    /// The resources of one type.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = Resource<'_>> {
        self.resources().filter(move |resource| resource.kind() == kind)
    }

    /// The resource of a logical id.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.resources().find(|resource| resource.id == id)
    }

    /// The functions.
    pub fn functions(&self) -> impl Iterator<Item = Resource<'_>> {
        self.of_type("AWS::Serverless::Function")
    }

    /// Every connection of a queue to a function: the function, the event's name and its properties.
    pub fn event_sources(&self) -> impl Iterator<Item = (Resource<'_>, &str, &Value)> {
        self.functions().flat_map(|function| {
            entries(function.get("/Events")).map(move |(name, event)| (function, name, event.get("Properties").unwrap_or(&Value::Null)))
        })
    }

    /// The template with something else at a pointer: null takes away what stands there. For tests of checks.
    ///
    /// # Panics
    /// When nothing stands around the pointer, or nothing would change.
    #[must_use]
    pub fn with(&self, pointer: &str, value: Value) -> Self {
        let mut changed = self.clone();
        let (around, name) = pointer.rsplit_once('/').unwrap_or_default();
        let name = name.replace("~1", "/");
        match (changed.root.pointer_mut(around), value) {
            (Some(Value::Object(fields)), Value::Null) => drop(fields.remove(&name)),
            (Some(Value::Object(fields)), value) => drop(fields.insert(name, value)),
            (Some(Value::Array(items)), value) => match name.parse::<usize>().ok().filter(|index| *index < items.len()) {
                Some(index) if value.is_null() => drop(items.remove(index)),
                Some(index) => items[index] = value,
                None => items.push(value),
            },
            _ => {}
        }
        assert!(changed != *self, "nothing changes at {pointer}");
        changed
    }
}

impl<'a> Resource<'a> {
    /// Its type.
    #[must_use]
    pub fn kind(self) -> &'a str {
        self.value.get("Type").and_then(Value::as_str).unwrap_or_default()
    }

    /// What stands at a JSON pointer within its properties; null when nothing does.
    #[must_use]
    pub fn get(self, pointer: &str) -> &'a Value {
        self.value.get("Properties").and_then(|properties| properties.pointer(pointer)).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer within its properties; empty when there is none.
    #[must_use]
    pub fn text(self, pointer: &str) -> &'a str {
        self.get(pointer).as_str().unwrap_or_default()
    }

    /// A reference to one of its attributes.
    #[must_use]
    pub fn attribute(self, name: &str) -> Value {
        json!({ "Fn::GetAtt": [self.id, name] })
    }
}

/// The entries of an object; none of anything else.
pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// A list, or the one thing that stands in its place.
#[must_use]
pub fn listed(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// The logical ids of resources and parameters that a value refers to, in order and as often as it does.
#[must_use]
pub fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(name, inner)| references_of(name, inner)).collect(),
        _ => vec![],
    }
}

fn references_of<'a>(name: &str, inner: &'a Value) -> Vec<&'a str> {
    match (name, inner) {
        ("Ref", Value::String(id)) => vec![id],
        ("Fn::GetAtt", Value::Array(parts)) => parts.first().and_then(Value::as_str).into_iter().collect(),
        ("Fn::Sub", Value::String(text)) => {
            let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next());
            names.collect()
        }
        _ => references(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        let text = "a: !Ref X\nb: [!GetAtt Q.Arn, 5, true]\nc: !If [C, !Sub \"${Y.Arn}/x\", {d: !Ref Z}]\ne: text";
        let template = Template::parse(text).unwrap();
        let written = json!({
            "a": {"Ref": "X"},
            "b": [{"Fn::GetAtt": ["Q", "Arn"]}, 5, true],
            "c": {"Fn::If": ["C", {"Fn::Sub": "${Y.Arn}/x"}, {"d": {"Ref": "Z"}}]},
            "e": "text",
        });
        assert_eq!(template.root(), &written);
        assert_eq!(references(template.root()), ["X", "Q", "Y", "Z"]);
    }

    #[test]
    #[should_panic(expected = "nothing changes")]
    fn a_breakage_that_breaks_nothing_is_refused() {
        drop(Template::parse("a: 1").unwrap().with("/a", json!(1)));
    }
}
