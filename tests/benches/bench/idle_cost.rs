//! Row d': what the deployed stack costs in a month in which nobody signs up, counted from `template.yaml`.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use tests::template::{Resource, Template, entries, listed};

use crate::limit::{Limit, Unit};
use crate::prices::{Priced, Prices};
use crate::report::Report;
use crate::row::Row;

pub(crate) const ID: &str = "d'";

/// What costs nothing while nothing happens. A type that stands neither here nor among the items is an error:
/// whoever adds it says what it costs.
const FREE_WHEN_IDLE: &[&str] = &[
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table", // on demand only, see `check`; a GB and its backups are cents, and idle tables hold none
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup", // a GB stored is $0.03, and nobody writes
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue", // polled only where a function is mapped to it
    "AWS::Serverless::Function",
];

/// Lambda keeps this many connections waiting at a mapped queue that is empty.
const POLLERS: f64 = 5.0;
/// A poll of an empty queue waits this long.
const POLL_SECONDS: f64 = 20.0;
const MONTH_SECONDS: f64 = 30.0 * 86_400.0;
/// What a tick takes that finds nothing to do, each started anew, rounded up generously.
const TICK_SECONDS: f64 = 0.5;
/// Every function has as much, see `Globals`.
const FUNCTION_GB: f64 = 0.5;

/// One line of the bill.
struct Item {
    what: String,
    quantity: f64,
    price: Priced,
}

impl Item {
    fn at_list(&self) -> f64 {
        self.quantity * self.price.each
    }

    fn after_allowance(&self) -> f64 {
        (self.quantity - self.price.always_free).max(0.0) * self.price.each
    }
}

/// Counts the template.
pub(crate) fn count() -> anyhow::Result<Report> {
    let prices = Prices::load()?;
    let items = items(&Template::of_repository().context("template.yaml")?, &prices)?;
    let total = |cost: fn(&Item) -> f64| items.iter().map(cost).sum::<f64>();
    let what = format!("idle month, less AWS's always-free allowances ({} at list price)", Unit::Dollars.words(total(Item::at_list)));
    let mut report = Report::default();
    let row = Row::exact(ID, what, Unit::Dollars, total(Item::after_allowance));
    report.row(row.gate(Limit::AtMost(3.0)).stretch(Limit::AtMost(1.5)));
    for item in &items {
        let (after_allowance, at_list) = (item.after_allowance(), item.at_list());
        report.note(format!("d' {}: ${after_allowance:.2} after allowances, ${at_list:.2} at list.", item.what));
    }
    report.note("d' The allowances are an account's; what else runs in it uses them too.");
    report.note("d' What a tick reads of the tables, three small items, comes to less than a cent; while nothing happens it logs nothing but Lambda's own three lines a tick.");
    report.note("d' Stored logs, tables and build artifacts come to less than a cent. Resources under a condition count.");
    report.note(format!("d' Prices of {}, {}.", prices.dated, prices.region));
    Ok(report)
}

fn items(template: &Template, prices: &Prices) -> anyhow::Result<Vec<Item>> {
    let (mut mapped, mut alarms, mut dashboards, mut secrets, mut ticks) = (0, 0, 0, 0, 0.0);
    // Two filters may feed one metric.
    let mut metrics = BTreeSet::new();
    for resource in template.resources() {
        check(resource).with_context(|| format!("{} in template.yaml", resource.id))?;
        match resource.kind() {
            "AWS::Serverless::Function" => mapped += mappings(resource),
            "AWS::CloudWatch::Alarm" => alarms += metrics_watched(resource),
            "AWS::CloudWatch::Dashboard" => dashboards += 1,
            "AWS::SecretsManager::Secret" => secrets += 1,
            "AWS::Logs::MetricFilter" => drop(metrics.insert(resource.get("/MetricTransformations/0/MetricName").to_string())),
            "AWS::Scheduler::Schedule" => ticks += MONTH_SECONDS / seconds_between(resource)?,
            free if FREE_WHEN_IDLE.contains(&free) => {}
            other => bail!("nothing is known of the idle cost of {other} ({}); add it to idle_cost.rs", resource.id),
        }
    }
    let polls = f64::from(mapped) * POLLERS * MONTH_SECONDS / POLL_SECONDS / 1e6;
    let item = |what: String, quantity: f64, price| Item { what, quantity, price };
    let counted = |what: &str, count: u32, price| item(format!("{count} {what}"), f64::from(count), price);
    Ok(vec![
        item(format!("{mapped} mapped queues, {polls} M empty polls"), polls, prices.sqs_million_requests),
        counted("alarms", alarms, prices.alarm_metric),
        counted("dashboards", dashboards, prices.dashboard),
        counted("secrets", secrets, prices.secret),
        counted("custom metrics", u32::try_from(metrics.len())?, prices.custom_metric),
        item(format!("{ticks} ticks of schedules"), ticks / 1e6, prices.scheduler_million_invocations),
        item(format!("{ticks} invocations by them"), ticks / 1e6, prices.lambda_million_requests),
        item(format!("{TICK_SECONDS} s of {FUNCTION_GB} GB for each of them"), ticks * TICK_SECONDS * FUNCTION_GB, prices.lambda_gb_second),
    ])
}

/// Of `rate(5 minutes)`.
fn seconds_between(schedule: Resource<'_>) -> anyhow::Result<f64> {
    let written = schedule.text("/ScheduleExpression");
    let minutes = written.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(" minutes)")).and_then(|minutes| minutes.parse().ok());
    minutes.map(|minutes: f64| minutes * 60.0).with_context(|| format!("{}: {written} is no rate in minutes; count it", schedule.id))
}

/// Refuses what would cost something in a way that is not counted here.
fn check(resource: Resource<'_>) -> anyhow::Result<()> {
    match resource.kind() {
        "AWS::DynamoDB::Table" if resource.text("/BillingMode") != "PAY_PER_REQUEST" => {
            bail!("provisioned capacity costs something while idle; count it")
        }
        "AWS::Serverless::Function" if !resource.get("/ProvisionedConcurrencyConfig").is_null() => {
            bail!("provisioned concurrency costs something while idle; count it")
        }
        "AWS::Serverless::Function" if entries(resource.get("/Events")).any(|(_, event)| event["Type"] != "SQS") => {
            bail!("an event that is not SQS may invoke the function while idle; count it")
        }
        "AWS::CloudWatch::Alarm" if resource.get("/Period").as_u64().is_some_and(|period| period < 60) => {
            bail!("an alarm of high resolution costs three times as much; count it")
        }
        _ => Ok(()),
    }
}

/// The queues that Lambda polls for a function.
fn mappings(function: Resource<'_>) -> u32 {
    entries(function.get("/Events")).map(|(_, event)| u32::from(event["Properties"]["Enabled"] != false)).sum()
}

/// An alarm over an expression costs as much as each metric in it.
fn metrics_watched(alarm: Resource<'_>) -> u32 {
    match listed(alarm.get("/Metrics")) {
        [] => 1,
        metrics => metrics.iter().map(|metric| u32::from(!metric["MetricStat"].is_null())).sum(),
    }
}
