//! Row f: what a signup asks of the tables when much happened before, against what it asks when nothing did. Dashboards are not in it.

mod memory;
mod wire;

use std::collections::BTreeMap;

use crate::Size;
use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;

pub(crate) const ID: &str = "f";

/// What reads more than one item.
const NOT_BY_KEY: [&str; 4] = ["Query", "Scan", "overdue", "usage"];

/// Records of history on the wire, and in memory, where more fit.
const fn sizes(size: Size) -> (&'static [u32], &'static [u32]) {
    match size {
        Size::Small => (&[1_000], &[100_000]),
        Size::Full => (&[1_000, 10_000], &[100_000, 1_000_000]),
    }
}

/// What the signups of all classes asked for, together.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// How often by operation or verb.
    requests: BTreeMap<String, u32>,
    units: f64,
}

impl Asked {
    fn count(&self) -> f64 {
        f64::from(self.requests.values().sum::<u32>())
    }

    fn not_by_key(&self) -> f64 {
        let found = NOT_BY_KEY.iter().filter_map(|name| self.requests.get(*name));
        f64::from(found.sum::<u32>())
    }
}

/// Measures the row.
pub(crate) async fn measure(size: Size) -> anyhow::Result<Report> {
    let (on_the_wire, in_memory) = sizes(size);
    let mut report = Report::default();
    for (records, before, after) in wire::measure(on_the_wire).await? {
        let what = format!("a hit, one and three paid calls with {records} records of history ÷ with none");
        let (requests, units) = (after.count() / before.count(), after.units / before.units);
        ratio(&mut report, format!("{what}: requests ({})", after.count()), requests);
        ratio(&mut report, format!("{what}: units ({})", after.units), units);
        scans(&mut report, format!("{records} records of history: scans and queries"), &after);
    }
    for (records, before, after) in memory::measure(in_memory).await? {
        let what = format!("the same in memory with {records} records: verbs of the store ({})", after.count());
        ratio(&mut report, what, after.count() / before.count());
        scans(&mut report, format!("the same in memory with {records} records: verbs that read more than one item"), &after);
    }
    report.note(
        "f The history on the wire has runs, records, aliases, kept replies and reservations with their keys and little else in them.",
    );
    Ok(report)
}

fn ratio(report: &mut Report, what: String, value: f64) {
    report.row(Row::exact(ID, what, Unit::Times, value).gate(Limit::Exactly(1.0)));
}

fn scans(report: &mut Report, what: String, asked: &Asked) {
    report.row(Row::exact(ID, what, Unit::Count, asked.not_by_key()).gate(Limit::Exactly(0.0)));
}
