//! What a vendor's answer means (S4-26…29): pure, so that recorded examples are read as real answers are.

use domain::observation::Observation;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::units::{BasisPoints, Millis, Timestamp};
use serde_json::Value as Json;

use crate::connector::{Http, Meaning, Test};
use crate::egress::{Answer, Failure};
use crate::normalise::says_nothing;
use crate::path::Path;
use crate::wait::asked_wait;

/// Where a vendor that limits us names no time.
const WAIT_DEFAULT: Millis = Millis::seconds(1);
/// Nobody waits for longer (S4-27).
const WAIT_MAX: Millis = Millis::minutes(5);
pub(crate) const OTHER_SHAPE: &str = "the answer has another shape than the connector expects";

/// The reply that no answer is.
pub(crate) fn of_failure(failure: Failure) -> Reply {
    match failure {
        Failure::TimedOut => Reply::TimedOut,
        // The request went out, so the vendor may have done the work and billed it.
        Failure::TooLong | Failure::Broken => unreadable(failure.to_string()),
        Failure::Refused(_) | Failure::NoSuchName | Failure::NoConnection => failed(failure.to_string()),
    }
}

pub(crate) fn failed(why: impl Into<String>) -> Reply {
    Reply::Failed { why: why.into() }
}

pub(crate) fn unreadable(why: impl Into<String>) -> Reply {
    Reply::Unreadable { why: why.into() }
}

/// The reply to a rate limit.
pub(crate) fn rate_limited(answer: &Answer, reset_header: Option<&http::HeaderName>, now: Timestamp) -> Reply {
    let asked = asked_wait(&answer.headers, reset_header, now).unwrap_or(WAIT_DEFAULT);
    Reply::RateLimited { retry_after: asked.min(WAIT_MAX) }
}

/// What an answer says to one key, and where the hit stands in it.
pub(crate) struct Part<'a> {
    pub(crate) status: u16,
    pub(crate) body: Option<&'a Json>,
    pub(crate) hit: &'a [Path],
    pub(crate) no_match: &'a [Path],
}

impl Http {
    /// Reads an answer to this operation.
    pub(crate) fn read(&self, operation: &Operation, answer: &Answer, now: Timestamp) -> Reply {
        // As one text: of bytes, the parser would check each string of them by itself.
        let body: Option<Json> = std::str::from_utf8(&answer.body).ok().and_then(|text| self.wanted.read(text).ok());
        self.read_parsed(operation, answer, body.as_ref(), now)
    }

    /// The same with the body as it was parsed; `None` where it is no JSON.
    pub(crate) fn read_parsed(&self, operation: &Operation, answer: &Answer, body: Option<&Json>, now: Timestamp) -> Reply {
        let part = Part { status: answer.status, body, hit: &self.hit, no_match: &self.no_match };
        self.read_part(operation, &part, answer, now)
    }

    /// Reads what an answer says to one key.
    pub(crate) fn read_part(&self, operation: &Operation, part: &Part<'_>, answer: &Answer, now: Timestamp) -> Reply {
        if let Some(meaning) = self.meaning(part.status, part.body) {
            return self.reply_to(meaning, part.status, answer, now);
        }
        let Some(body) = part.body else {
            return unreadable("the answer is no JSON, or not all of it");
        };
        // 2xx alone is no hit: several vendors say 200 and mean something else (WIRE-FORMATS §0.7).
        if let Some(hit) = hit_in(part.hit, body) {
            return self.read_hit(operation, hit, now);
        }
        let is_miss = part.no_match.iter().any(|path| path.first(body).is_some_and(says_nothing));
        if is_miss { Reply::NoMatch } else { unreadable(OTHER_SHAPE) }
    }

