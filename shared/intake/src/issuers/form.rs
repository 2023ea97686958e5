//! The plain form, `POST /webhook/signup` (S3-46, S3-48): a site's own form or a CRM's, signed by the site's server as
//! `X-Millrace-Signature: t=<unix seconds>,v1=<hex hmac-sha256 of t.body>`.
//!
//! Fields: `timestamp` (RFC 3339, required) and any of `email`, `name` or `first_name` and `last_name`, `company_name`,
//! `job_role`, `domain`, `linkedin_url` or `social_url`, `external_id`, `signup_source`. Every other scalar, such as
//! `product`, is kept as a custom value, and so is a domain or URL that cannot be used as one. A company's LinkedIn page in
//! either URL field is kept as the company's.

use domain::identity::Domain;
use domain::signup::{Arrival, NobodyNamed, Signup};
use domain::units::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Issuer, believable};
use crate::accept::Event;
use crate::problem::Problem;
use crate::request::RawRequest;
use crate::signature::{InvalidSecret, Refusal, Secret, SignedHeaders, Verified, timestamped};
use crate::{document, profile};

const SIGNATURE: &str = "x-millrace-signature";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The plain form.
pub(crate) struct Form;

impl Issuer for Form {
    fn name(&self) -> &'static str {
        "signup"
    }

    fn decode_secret(&self, text: &str) -> Result<Secret, InvalidSecret> {
        timestamped::decode_secret(text)
    }

    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret], now: Timestamp) -> Result<Verified<'a>, Refusal> {
        timestamped::verify(request, SIGNATURE, secrets, now)
    }

    fn parse(&self, verified: &Verified<'_>) -> Result<Event, Problem> {
        let mut signup = read_fields(document::read(verified.body())?)?;
        signup.issuer = self.name().to_owned();
        signup.check().map_err(Problem::NobodyNamed)?;
        signup.delivery = delivery(verified.request(), &signup)?; // by the moment as it was sent, which a retry repeats
        signup.occurred_at = believable(signup.occurred_at, verified.request().received_at);
        Ok(Event::Signup(signup))
    }

    fn sign(&self, body: &[u8], secret: &Secret, delivery: Option<&str>, now: Timestamp) -> SignedHeaders {
        let mut headers = timestamped::sign(body, SIGNATURE, secret, now);
        headers.extend(delivery.map(|key| (IDEMPOTENCY_KEY, key.to_owned())));
        headers
    }
}

/// Takes the known fields out of the map; what is left is custom.
fn read_fields(mut fields: Map<String, Value>) -> Result<Signup, Problem> {
    let mut take = |name: &str| fields.remove(name);
    let email = document::email(take("email").as_ref())?;
    let occurred_at = read_moment(take("timestamp").as_ref())?;
    let mut text = |name: &str| document::text(take(name).as_ref());
    let full_name = document::full_name(text("first_name"), text("last_name"));
    let source = text("signup_source");
    Ok(Signup {
        email,
        name: text("name").or(full_name),
        company_name: text("company_name"),
        job_role: text("job_role"),
        external_id: text("external_id"),
        arrival: source.as_deref().map_or_else(Arrival::default, Arrival::of_source),
        source,
        occurred_at,
        domain: take_usable(&mut fields, "domain", company_domain),
        social_url: take_profile(&mut fields, profile::person_url),
        company_linkedin_url: take_profile(&mut fields, profile::company_linkedin_url),
        custom: document::custom(fields),
        ..Signup::default()
    })
}

/// People put their company's page where their own belongs, so each kind of page is looked for in both places.
fn take_profile(fields: &mut Map<String, Value>, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    take_usable(fields, "linkedin_url", &read).or_else(|| take_usable(fields, "social_url", &read))
}

/// Takes a field out of the map only if `read` can use it, so that otherwise it stays visible among the custom values.
fn take_usable<T>(fields: &mut Map<String, Value>, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let usable = read(fields.get(name)?.as_str()?)?;
    fields.remove(name);
    Some(usable)
}

/// A domain that names a company; that of a mailbox provider does not.
fn company_domain(text: &str) -> Option<Domain> {
    Domain::parse(text).ok().filter(|domain| !domain.is_personal())
}

fn read_moment(value: Option<&Value>) -> Result<Timestamp, Problem> {
    let text = document::text(value).ok_or(Problem::MissingField("timestamp"))?;
    Timestamp::parse(&text).ok_or(Problem::InvalidTimestamp("timestamp"))
}

/// The sender's `Idempotency-Key`, or S3-49's key: who, and a short hash of when. A retry repeats both, a second click has a
/// new timestamp and is another delivery of the same person. The header is not signed: whoever can replay a signed
/// body within its five minutes could rename it, and then only the identity's own hour holds.
fn delivery(request: &RawRequest, signup: &Signup) -> Result<String, Problem> {
    if let Some(key) = request.headers.get(IDEMPOTENCY_KEY) {
        return read_key(key.as_bytes()).ok_or(Problem::InvalidIdempotencyKey);
    }
    let who = match &signup.email {
        Some(email) => email.expose().to_owned(),
        None => {
            let strongest = signup.lookup_keys().into_iter().next().ok_or(Problem::NobodyNamed(NobodyNamed))?;
            format!("{}:{}", strongest.kind.as_str(), strongest.value)
        }
    };
    let when = Sha256::digest(signup.occurred_at.millis().to_be_bytes());
    Ok(format!("{who}:{}", hex::encode(&when[..6])))
}

/// The IETF draft writes the key in quotes, most senders do not.
fn read_key(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let is_usable = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    is_usable.then(|| key.to_owned())
}
