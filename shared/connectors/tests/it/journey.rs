//! One lead on its way through a preset: the plan asks, invented providers tell, and the decision is made.

use std::collections::BTreeMap;

use domain::config::Config;
use domain::decide::{Evidence, decide};
use domain::decision::Decision;
use domain::identity::Email;
use domain::merge::{Facts, merge};
use domain::observation::{Basis, Observation};
use domain::plan::{self, Ask, Call, CallOutcome, Next, Situation};
use domain::priority::Priority;
use domain::run::Run;
use domain::signup::{RunId, Signup};
use domain::units::{BasisPoints, Credits, Millis};
use domain::value::Value;

use crate::world::NOW;

/// Fields and their values, as a form or a provider says them.
pub(crate) type Said<'a> = &'a [(&'a str, Value)];

/// One lead on its way: what its form said, and what every provider would say of it.
struct Lead<'a> {
    config: &'a Config,
    email: &'a str,
    said: Said<'a>,
    told: &'a BTreeMap<&'a str, Said<'a>>,
}

/// Whom it was asked of, in order, and what came of it.
pub(crate) struct Journey {
    pub(crate) made: Vec<String>,
    pub(crate) cost: Credits,
    pub(crate) decision: Decision,
}

impl Lead<'_> {
    fn observation(&self, source: &str, path: &str, value: &Value) -> Observation {
        Observation {
            field: self.config.schema.field(path).unwrap(),
            value: value.clone(),
            source: source.to_owned(),
            family: source.split('.').next().unwrap().to_owned(),
            observed_at: NOW,
            stated: BasisPoints::ONE,
            basis: if source == "email" { Basis::Validated } else { Basis::Stated },
        }
    }

    fn run(&self) -> Run {
        let signup = Signup { email: Some(Email::parse(self.email).unwrap()), occurred_at: NOW, ..Signup::default() };
        let mut run = Run::begin(RunId::parse(&"a".repeat(43)).unwrap(), signup, Priority::High, NOW, &self.config.hash);
        run.finish_by(NOW.after(Millis::seconds(20)));
        run.observations = self.said.iter().map(|(path, value)| self.observation("signup", path, value)).collect();
        run.observations.push(self.observation("signup", "contact.email", &Value::text(self.email)));
        run
    }

    fn facts(&self, run: &Run) -> Facts {
        merge(&run.observations, &self.config.schema, &self.config.trust, NOW)
    }

    /// Asks as the plan says until nobody is left.
    fn travel(&self) -> Journey {
        let (mut run, mut made) = (self.run(), Vec::new());
        loop {
            let facts = self.facts(&run);
            let keys = run.lookup_keys(&facts);
            match plan::next(&Situation::of(self.config, &run, &facts, &keys, NOW)) {
                Next::Ask(asks) => {
                    for ask in asks {
                        made.push(ask.operation.clone());
                        self.answer(&mut run, ask);
                    }
                }
                Next::Skip { step, operation, why } => {
                    run.calls.push(line(step, operation, CallOutcome::NotMade { why }, Credits::ZERO));
                }
                Next::Wait { .. } => panic!("nobody limits the rate here"),
                Next::Done => break,
            }
        }
        let facts = self.facts(&run);
        let evidence = Evidence { facts: &facts, calls: &run.calls, open: &[], paid_by: None, before: None, accepted_at: NOW };
        Journey { made, cost: run.cost(), decision: decide(self.config, &evidence, 1, NOW) }
    }

    fn answer(&self, run: &mut Run, ask: Ask) {
        let told = self.told.get(ask.operation.as_str()).copied().unwrap_or_default();
        let heard: Vec<Observation> = told.iter().map(|(path, value)| self.observation(&ask.operation, path, value)).collect();
        let fields = heard.iter().map(|observation| observation.field.clone()).collect();
        run.observations.extend(heard);
        let cost = self.config.catalogue[&ask.operation].price.actual(!told.is_empty(), 0);
        let outcome = if told.is_empty() { CallOutcome::NoMatch } else { CallOutcome::Hit { fields } };
        run.calls.push(line(ask.step, ask.operation, outcome, cost));
    }
}

fn line(step: String, operation: String, outcome: CallOutcome, cost: Credits) -> Call {
    Call { step, operation, outcome, at: NOW, latency: Millis(0), cost, key: None, cached: false }
}

/// Sends a lead on its way; nobody knows what is not `told`.
pub(crate) fn travel(config: &Config, email: &str, said: Said<'_>, told: &[(&str, Said<'_>)]) -> Journey {
    let kind = if email.ends_with("mailinator.com") { "disposable" } else { "work" };
    let of_address = [("email.kind", Value::text(kind)), ("email.disposable", Value::Bool(kind == "disposable"))];
    let told: BTreeMap<&str, Said<'_>> = told.iter().copied().chain([("email", &of_address[..])]).collect();
    Lead { config, email, said, told: &told }.travel()
}
