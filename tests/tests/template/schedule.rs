//! The schedule ticks the function that waits for it, often enough for its alarm.

use domain::units::Millis;
use platform::Function;
use serde_json::{Value, json};
use tests::template::{Resource, Template, listed};

use crate::drift::function_id;
use crate::{hold, unless};

/// What the schedule of `RELIABILITY` §1's sweeper is.
const EVERY: &str = "rate(5 minutes)";
const EVERY_SPAN: Millis = Millis::minutes(5);

fn ticks(template: &Template, function: &str) -> Vec<String> {
    let target = json!({ "Fn::GetAtt": [function, "Arn"] });
    let is_its = |schedule: &Resource<'_>| *schedule.get("/Target/Arn") == target;
    template.of_type("AWS::Scheduler::Schedule").filter(is_its).map(|schedule| schedule.id.to_owned()).collect()
}

fn check(template: &Template) -> Vec<String> {
    let function = function_id(Function::ScheduledRefresh);
    let ticking = ticks(template, &function);
    let mut findings: Vec<String> =
        unless(ticking.len() == 1, || format!("{function} is ticked by {} schedules", ticking.len())).into_iter().collect();
    for schedule in template.of_type("AWS::Scheduler::Schedule") {
        let is_on = schedule.get("/State").is_null() || schedule.text("/State") == "ENABLED";
        let has_no_end = schedule.get("/StartDate").is_null() && schedule.get("/EndDate").is_null();
        let is_right = schedule.text("/ScheduleExpression") == EVERY && is_on && has_no_end && ticking.iter().any(|id| id == schedule.id);
        findings.extend(unless(is_right, || format!("{}: it does not tick {function} at {EVERY}", schedule.id)));
        // The function reads the default notification of EventBridge, see events/scheduled-refresh.tick.json.
        findings.extend(unless(schedule.get("/Target/Input").is_null(), || format!("{}: its tick is no event", schedule.id)));
        let is_let_go = schedule.get("/Target/RetryPolicy/MaximumEventAgeInSeconds").as_u64().is_some_and(|age| age < seconds());
        findings.extend(unless(is_let_go, || format!("{}: a tick outlives the next one", schedule.id)));
    }
    let again = template.resource(&function).map(|function| function.get("/EventInvokeConfig").clone()).unwrap_or_default();
    let is_let_go = again["MaximumRetryAttempts"] == 0 && again["MaximumEventAgeInSeconds"].as_u64().is_some_and(|age| age < seconds());
    findings.extend(unless(is_let_go, || format!("{function}: a tick that failed comes again beside the next one")));
    // The words of a crossed threshold are a warning, and an alarm reads them.
    let silent = listed(template.at("/Parameters/LogLevel/AllowedValues")).iter().any(|level| level == "error");
    findings.extend(unless(!silent, || "LogLevel may silence the warning that CreditsAlarm reads".to_owned()));
    // Two ticks may be missed.
    let silence = template.resource("NoTickAlarm").and_then(|alarm| alarm.get("/Period").as_u64()).unwrap_or_default();
    findings.extend(unless(silence >= 3 * seconds(), || "NoTickAlarm rings between two ticks".to_owned()));
    findings
}

fn seconds() -> u64 {
    EVERY_SPAN.to_std().as_secs()
}

#[test]
fn every_five_minutes_the_ledger_is_swept_and_two_ticks_may_be_missed() {
    let schedule = "/Resources/RefreshSchedule/Properties";
    hold(
        check,
        &[
            ("/Resources/RefreshSchedule", Value::Null, "ScheduledRefreshFunction is ticked by 0"),
            (&format!("{schedule}/ScheduleExpression"), json!("rate(1 day)"), "RefreshSchedule: it does not tick"),
            (&format!("{schedule}/State"), json!("DISABLED"), "RefreshSchedule: it does not tick"),
            (&format!("{schedule}/EndDate"), json!("2027-01-01T00:00:00Z"), "RefreshSchedule: it does not tick"),
            (&format!("{schedule}/Target/Arn/Fn::GetAtt/0"), json!("CrmWritebackFunction"), "is ticked by 0"),
            (&format!("{schedule}/Target/Input"), json!("{}"), "RefreshSchedule: its tick is no event"),
            (&format!("{schedule}/Target/RetryPolicy"), Value::Null, "RefreshSchedule: a tick outlives"),
            ("/Resources/ScheduledRefreshFunction/Properties/EventInvokeConfig", Value::Null, "a tick that failed comes again"),
            (
                "/Resources/ScheduledRefreshFunction/Properties/EventInvokeConfig/MaximumRetryAttempts",
                json!(2),
                "a tick that failed comes again",
            ),
            ("/Parameters/LogLevel/AllowedValues/-", json!("error"), "LogLevel may silence"),
            ("/Resources/NoTickAlarm/Properties/Period", json!(300), "NoTickAlarm rings between"),
        ],
    );
}
