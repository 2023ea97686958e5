//! A generated world: rules, providers, the steps that ask them, and what is wanted besides the track.

use std::collections::BTreeMap;

use domain::coverage::{Audience, Channel};
use domain::plan::{OnError, Step, Stop};
use domain::route::Track;
use domain::rules::Action;
use domain::schema::Field;
use domain::units::{BasisPoints, Credits};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fields::{FIELDS, condition, text};
use crate::judges::{Judges, judges};
use crate::vendors::Vendor;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) judges: Judges,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) steps: Vec<Step>,
    /// Whether the signup claims a company.
    pub(crate) claims: bool,
    pub(crate) wishes: Wishes,
    pub(crate) action: Action,
}

/// What is paid for whatever the track.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) fields: Vec<Field>,
    pub(crate) by_track: BTreeMap<Track, Vec<Field>>,
    pub(crate) audiences: Vec<Audience>,
}

impl World {
    /// The same world with somebody who wants something.
    pub(crate) fn wishing(self, wishes: Wishes) -> Self {
        Self { wishes, ..self }
    }

    /// The same world when only certain fields are looked up.
    pub(crate) fn looking_up(self, fields: Vec<Field>) -> Self {
        Self { action: Action::Fields(fields), ..self }
    }

    /// The same world with what each step may spend.
    pub(crate) fn spending(mut self, budgets: &[Option<i64>]) -> Self {
        for (step, budget) in self.steps.iter_mut().zip(budgets) {
            step.budget = budget.map(Credits::whole);
        }
        self
    }
}

/// Worlds of at most six steps, where nobody wants anything besides the track and no step has a budget.
pub(crate) fn world(vendors: impl Strategy<Value = Vec<Vendor>>) -> impl Strategy<Value = World> {
    // S4-24: a step may depend on the score.
    let of_score = (0i64..100, text(true)).prop_map(|(least, text)| format!("score >= {least} || {text}"));
    let when = prop_oneof![3 => text(true), 1 => (0i64..100).prop_map(|least| format!("score < {least}")), 1 => of_score];
    let steps = prop::collection::vec((prop::option::weighted(0.3, when), stop(), 1usize..3), 6);
    (judges(), vendors, steps, prop::bool::ANY).prop_map(|(judges, vendors, shapes, claims)| {
        let mut names: Vec<String> = (0..vendors.len()).map(|number| format!("v{number}.look")).collect();
        let mut steps = Vec::new();
        for (number, (when, stop, size)) in shapes.into_iter().enumerate() {
            let providers: Vec<String> = names.drain(..size.min(names.len())).collect();
            let first = providers.first().and_then(|name| name[1..2].parse::<usize>().ok());
            let Some(first) = first else { break };
            steps.push(Step {
                name: format!("s{number}"),
                when: when.map(|text| condition(&text)),
                wants: vendors[first].tells.keys().map(|field| Field::known(FIELDS[*field].0)).collect(),
                providers,
                stop: Some(stop),
                guards: Vec::new(),
                budget: None,
                batch: None,
                timeout: None,
                required: false,
                on: OnError::default(),
            });
        }
        World { judges, vendors, steps, claims, wishes: Wishes::default(), action: Action::AllMissing }
    })
}

fn stop() -> impl Strategy<Value = Stop> {
    select(vec![Stop::DEFAULT, Stop::FirstUsable, Stop::Confidence(BasisPoints::new(9000)), Stop::Confirmations(2)])
}

/// Fields that are paid for, for all leads and by track, and audiences that require channels.
pub(crate) fn wishes() -> impl Strategy<Value = Wishes> {
    let track = select(Track::ALL.to_vec());
    (some_fields(0..3), prop::collection::btree_map(track, some_fields(1..3), 0..3), prop::collection::vec(audience(), 0..3))
        .prop_map(|(fields, by_track, audiences)| Wishes { fields, by_track, audiences })
}

pub(crate) fn some_fields(size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Field>> {
    let told = FIELDS.iter().map(|(path, ..)| Field::known(path)).collect::<Vec<_>>();
    subsequence(told, size)
}

fn audience() -> impl Strategy<Value = Audience> {
    let when = prop_oneof![2 => text(true), 1 => (0i64..100).prop_map(|least| format!("score >= {least}"))];
    (when, subsequence(Channel::ALL.to_vec(), 1..3)).prop_map(|(when, requires)| Audience {
        name: format!("audience of {when}"),
        when: condition(&when),
        requires,
    })
}

/// What each step may spend on one lead.
pub(crate) fn budgets() -> impl Strategy<Value = Vec<Option<i64>>> {
    prop::collection::vec(prop::option::weighted(0.7, 0i64..6), 6)
}
