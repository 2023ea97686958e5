//! `POST …/search`: groups are or-ed, the filters of a group are and-ed.

use serde_json::{Value, json};

use super::contacts::Contact;
use super::refusal::Refusal;

const DEFAULT_LIMIT: u64 = 10;
const MOST: u64 = 200;
/// What a result shows without being asked.
const ALWAYS: &[&str] = &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"];

pub(crate) fn search(contacts: &[Contact], body: &Value) -> Result<Value, Refusal> {
    let limit = number(body, "limit", DEFAULT_LIMIT)?;
    let after = number(body, "after", 0)?;
    if limit > MOST {
        return Err(Refusal::invalid("limit is at most 200", "limit"));
    }
    let mut found = Vec::new();
    for contact in contacts {
        if wanted(contact, body)? {
            found.push(contact);
        }
    }
    let total = u64::try_from(found.len()).unwrap_or_default();
    let first = usize::try_from(after).unwrap_or(usize::MAX);
    let shown = found.into_iter().skip(first).take(usize::try_from(limit).unwrap_or(usize::MAX));
    let results: Vec<Value> = shown.map(|contact| project(contact, body)).collect();
    let mut answer = json!({"total": total, "results": results});
    let next = after.saturating_add(limit);
    if next < total {
        answer["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Ok(answer)
}

/// A number, or one as text, as HubSpot takes `after`.
fn number(body: &Value, name: &str, default: u64) -> Result<u64, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::String(text)) => text.parse().map_err(|_| Refusal::invalid("not a whole number", name)),
        Some(value) => value.as_u64().ok_or_else(|| Refusal::invalid("not a whole number", name)),
    }
}

fn wanted(contact: &Contact, body: &Value) -> Result<bool, Refusal> {
    let Some(groups) = body.get("filterGroups").and_then(Value::as_array).filter(|groups| !groups.is_empty()) else {
        return Ok(true);
    };
    for group in groups {
        let filters = group.get("filters").and_then(Value::as_array);
        let filters = filters.ok_or_else(|| Refusal::invalid("a filter group needs a list of filters", "filterGroups"))?;
        let mut all = true;
        for filter in filters {
            all &= passes(contact, filter)?;
        }
        if all {
            return Ok(true);
        }
    }
    Ok(false)
}

fn passes(contact: &Contact, filter: &Value) -> Result<bool, Refusal> {
    let text = |name: &str| filter.get(name).and_then(Value::as_str);
    let name = text("propertyName").ok_or_else(|| Refusal::invalid("a filter needs a propertyName", "propertyName"))?;
    let held = contact.properties.get(name).map(|value| value.to_lowercase());
    let value = || text("value").map(str::to_lowercase).ok_or_else(|| Refusal::invalid("this filter needs a value", "value"));
    match text("operator") {
        Some("EQ") => Ok(held == Some(value()?)),
        Some("NEQ") => Ok(held != Some(value()?)),
        Some("HAS_PROPERTY") => Ok(held.is_some()),
        Some("NOT_HAS_PROPERTY") => Ok(held.is_none()),
        Some("IN") => {
            let values = filter.get("values").and_then(Value::as_array);
            let values = values.ok_or_else(|| Refusal::invalid("IN needs a list of values", "values"))?;
            Ok(values.iter().filter_map(Value::as_str).any(|value| held == Some(value.to_lowercase())))
        }
        _ => Err(Refusal::invalid("use EQ, NEQ, IN, HAS_PROPERTY or NOT_HAS_PROPERTY", "operator")),
    }
}

fn project(contact: &Contact, body: &Value) -> Value {
    let asked: Vec<&str> = body.get("properties").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut shown = contact.clone();
    shown.properties.retain(|name, _| ALWAYS.contains(&name.as_str()) || asked.contains(&name.as_str()));
    json!(shown)
}
