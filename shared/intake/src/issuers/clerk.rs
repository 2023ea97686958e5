//! Clerk, whose webhooks Svix sends (WIRE-FORMATS §3.2). The dedupe key is `svix-id`, the same on every try.
//!
//! Company, source and job role have no place of their own in a Clerk user; they are read from `unsafe_metadata`, which
//! the application's sign-up page fills, under the plain form's names. `provider_user_id` of an external account is taken
//! from memory of the vendor's user object and not confirmed [M]; Clerk's own `id` of the account stands in for it.

use domain::signup::{Arrival, Signup};
use domain::units::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Issuer, believable};
use crate::accept::Event;
use crate::document;
use crate::problem::Problem;
use crate::request::RawRequest;
use crate::signature::{InvalidSecret, Refusal, Secret, SignedHeaders, Verified, standard_webhooks};

/// The last millisecond of the year 9999; a larger number is not a moment.
const LAST_MILLI: i64 = 253_402_300_799_999;

/// Clerk.
pub(crate) struct Clerk;

impl Issuer for Clerk {
    fn name(&self) -> &'static str {
        "clerk"
    }

    fn decode_secret(&self, text: &str) -> Result<Secret, InvalidSecret> {
        standard_webhooks::decode_secret(text)
    }

    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret], now: Timestamp) -> Result<Verified<'a>, Refusal> {
        standard_webhooks::verify(request, secrets, now)
    }

    fn parse(&self, verified: &Verified<'_>) -> Result<Event, Problem> {
        let event = document::read(verified.body())?;
        let kind = event.get("type").and_then(Value::as_str).ok_or(Problem::MissingField("type"))?;
        if kind != "user.created" {
            return Ok(Event::Ignored { why: "a Clerk event other than user.created" });
        }
        let user = event.get("data").and_then(Value::as_object).ok_or(Problem::MissingField("data"))?;
        let mut signup = read_user(user)?;
        signup.issuer = self.name().to_owned();
        signup.delivery = verified.delivery().ok_or(Problem::MissingField("svix-id"))?.to_owned();
        let said = moment(user.get("created_at")).or_else(|| moment(event.get("timestamp")));
        let received_at = verified.request().received_at;
        signup.occurred_at = said.map_or(received_at, |said| believable(said, received_at));
        signup.check().map_err(Problem::NobodyNamed)?;
        Ok(Event::Signup(signup))
    }

    fn sign(&self, body: &[u8], secret: &Secret, delivery: Option<&str>, now: Timestamp) -> SignedHeaders {
        let made_up = || {
            let hash = Sha256::new().chain_update(now.millis().to_be_bytes()).chain_update(body).finalize();
            format!("msg_{}", hex::encode(&hash[..12]))
        };
        let delivery = delivery.map_or_else(made_up, str::to_owned);
        standard_webhooks::sign(body, secret, &delivery, now)
    }
}

fn read_user(user: &Map<String, Value>) -> Result<Signup, Problem> {
    let text = |name: &str| document::text(user.get(name));
    let metadata = |name: &str| document::text(user.get("unsafe_metadata").and_then(|metadata| metadata.get(name)));
    let address = primary_address(user);
    let source = metadata("signup_source");
    Ok(Signup {
        email: document::email(address.and_then(|address| address.get("email_address")))?,
        email_verified: address.is_some_and(|address| status(address) == Some("verified")),
        name: document::full_name(text("first_name"), text("last_name")),
        company_name: metadata("company_name"),
        job_role: metadata("job_role"),
        sso_identity: sso_identity(user),
        external_id: text("id"),
        arrival: source.as_deref().map_or_else(Arrival::default, Arrival::of_source),
        source,
        ..Signup::default()
    })
}

/// The address marked as primary, else the first.
fn primary_address(user: &Map<String, Value>) -> Option<&Value> {
    let addresses = user.get("email_addresses")?.as_array()?;
    let primary = user.get("primary_email_address_id").filter(|id| id.is_string());
    addresses.iter().find(|address| primary.is_some() && address.get("id") == primary).or_else(|| addresses.first())
}

/// `provider:subject` of the first external account that Clerk does not call unverified.
fn sso_identity(user: &Map<String, Value>) -> Option<String> {
    let accounts = user.get("external_accounts")?.as_array()?;
    accounts.iter().filter(|account| status(account).is_none_or(|status| status == "verified")).find_map(|account| {
        let text = |name: &str| document::text(account.get(name));
        Some(format!("{}:{}", text("provider")?, text("provider_user_id").or_else(|| text("id"))?))
    })
}

fn status(verifiable: &Value) -> Option<&str> {
    verifiable.get("verification")?.get("status")?.as_str()
}

/// Clerk counts milliseconds since 1970.
fn moment(value: Option<&Value>) -> Option<Timestamp> {
    let millis = value?.as_i64().filter(|millis| (0..=LAST_MILLI).contains(millis))?;
    Some(Timestamp::from_millis(millis))
}