    /// The part of an answer that is the hit.
    pub(crate) fn hit_in<'a>(&self, body: &'a Json) -> Option<&'a Json> {
        hit_in(&self.hit, body)
    }

    /// The reply that an answer is which is no hit.
    pub(crate) fn reply_to(&self, meaning: Meaning, status: u16, answer: &Answer, now: Timestamp) -> Reply {
        match meaning {
            Meaning::OutOfCredits => Reply::OutOfCredits,
            Meaning::RateLimited => rate_limited(answer, self.reset_header.as_ref(), now),
            Meaning::AuthFailed => Reply::AuthFailed,
            Meaning::NoMatch => Reply::NoMatch,
            Meaning::Failed => failed(format!("answered {status} with an error")),
        }
    }

    pub(crate) fn meaning(&self, status: u16, body: Option<&Json>) -> Option<Meaning> {
        let written = self.meanings.iter().find(|(_, test)| holds(test, status, body)).map(|(meaning, _)| *meaning);
        written.or(match status {
            200..=299 => None,
            401 | 403 => Some(Meaning::AuthFailed),
            402 => Some(Meaning::OutOfCredits),
            429 => Some(Meaning::RateLimited),
            _ => Some(Meaning::Failed),
        })
    }

    /// A hit bills, so it is one even when none of its fields can be read.
    fn read_hit(&self, operation: &Operation, hit: &Json, now: Timestamp) -> Reply {
        if !hit.is_object() && !hit.is_array() {
            return unreadable(OTHER_SHAPE);
        }
        let stated = self.stated(hit);
        let mut observations = Vec::with_capacity(self.fields.len());
        for (field, mappings) in &self.fields {
            let found = mappings.iter().find_map(|mapping| {
                let value = mapping.paths.iter().find_map(|path| path.found(hit, |nodes| mapping.normaliser.read(nodes, now)))?;
                Some((value, mapping.basis))
            });
            let Some((value, basis)) = found else { continue };
            observations.push(Observation {
                field: field.clone(),
                value,
                source: operation.name.clone(),
                family: operation.family.clone(),
                observed_at: now,
                stated,
                basis,
            });
        }
        Reply::Hit { observations }
    }

    /// The vendor's own confidence; certain where it names none.
    fn stated(&self, hit: &Json) -> BasisPoints {
        first(&self.confidence, hit).and_then(fraction).map_or(BasisPoints::ONE, BasisPoints::from_fraction)
    }
}

fn hit_in<'a>(paths: &[Path], body: &'a Json) -> Option<&'a Json> {
    first(paths, body).filter(|hit| !says_nothing(hit))
}

/// A confidence as vendors write it: 0 to 1.
pub(crate) fn fraction(json: &Json) -> Option<f64> {
    json.as_f64().filter(|fraction| (0.0..=1.0).contains(fraction))
}

pub(crate) fn first<'a>(paths: &[Path], json: &'a Json) -> Option<&'a Json> {
    paths.iter().find_map(|path| path.first(json))
}

fn holds(test: &Test, status: u16, body: Option<&Json>) -> bool {
    let status_holds = test.status.is_none_or(|expected| expected == status);
    let body_holds = test.body.as_ref().is_none_or(|path| body.is_some_and(|body| path.first(body).is_some()));
    status_holds && body_holds
}

#[cfg(test)]
mod tests {
    use domain::config::Sources;
    use domain::schema::Schema;
    use proptest::prelude::*;

    use super::*;
    use crate::connector::{Connector, Speech};
    use crate::load::load;

    fn company() -> Connector {
        let file = "connectors/crustdata.company.yaml";
        let text = include_str!("../../../config/connectors/crustdata.company.yaml");
        let sources = Sources::new([(file.to_owned(), text.to_owned())]);
        load(&sources, &Schema::default()).unwrap().take("crustdata.company").unwrap()
    }

    fn read(connector: &Connector, status: u16, body: &[u8]) -> Reply {
        let Speech::Http(http) = &connector.speech else { panic!("no vendor") };
        let answer = Answer { status, headers: http::HeaderMap::new(), body: body.to_vec() };
        http.read(&connector.operation, &answer, Timestamp::from_millis(0))
    }

    fn anything() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            ".{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::hash_map("total|name|technologies|[a-z]{1,3}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    #[test]
    fn whatever_a_vendor_answers_is_read_and_every_value_is_of_its_fields_kind() {
        let connector = company();
        let schema = Schema::default();
        proptest!(|(bytes in any::<Vec<u8>>(), status in 100u16..600, basics in anything(), headcount in anything(), tech in anything())| {
            let _ = read(&connector, status, &bytes);
            let data = serde_json::json!({"basic_info": basics, "headcount": headcount, "technographics": tech, "funding": basics});
            let body = serde_json::json!([{"matches": [{"company_data": data}]}]).to_string();
            let Reply::Hit { observations } = read(&connector, 200, body.as_bytes()) else { panic!("a hit is a hit whatever its fields") };
            for observation in observations {
                prop_assert!(observation.value.fits(schema.kind_of(&observation.field).0), "{}", observation.field);
                prop_assert!(!observation.value.to_string().trim().is_empty());
            }
        });
    }
}
