//! The generated workload of row e (PERFORMANCE, "Generator for e"): companies, people, and what their providers know of them.

use std::collections::BTreeMap;

use domain::observation::{Basis, Observation};
use domain::schema::Field;
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;

use crate::answer::dice::Dice;

pub(super) const SEED: u64 = 5;
pub(super) const SIGNUPS: u32 = 5000;
pub(super) const DOMAINS: u32 = 1500;
/// The exponent of Zipf's law for the companies that sign up again.
const ZIPF: f64 = 0.95;
/// How often a provider does not know a field.
const MISSING: f64 = 0.10;

/// Somebody who signs up, at a company by number.
pub(super) struct Person {
    pub(super) company: u32,
    seniority: Option<&'static str>,
}

/// Everybody, and what there is to know.
pub(super) struct Universe {
    pub(super) people: Vec<Person>,
    companies: Vec<BTreeMap<&'static str, Value>>,
}

impl Universe {
    pub(super) fn generate() -> Self {
        let dice = Dice::new(SEED);
        let companies = (0..DOMAINS).map(|_| company(&dice)).collect();
        let mut numbers: Vec<u32> = (0..DOMAINS).collect();
        let weights = Weights::zipf(DOMAINS);
        numbers.extend((DOMAINS..SIGNUPS).map(|_| weights.draw(&dice)));
        shuffle(&mut numbers, &dice);
        let people = numbers.into_iter().map(|company| Person { company, seniority: seniority(&dice) }).collect();
        Self { people, companies }
    }

    /// What the company's provider says of it.
    pub(super) fn of_company(&self, number: u32, now: Timestamp) -> Vec<Observation> {
        let known = self.companies.get(usize::try_from(number).unwrap_or(usize::MAX)).into_iter().flatten();
        known.map(|(path, value)| said("crustdata.company", path, value.clone(), now)).collect()
    }

    /// What the person's provider says of the one who signed up as this number.
    pub(super) fn of_person(&self, number: usize, now: Timestamp) -> Vec<Observation> {
        let seniority = self.people.get(number).and_then(|person| person.seniority);
        seniority.map(|word| said("crustdata.person", "contact.seniority", Value::text(word), now)).into_iter().collect()
    }
}

fn said(source: &str, path: &'static str, value: Value, now: Timestamp) -> Observation {
    Observation {
        field: Field::known(path),
        value,
        source: source.to_owned(),
        family: "crustdata".to_owned(),
        observed_at: now,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}

fn company(dice: &Dice) -> BTreeMap<&'static str, Value> {
    let happens = |chance: f64| dice.fraction() < chance;
    let is_big = happens(0.30);
    let outside = if happens(0.9) { 1 + dice.below(49) } else { 5001 + dice.below(50_000) };
    let headcount = if is_big { 50 + dice.below(4951) } else { outside };
    let stages = ["series_a", "series_b", "series_c"];
    let round = stages[usize::try_from(dice.below(3)).unwrap_or(0)];
    let stage = if happens(if is_big { 0.30 } else { 0.10 }) { round } else { "seed" };
    let platform = if happens(0.5) { "kubernetes" } else { "aws" };
    let stack = if happens(if is_big { 0.45 } else { 0.25 }) { platform } else { "react" };
    let trend = if happens(0.25) { "0.30" } else { "0.05" };
    let all = [
        ("company.headcount", Value::number(i64::from(headcount))),
        ("company.funding_stage", Value::text(stage)),
        ("company.tech_stack", Value::list([stack])),
        ("company.traffic_trend_90d", Value::Number(trend.parse().unwrap_or_default())),
    ];
    all.into_iter().filter(|_| !happens(MISSING)).collect()
}

fn seniority(dice: &Dice) -> Option<&'static str> {
    let words = ["director", "vp", "c_level"];
    let decides = words[usize::try_from(dice.below(3)).unwrap_or(0)];
    let word = if dice.fraction() < 0.25 { decides } else { "senior" };
    (dice.fraction() >= MISSING).then_some(word)
}

/// The chances of each number, added up.
struct Weights(Vec<f64>);

impl Weights {
    fn zipf(count: u32) -> Self {
        let mut sum = 0.0;
        Self(
            (1..=count)
                .map(|rank| {
                    sum += f64::from(rank).powf(-ZIPF);
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, dice: &Dice) -> u32 {
        let wanted = dice.fraction() * self.0.last().copied().unwrap_or_default();
        u32::try_from(self.0.partition_point(|sum| *sum <= wanted)).unwrap_or(u32::MAX)
    }
}

/// By Fisher and Yates.
fn shuffle(numbers: &mut [u32], dice: &Dice) {
    for place in (1..numbers.len()).rev() {
        let bound = u32::try_from(place + 1).unwrap_or(u32::MAX);
        numbers.swap(place, usize::try_from(dice.below(bound)).unwrap_or(0));
    }
}
