//! The condition language from outside: the source documents' own words, three-valued logic, CEL as oracle, arbitrary text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod fuzz;
mod generate;
mod guide;
mod kleene;
mod oracle;
mod source_documents;

use domain::condition::Condition;
use domain::merge::{Fact, Facts};
use domain::schema::Schema;
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use proptest::test_runner::{Config, RngAlgorithm};

fn facts<P: AsRef<str>>(known: impl IntoIterator<Item = (P, Value)>) -> Facts {
    let fact = |value: Value| Fact {
        value,
        confidence: BasisPoints::ONE,
        sources: vec!["test".into()],
        confirmations: 1,
        observed_at: Timestamp::from_millis(0),
        conflicts: vec![],
        checks: vec![],
    };
    known.into_iter().map(|(path, value)| (Schema::default().field(path.as_ref()).unwrap(), fact(value))).collect()
}

fn parse(text: &str) -> Condition {
    Condition::parse(text, &Schema::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Without optimisation, proptest's usual source of chance takes half of the time.
fn cases(cases: u32) -> Config {
    Config { cases, rng_algorithm: RngAlgorithm::XorShift, failure_persistence: None, ..Config::default() }
}
