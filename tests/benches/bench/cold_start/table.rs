//! What row c prints.

use platform::Function;

use super::ours::{self, Bootstraps};
use super::process::{Memory, Start};
use super::world::Asked;
use super::{Bench, Contender, Contenders, ID};
use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::samples::Samples;

const FIRST_POLL: &str = "start to first poll";
const FIRST_ANSWER: &str = "start to first answer";

/// The names of the baselines, and how many times longer each should take than ours.
const TIMES_LONGER: [(&str, f64); 2] = [("Node", 20.0), ("Python", 30.0)];

/// The rows; `absent` are the baselines that are not there, and why.
pub(super) fn rows<'a>(
    report: &mut Report,
    contenders: &Contenders<'_>,
    absent: impl Iterator<Item = (&'a str, &'a str)>,
    bootstraps: &Bootstraps,
) -> anyhow::Result<()> {
    times(report, contenders);
    ratios(report, contenders);
    for (name, why) in absent {
        report.row(Row::skipped(ID, versus(FIRST_ANSWER, name, &contenders.three_calls), why));
    }
    memory(report, contenders);
    sizes(report, bootstraps)
}

fn times(report: &mut Report, contenders: &Contenders<'_>) {
    let row = |contender: &Contender, what, samples| Row::repeated(ID, format!("{}: {what}", contender.name), Unit::Milliseconds, samples);
    let limited = |row: Row, gate, stretch| row.gate(Limit::AtMost(gate)).stretch(Limit::AtMost(stretch));
    let Contenders { three_calls, lookup, webhook, others } = contenders;
    report.row(limited(row(three_calls, FIRST_POLL, three_calls.first_poll()), 8.0, 5.0));
    report.row(limited(row(three_calls, FIRST_ANSWER, three_calls.answer()), 20.0, 10.0));
    for function in [lookup, webhook] {
        report.row(limited(row(function, FIRST_POLL, function.first_poll()), 8.0, 5.0));
        report.row(row(function, FIRST_ANSWER, function.answer()));
    }
    for (_, other) in others {
        report.row(row(other, FIRST_POLL, other.first_poll()));
        report.row(row(other, FIRST_ANSWER, other.answer()));
    }
}

fn ratios(report: &mut Report, contenders: &Contenders<'_>) {
    let ours = &contenders.three_calls;
    for (_, other) in &contenders.others {
        let pairs = [(FIRST_POLL, other.first_poll(), ours.first_poll()), (FIRST_ANSWER, other.answer(), ours.answer())];
        for (what, theirs, ours_took) in pairs {
            let row = Row::ratio(ID, versus(what, other.name, ours), &theirs, &ours_took);
            let least = TIMES_LONGER.iter().find(|(name, _)| *name == other.name).map(|(_, least)| *least);
            report.row(match least {
                Some(least) => row.stretch(Limit::AtLeast(least)),
                None => row,
            });
        }
    }
}

fn versus(what: &str, other: &str, ours: &Contender) -> String {
    format!("{what}: {other} ÷ {}", ours.name)
}

fn memory(report: &mut Report, contenders: &Contenders<'_>) {
    let median = |contender: &Contender, of: fn(&Start) -> f64| contender.samples(of).median();
    let row = |contender: &Contender, what, value| Row::exact(ID, format!("{}: resident {what}", contender.name), Unit::Megabytes, value);
    for contender in [&contenders.three_calls, &contenders.lookup] {
        let at_poll = median(contender, |start| start.at_poll.now);
        report.row(row(contender, "at the first poll", at_poll).stretch(Limit::AtMost(12.0)));
    }
    for contender in contenders.all() {
        let peak = |of: fn(&Start) -> Memory| contender.samples(|start| of(start).most).median();
        let after = row(contender, "after the answer", median(contender, |start| start.after_answer.now));
        let is_compared = contender.name == contenders.three_calls.name;
        report.row(if is_compared { after.stretch(Limit::AtMost(12.0)) } else { after });
        let (before, after) = (peak(|start| start.at_poll), peak(|start| start.after_answer));
        report.note(format!("c {}: resident at most {before:.1} MB up to the first poll, {after:.1} MB up to the answer.", contender.name));
    }
}

fn sizes(report: &mut Report, bootstraps: &Bootstraps) -> anyhow::Result<()> {
    for function in Function::ALL {
        let (binary, zip) = ours::sizes(&bootstraps.path(function))?;
        let what = format!("{}: zip -9 of a binary of {binary:.1} MB", function.name());
        report.row(Row::exact(ID, what, Unit::Megabytes, zip).stretch(Limit::AtMost(5.0)));
    }
    Ok(())
}

/// How it was measured, and what each contender asked for.
pub(super) fn notes(report: &mut Report, contenders: &Contenders<'_>, bench: &Bench<'_>, runs: u32, how: &str) {
    report.note(format!(
        "c {runs} starts each, taking turns, after one that does not count; medians; {how}; binaries of {}.",
        bench.bootstraps.words()
    ));
    report.note(
        "c The answer's time leaves out what this program does between poll and event. Each service is at a TLS place of its own; \
         answers come from stand-ins on loopback, and their time counts.",
    );
    report.note(format!(
        "c Ours and Node have Mozilla's roots built in and get one certificate more, the stand-ins'. boto takes no certificate beside \
         its own file of roots, so Python reads the machine's roots and that certificate from one file of {}.",
        bench.authority.roots
    ));
    report.note(
        "c three-calls is no function of the product: its parts make one provider call, one DynamoDB put and one SQS send, as Node and \
         Python do. The functions do their real work, so their answers have no gate.",
    );
    for contender in [&contenders.three_calls, &contenders.lookup, &contenders.webhook] {
        requests(report, contender.name, contender);
    }
    for (baseline, contender) in &contenders.others {
        requests(report, &baseline.words, contender);
    }
}

fn requests(report: &mut Report, name: &str, contender: &Contender) {
    let (Some((_, asked)), Some(answered)) =
        (contender.starts.last(), Samples::of(contender.starts.iter().map(|(_, asked)| asked.answered_in_ms)))
    else {
        return;
    };
    let Asked { dynamodb, sqs, secrets, provider, .. } = asked;
    report.note(format!(
        "c {name}: {} requests over TLS a start: Secrets Manager {secrets}, DynamoDB {dynamodb}, provider {provider}, SQS {sqs}; \
         the stand-ins took {:.1} ms of the time for them (median).",
        dynamodb + sqs + secrets + provider,
        answered.median()
    ));
}
