//! A run in words.

use std::fmt::Write as _;

use comfy_table::Table;
use domain::config::Config;
use domain::decision::Decision;
use domain::derived;
use domain::flip::nearest_flip;
use domain::merge::{Fact, Facts};
use domain::plan::{Call, CallOutcome, Catalogue, Skip, next_attempt};
use domain::run::Run;
use domain::schema::Field;
use domain::units::Credits;
use pipeline::ports::{Stage, StoredRun};

use crate::table::table;

/// The whole explanation.
pub(super) fn explain(stored: &StoredRun, config: Option<&Config>) -> String {
    let run = &stored.run;
    let mut text = format!(
        "run {}\n  {} by {}, accepted {}, configuration {}\n",
        run.id,
        run.signup.arrival.as_str(),
        run.signup.issuer,
        run.accepted_at,
        run.config
    );
    match run.decision() {
        None => text.push_str(waiting(stored.stage)),
        Some(decision) => decided(&mut text, run, decision),
    }
    // Only the configuration that decided can say what it would have taken.
    if let Some(flip) = config.filter(|config| config.hash == run.config).and_then(|config| nearest_flip(run, config)) {
        let changes: Vec<String> = flip.supposed.iter().map(|one| format!("{} were {}", one.field, one.value)).collect();
        let for_now = if flip.provisional { " for now" } else { "" };
        let _ = writeln!(text, "  it would go to {}{for_now} if {}", flip.track.as_str(), changes.join(" and "));
    }
    section(&mut text, "what is known", &facts(&run.facts));
    section(&mut text, "calls", &calls(&run.calls, config.map(|config| &config.catalogue)));
    let paid = match run.paid_calls() {
        1 => "1 paid call".to_owned(),
        many => format!("{many} paid calls"),
    };
    let _ = writeln!(text, "\n{paid}, {} credits", run.cost());
    text
}

const fn waiting(stage: Stage) -> &'static str {
    match stage {
        Stage::Working => {
            "  not decided yet: somebody works on it, or died; then it goes on when its message comes again, after six minutes\n"
        }
        Stage::Parked => "  not decided yet: put aside until a provider may be asked again\n",
        Stage::Decided | Stage::Done => "  no decision is stored\n",
    }
}

fn decided(text: &mut String, run: &Run, decision: &Decision) {
    let provisional = if decision.route.provisional { ", provisional" } else { "" };
    let owner = decision.owner.as_ref().map_or_else(String::new, |owner| format!(", owner {owner}"));
    let (outcome, track) = (decision.outcome.as_str(), decision.route.track.as_str());
    let destination = decision.route.destination.as_ref().map_or_else(String::new, |name| format!(" for {name}"));
    let _ = writeln!(text, "\n{outcome}: {track}{destination}{provisional}{owner}, {} after it was accepted", decision.after);
    for reason in &decision.route.because {
        let _ = writeln!(text, "  because {reason}");
    }
    for step in &decision.unmet {
        let _ = writeln!(text, "  needs a review: the required step {step} has not all it wants");
    }
    for (number, earlier) in run.decisions.iter().enumerate().rev().skip(1) {
        let (track, was_final) = (earlier.route.track.as_str(), run.seen.get(number).is_some_and(|seen| seen.for_good));
        let how = if was_final { "before that" } else { "first" };
        let for_now = if was_final { "" } else { " for now" };
        let _ = writeln!(text, "  {how} {track}{for_now}, after {}", earlier.after);
    }
    if let Some(payer) = &run.paid_by {
        let _ = writeln!(text, "  nothing was paid: run {payer} looked the same person up within the hour");
    }
    if let Some(refresh) = &run.refreshed_by {
        let _ = writeln!(text, "  it got by with what was kept; run {refresh} looks up the rest in the background");
    }
    let _ = writeln!(text, "\ngate: {}", decision.gate.verdict.as_str());
    for reason in &decision.gate.because {
        let _ = writeln!(text, "  because {reason}");
    }
    let _ = writeln!(text, "\nscore: {}", interval(decision));
    for points in &decision.score.points {
        let _ = writeln!(text, "  {:+} {}", points.points, points.because);
    }
    for unknown in &decision.score.unknowns {
        let fields: Vec<String> = unknown.fields.iter().map(|field| decision.absence_words(field)).collect();
        let _ = writeln!(text, "  {:+} possible: {} ({})", unknown.points, unknown.because, fields.join(", "));
    }
}

pub(super) fn interval(decision: &Decision) -> String {
    let (low, high) = (decision.score.low, decision.score.high);
    if low == high { format!("{low}") } else { format!("{low} to {high}, for something is unknown") }
}

fn section(text: &mut String, title: &str, table: &Table) {
    let _ = writeln!(text, "\n{title}\n{table}");
}

fn facts(facts: &Facts) -> Table {
    let mut table = table(&["field", "value", "confidence", "level", "said by", "others say"]);
    for (field, fact) in facts {
        let others: Vec<String> = fact.conflicts.iter().map(ToString::to_string).collect();
        table.add_row([
            field.to_string(),
            fact.value.to_string(),
            fact.confidence.as_fraction(),
            fact.level().as_str().to_owned(),
            said_by(field, fact),
            others.join(", "),
        ]);
    }
    table
}

