use domain::identity::Email;
use domain::observation::{Basis, Observation};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::schema::Schema;
use domain::signup::{Arrival, Signup};
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use pipeline::messages::LookupMessage;

/// Somebody who signs up: person number and company number. Company 0 is a throw-away mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The person within the company.
    pub number: u32,
    /// The company; its number decides what providers know of it.
    pub company: u32,
}

impl Person {
    /// The address.
    #[must_use]
    pub fn email(self) -> String {
        format!("p{}@c{}.io", self.number, self.company)
    }

    /// The message of a signup of this person.
    #[must_use]
    pub fn signs_up(self, delivery: &str, arrival: Arrival, at: Timestamp) -> LookupMessage {
        let signup = Signup {
            issuer: "signup".into(),
            delivery: delivery.into(),
            arrival,
            email: Some(Email::parse(&self.email()).expect("the address is a plain one")),
            occurred_at: at,
            ..Signup::default()
        };
        LookupMessage::of(signup, Priority::of_arrival(arrival), at)
    }
}

/// What a source says when it is asked: always the same, by the numbers in the key.
pub(super) fn truth(operation: &str, key: &str, now: Timestamp) -> Reply {
    let tail = key.rsplit_once('c').map_or("", |(_, tail)| tail);
    let company: u32 = tail.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default();
    match operation {
        "email" => hit("email", now, &[("email.kind", Value::text("work")), ("email.disposable", Value::Bool(company == 0))]),
        "dns" => hit("dns", now, &[("email.mx_found", Value::Bool(true)), ("email.domain_exists", Value::Bool(true))]),
        "rdap" => hit("rdap", now, &[("email.domain_registered_at", Value::text("2012-03-04"))]),
        "website" => hit("website", now, &[("company.description", Value::text(format!("company {company}")))]),
        "crustdata.company" if company % 7 == 6 => Reply::NoMatch,
        "crustdata.company" => {
            let headcount = Value::number([40, 1200, 300, 9000, 60][company as usize % 5]);
            let stage = Value::text(["seed", "series_c"][company as usize % 2]);
            let fields = [("company.headcount", headcount), ("company.funding_stage", stage), ("company.tech_stack", Value::list(["aws"]))];
            hit(operation, now, &fields)
        }
        _ if key.starts_with("p9") => Reply::NoMatch,
        _ => hit(operation, now, &[("contact.seniority", Value::text(if key.starts_with("p1") { "vp" } else { "entry" }))]),
    }
}

fn hit(source: &str, now: Timestamp, fields: &[(&str, Value)]) -> Reply {
    let observe = |(path, value): &(&str, Value)| Observation {
        field: Schema::default().field(path).expect("a canonical field"),
        value: value.clone(),
        source: source.to_owned(),
        family: source.split('.').next().unwrap_or(source).to_owned(),
        observed_at: now,
        stated: BasisPoints::ONE,
        basis: if source == "email" { Basis::Validated } else { Basis::Stated },
    };
    Reply::Hit { observations: fields.iter().map(observe).collect() }
}
