//! The same numbers for programs: whole millionths of a credit, so that nothing is rounded. docs/operations.md describes it.

use domain::credits::{Balance, CapScope, CapUse, Pace, Report};
use domain::units::Credits;
use serde_json::{Map, Value, json};

use super::Configured;

/// A month.
pub(super) fn report(report: &Report, configured: Option<&Configured>) -> Value {
    let days = report
        .days
        .iter()
        .map(|(day, usage)| json!({ "day": day, "used": usage.used.micros(), "unknown": usage.unknown.micros(), "calls": usage.calls }));
    let crossed = report.balance.iter().flat_map(|balance| &balance.crossed);
    json!({
        "month": report.month.name(),
        "at": report.at.to_string(),
        "balance": report.balance.as_ref().map(balance),
        "unknown": report.total.unknown.micros(),
        "calls": report.total.calls,
        "pace": report.pace.map(pace),
        "by": {
            "provider": by(report, "provider"), "entity": by(report, "entity"),
            "trigger": by(report, "trigger"), "rule": by(report, "rule"),
        },
        "days": days.collect::<Value>(),
        "crossed": crossed.map(|(threshold, at)| json!({ "threshold": threshold.as_str(), "at": at.to_string() })).collect::<Value>(),
        "caps": configured.map(|configured| configured.caps.iter().map(cap).collect::<Value>()),
        "budget": configured.and_then(|configured| configured.budget).map(Credits::micros),
    })
}

/// A month's credits: allocation + adjusted + overdraft drawn = used + reserved + remaining.
pub(super) fn balance(balance: &Balance) -> Value {
    json!({
        "allocation": balance.allocation.micros(), "adjusted": balance.adjusted.micros(), "used": balance.used.micros(),
        "reserved": balance.reserved.micros(), "remaining": balance.remaining().micros(),
        "overdraft_drawn": balance.overdraft_drawn().micros(),
    })
}

fn pace(pace: Pace) -> Value {
    json!({ "per_day": pace.per_day.micros(), "month_end": pace.month_end.micros() })
}

fn by(report: &Report, way: &str) -> Map<String, Value> {
    report.total.by(way).map(|(name, credits)| (name.to_owned(), credits.micros().into())).collect()
}

fn cap(cap: &CapUse) -> Value {
    let (scope, name) = match &cap.scope {
        CapScope::Allocation => ("allocation", None),
        CapScope::Day => ("day", None),
        CapScope::Week => ("week", None),
        CapScope::Provider(name) => ("provider", Some(name)),
        CapScope::Rule(name) => ("rule", Some(name)),
    };
    json!({ "scope": scope, "name": name, "cap": cap.cap.micros(), "taken": cap.taken.micros() })
}