/// The sources of a fact; of one that was derived, what from.
fn said_by(field: &Field, fact: &Fact) -> String {
    match derived::inputs_of(field) {
        Some(inputs) if fact.sources == [derived::SOURCE] => format!("{} from {}", derived::SOURCE, inputs.join(", ")),
        _ => fact.sources.join(", "),
    }
}

fn calls(calls: &[Call], catalogue: Option<&Catalogue>) -> Table {
    let mut table = table(&["step", "operation", "asked by", "ended", "ms", "credits", "attempt"]);
    for (index, call) in calls.iter().enumerate() {
        let is_made = !matches!(call.outcome, CallOutcome::NotMade { .. });
        let cached = if call.cached { ", from the cache" } else { "" };
        table.add_row([
            call.step.clone(),
            call.operation.clone(),
            call.key.map_or_else(String::new, |kind| kind.as_str().to_owned()),
            format!("{}{cached}{}", ended(&call.outcome), worst_price(call, catalogue)),
            if is_made { call.latency.0.to_string() } else { String::new() },
            if call.cost == Credits::ZERO { String::new() } else { call.cost.to_string() },
            attempt(&calls[..index], call),
        ]);
    }
    table
}

/// The number under which the ledger has a paid call, as `millrace usage refund` takes it.
fn attempt(earlier: &[Call], call: &Call) -> String {
    if call.cost == Credits::ZERO { String::new() } else { next_attempt(earlier, &call.operation).to_string() }
}

/// A cap may have something left and still refuse: less than this.
fn worst_price(call: &Call, catalogue: Option<&Catalogue>) -> String {
    let operation = catalogue.and_then(|catalogue| catalogue.get(&call.operation));
    match (&call.outcome, operation) {
        (CallOutcome::NotMade { why: Skip::Cap { .. } }, Some(operation)) => {
            format!("; it costs up to {} credits", operation.dearest())
        }
        _ => String::new(),
    }
}

fn ended(outcome: &CallOutcome) -> String {
    match outcome {
        CallOutcome::Hit { fields } => format!("{} fields", fields.len()),
        CallOutcome::NoMatch => "no match".to_owned(),
        CallOutcome::RateLimited { retry_at } => format!("rate limited until {retry_at}"),
        CallOutcome::Pending { until } => format!("ordered; the answer is due by {until}"),
        CallOutcome::TimedOut => "no answer in time; it may be billed".to_owned(),
        CallOutcome::Failed { why } => format!("failed: {why}"),
        CallOutcome::AuthFailed => "our credentials were refused".to_owned(),
        CallOutcome::OutOfCredits => "the account at the provider is empty".to_owned(),
        CallOutcome::NotMade { why } => format!("not made: {}", why.words()),
    }
}

#[cfg(test)]
mod tests {
    use domain::units::{Millis, Timestamp};

    use super::*;

    fn call(outcome: CallOutcome, cost: i64) -> Call {
        let (step, operation) = ("company".to_owned(), "crustdata.company".to_owned());
        let (at, latency) = (Timestamp::from_millis(0), Millis(1));
        Call { step, operation, outcome, at, latency, cost: Credits::whole(cost), key: None, cached: false }
    }

    #[test]
    fn a_call_that_a_cap_refused_says_what_it_would_have_cost_where_that_is_known() {
        let refused = call(CallOutcome::NotMade { why: Skip::Cap { scope: domain::credits::CapScope::Day } }, 0);
        let config = connectors::configure_for_use(&platform::bundled_config()).unwrap().0;
        assert_eq!(worst_price(&refused, Some(&config.catalogue)), "; it costs up to 4 credits");
        assert_eq!(worst_price(&refused, None), "");
        assert_eq!(worst_price(&call(CallOutcome::NoMatch, 0), Some(&config.catalogue)), "");
    }

    #[test]
    fn a_derived_fact_says_what_it_follows_from() {
        let field = Field::known("fraud.domain_age_plausible");
        let mut fact = Fact {
            value: domain::value::Value::Bool(false),
            confidence: domain::units::BasisPoints::new(7000),
            sources: vec![derived::SOURCE.to_owned()],
            confirmations: 1,
            observed_at: Timestamp::from_millis(0),
            conflicts: Vec::new(),
            checks: Vec::new(),
        };
        assert_eq!(said_by(&field, &fact), "derived from email.domain_age_days, company.headcount");
        fact.sources = vec!["vendor".to_owned()];
        assert_eq!(said_by(&field, &fact), "vendor", "a source may tell it outright");
    }

    #[test]
    fn a_paid_call_has_the_number_that_a_refund_takes() {
        let limited = CallOutcome::RateLimited { retry_at: Timestamp::from_millis(1) };
        let calls = [
            call(CallOutcome::NotMade { why: Skip::NoTimeLeft }, 0),
            call(limited, 0),
            call(CallOutcome::TimedOut, 4),
            call(CallOutcome::Failed { why: "the answer is no JSON, or not all of it".to_owned() }, 4),
        ];
        let numbers: Vec<String> = (0..calls.len()).map(|index| attempt(&calls[..index], &calls[index])).collect();
        assert_eq!(numbers, ["", "", "2", "3"], "calls that were not made do not count, unpaid ones do");
    }
}
