//! Row b: how many instructions one decision takes, from the signed webhook to the CRM's body, beside Node and Python at the same
//! work on the same input (`tests/benches/decision_core`). Callgrind counts them, so that the load of the machine does not matter.

mod callgrind;
mod contenders;

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::{Places, Size};
use callgrind::{Callgrind, Counted};
use contenders::{Contender, DECISION_CORE, PROFILE};

pub(crate) const ID: &str = "b";

/// The instructions of one decision, as they were counted last. Another number is a change here, with its reason in the commit.
const LAST: f64 = 1_143_396.0;
/// The name of that number, for whoever has to change it.
const LAST_IS_IN: &str = "`LAST` in tests/benches/bench/decision_core/mod.rs";
/// How far from the last number one may be: below it is a compiler's whim, above it a change of the code.
const GATE: f64 = 0.02;
const STRETCH: f64 = 300_000.0;
/// How many times more instructions each of the others should take.
const TIMES_MORE: [(&str, f64); 2] = [(contenders::NODE, 10.0), (contenders::PYTHON, 50.0)];

/// Counts ours; in an optimised build, or with `--full`, the others too, which takes minutes.
pub(crate) fn measure(places: &Places, given: Option<&Path>, size: Size) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let callgrind = match Callgrind::find() {
        Ok(callgrind) => callgrind,
        Err(why) => {
            report.row(Row::skipped(ID, of_one_decision(DECISION_CORE), why));
            return Ok(report);
        }
    };
    let ours = contenders::ours(places, given)?;
    let counted = callgrind.count(&ours)?;
    let row = Row::exact(ID, of_one_decision(DECISION_CORE), Unit::Count, counted.each);
    report.row(row.gate(Limit::AtMost((LAST * (1.0 + GATE)).round())).stretch(Limit::AtMost(STRETCH)));
    report.note(format!("b Counted by {} in release builds; {}", callgrind.version, ours.how()));
    report.notes(advice(counted.each));
    if size == Size::Full {
        for (name, other) in contenders::others(places) {
            compare(&mut report, &callgrind, (name, other), &counted)?;
        }
        report.note("b Node and Python do less: tests/benches/decision_core/decision_core.mjs says what is in their favour.");
    }
    Ok(report)
}

fn of_one_decision(name: &str) -> String {
    format!("{name}: instructions of one decision")
}

/// What to do about a number that is not near the last one. Far below is no failure, but what was won could be lost unseen.
fn advice(instructions: f64) -> Option<String> {
    let change = instructions / LAST - 1.0;
    let (percent, now) = (change.abs() * 100.0, format!("{instructions:.0}"));
    if change > GATE {
        let or = format!("Find out why: {PROFILE} If it has to be so, write {now} as {LAST_IS_IN}, and the reason into the commit.");
        return Some(format!("b One decision takes {percent:.1} % more instructions than last. {or}"));
    }
    let fewer =
        || format!("b One decision takes {percent:.1} % fewer instructions than last: write {now} as {LAST_IS_IN}, so that it stays so.");
    (change < -GATE).then(fewer)
}

/// Counts one of the others, which must have decided the same.
fn compare(
    report: &mut Report,
    callgrind: &Callgrind,
    (name, other): (&'static str, Result<Contender, String>),
    ours: &Counted,
) -> anyhow::Result<()> {
    let what = format!("instructions: {name} ÷ {DECISION_CORE}");
    let other = match other {
        Ok(other) => other,
        Err(why) => {
            report.row(Row::skipped(ID, what, why));
            return Ok(());
        }
    };
    let counted = callgrind.count(&other).context(name)?;
    ensure!(counted.decided == ours.decided, "{name} decides otherwise:\n{}\nand we decide:\n{}", counted.decided, ours.decided);
    report.row(Row::exact(ID, of_one_decision(name), Unit::Count, counted.each));
    let ratio = Row::exact(ID, what, Unit::Times, counted.each / ours.each);
    let least = TIMES_MORE.iter().find(|(of, _)| *of == name).map(|(_, least)| Limit::AtLeast(*least));
    report.row(match least {
        Some(least) => ratio.stretch(least),
        None => ratio,
    });
    report.note(format!("b {}: the same CRM body and the same facts; {}", other.words, other.how()));
    Ok(())
}
