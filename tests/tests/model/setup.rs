//! What a model is made of and never changes: the configuration, the signups, and how much may go wrong.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use domain::config::{Config, Draft, Sources};
use domain::credits::Price;
use domain::identity::{HashKey, KeyKind};
use domain::observation::{Basis, Observation};
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::{FieldClass, Schema};
use domain::signup::{RunId, Signup};
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;
use intake::WebhookSecret;
use serde_json::json;

use crate::breakage::Breakage;
use crate::stored::Stored;

/// One paid operation, a score that reads it, a route that tells the kinds of signup apart, and a CRM.
const CONFIG: &str = "
version: 1
preset: model
credits: {allocation: ALLOCATION}
deadlines: {interactive: 2s, background: 20s, patience: 5m, identity_window: 1h}
crm:
  target: hubspot
  properties: {company_headcount: company.headcount, plg_lead_score: decision.score, routing_track: decision.track}
";
const PRESET: &str = "
freshness: signup
plan: {until: everything}
steps:
  - {name: company, wants: [company.headcount], providers: [vendor.company]}
score:
  - {when: company.headcount >= 50, points: 30, because: fifty people or more}
route:
  rules:
    - {when: 'signup.arrival == \"demo_request\"', to: ae_queue, because: asked for a demo}
  otherwise: self_serve
  undecided: self_serve
";
const OPERATION: &str = "vendor.company";
const SECRET: &str = "a secret of the form, for the model only";

/// How often each thing may go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// A worker ends between two requests.
    pub(crate) crashes: u8,
    /// A write takes effect and its answer is lost.
    pub(crate) lost: u8,
    /// The vendor or the CRM does as told and does not answer.
    pub(crate) hangs: u8,
    /// The queue delivers a message twice.
    pub(crate) duplicates: u8,
    /// Time passes over workers that are in the middle of something.
    pub(crate) stalls: u8,
}

/// A signup as it comes in, and by what it is known later.
pub(crate) struct Incoming {
    pub(crate) delivery: &'static str,
    pub(crate) arrival: &'static str,
    pub(crate) address: String,
    pub(crate) run: RunId,
    pub(crate) answer_by: Timestamp,
}

/// What the CRM should hold of a record.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The signup that decided it.
    pub(crate) signup: usize,
    pub(crate) address: String,
    pub(crate) properties: BTreeMap<String, String>,
}

pub(crate) struct Setup {
    pub(crate) start: Timestamp,
    pub(crate) config: Arc<Config>,
    pub(crate) key: Arc<HashKey>,
    pub(crate) signups: Vec<Incoming>,
    pub(crate) price: Credits,
    pub(crate) workers: usize,
    /// Whether the senders have their 2xx already, so that the model begins with the messages.
    pub(crate) is_accepted: bool,
    /// Requests made together take effect in the order in which they were made, instead of in any.
    pub(crate) in_order: bool,
    pub(crate) faults: Faults,
    pub(crate) broken: Option<Breakage>,
    /// What each request did to each store.
    pub(crate) changes: Mutex<Changes>,
}

/// By fingerprint of the store and name of the request: the store afterwards, and the answer.
pub(crate) type Changes = HashMap<(u64, u64), (Arc<Stored>, Arc<dyn Any + Send + Sync>)>;

impl Setup {
    /// Signups by delivery, address and kind.
    pub(crate) fn new(signups: &[(&'static str, &'static str, &'static str)], allocation: i64, faults: Faults) -> Self {
        let start = Timestamp::from_millis(1_795_176_000_000);
        let key = Arc::new(HashKey::new(vec![7; 32]).unwrap());
        let config = Arc::new(config(allocation));
        let incoming = |&(delivery, address, arrival): &(&'static str, &'static str, &'static str)| {
            let signup = Signup { issuer: "signup".into(), delivery: delivery.into(), ..Signup::default() };
            let answer_by = start.after(config.deadlines.interactive);
            Incoming { delivery, arrival, address: address.to_owned(), run: signup.run_id(&key), answer_by }
        };
        let signups = signups.iter().map(incoming).collect();
        Self {
            start,
            signups,
            key,
            price: Credits::whole(2),
            workers: 2,
            is_accepted: false,
            in_order: false,
            faults,
            broken: None,
            changes: Mutex::default(),
            config,
        }
    }

    /// The same world, beginning with the messages in the queue.
    pub(crate) fn accepted(self) -> Self {
        Self { is_accepted: true, ..self }
    }

    /// The same world with fewer orders.
    pub(crate) fn in_order(self) -> Self {
        Self { in_order: true, ..self }
    }

    pub(crate) fn broken(self, broken: Breakage) -> Self {
        Self { broken: Some(broken), ..self }
    }

    pub(crate) fn signup_of(&self, run: &RunId) -> usize {
        self.signups.iter().position(|signup| signup.run == *run).expect("a run of ours")
    }

    /// The request by which a signup comes in, signed at `now`.
    pub(crate) fn request(&self, signup: usize, now: Timestamp) -> serde_json::Value {
        let Incoming { delivery, arrival, address, .. } = &self.signups[signup];
        let body = json!({"email": address, "signup_source": arrival, "timestamp": self.start.to_string()}).to_string();
        let signed = intake::sign("signup", body.as_bytes(), &secret().value, Some(delivery), now).unwrap();
        let headers = signed.into_iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        stand_in::post_event("signup", headers, &body, now)
    }
}

pub(crate) fn secret() -> WebhookSecret {
    WebhookSecret { value: SECRET.into(), until: None }
}

/// What the vendor knows.
pub(crate) fn answer(observed_at: Timestamp) -> Reply {
    let observation = Observation {
        field: Schema::default().field("company.headcount").unwrap(),
        value: Value::number(1200),
        source: OPERATION.into(),
        family: "vendor".into(),
        observed_at,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    };
    Reply::Hit { observations: vec![observation] }
}

fn config(allocation: i64) -> Config {
    let operation = Operation {
        name: OPERATION.into(),
        family: "vendor".into(),
        provider: "vendor".into(),
        keys: vec![KeyKind::Domain],
        supplies: vec![Schema::default().field("company.headcount").unwrap()],
        inferred: vec![],
        price: Price { per_hit: Credits::whole(2), ..Price::default() },
        class: FieldClass::Company,
        timeout: Millis::seconds(4),
        batch: None,
    };
    let main = CONFIG.replace("ALLOCATION", &allocation.to_string());
    let files = [("millrace.yaml", main), ("presets/model.yaml", PRESET.to_owned())];
    let sources = Sources::new(files.map(|(path, text)| (path.to_owned(), text)));
    let draft = Draft::read(&sources).unwrap_or_else(|findings| panic!("{findings}"));
    draft.check_for_use([(operation.name.clone(), operation)].into()).unwrap_or_else(|findings| panic!("{findings}"))
}
