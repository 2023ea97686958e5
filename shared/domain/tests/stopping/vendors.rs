//! Providers of a generated world: what they cost and what they tell.

use std::collections::BTreeMap;

use domain::observation::{Basis, Observation};
use domain::schema::Field;
use domain::units::BasisPoints;
use proptest::prelude::*;
use proptest::sample::select;

use crate::NOW;
use crate::fields::{FIELDS, value};

/// A provider: what it costs, how far it is trusted, and what it tells of each field that it supplies, if anything.
#[derive(Clone, Debug)]
pub(crate) struct Vendor {
    pub(crate) credits: i64,
    pub(crate) reliability: u16,
    pub(crate) tells: BTreeMap<usize, Option<String>>,
}

/// Providers that tell of each field the truth or nothing.
pub(crate) fn vendors() -> impl Strategy<Value = Vec<Vendor>> {
    let truth: Vec<_> = FIELDS.iter().map(|(_, values, _)| select(*values)).collect();
    let supplies = prop::collection::btree_map(0..FIELDS.len(), prop::bool::weighted(0.8), 1..4);
    let vendor = (0i64..4, select(vec![4000u16, 6000, 8500]), supplies);
    (truth, prop::collection::vec(vendor, 1..6)).prop_map(|(truth, vendors)| {
        let vendor = |(credits, reliability, supplies): (i64, u16, BTreeMap<usize, bool>)| Vendor {
            credits,
            reliability,
            tells: supplies.into_iter().map(|(field, knows)| (field, knows.then(|| truth[field].to_owned()))).collect(),
        };
        vendors.into_iter().map(vendor).collect()
    })
}

/// The same, each with an opinion of its own.
pub(crate) fn contrary_vendors() -> impl Strategy<Value = Vec<Vendor>> {
    let told = (0..FIELDS.len()).prop_flat_map(|field| (Just(field), prop::option::weighted(0.8, select(FIELDS[field].1))));
    let supplies = prop::collection::vec(told, 1..4);
    let vendor = (0i64..4, select(vec![4000u16, 6000, 8500]), supplies).prop_map(|(credits, reliability, told)| Vendor {
        credits,
        reliability,
        tells: told.into_iter().map(|(field, value)| (field, value.map(str::to_owned))).collect(),
    });
    prop::collection::vec(vendor, 1..6)
}

pub(crate) fn said_by(vendor: &Vendor, operation: &str) -> Vec<Observation> {
    let told = vendor.tells.iter().filter_map(|(field, told)| Some((FIELDS[*field].0, told.as_deref()?)));
    told.map(|(path, written)| observation(path, written, operation)).collect()
}

pub(crate) fn observation(path: &'static str, written: &str, source: &str) -> Observation {
    Observation {
        field: Field::known(path),
        value: value(path, written),
        source: source.to_owned(),
        family: source.to_owned(),
        observed_at: NOW,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}
