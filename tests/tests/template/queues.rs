//! No message is lost, none comes again while it is worked on, and who is in a hurry goes first.

use domain::priority::Priority;
use local::stack::RECEIVES_MAX;
use pipeline::ports::QueueName;
use serde_json::{Value, json};
use tests::template::{Resource, Template};

use crate::drift::queue_id;
use crate::{hold, unless};

const DAY_SECONDS: u64 = 86_400;
/// Messages that share requests, and how many seconds they gather.
const GATHERED_MOST: u64 = 100;
const WINDOW_LONGEST: u64 = 20;

fn queues(template: &Template) -> impl Iterator<Item = Resource<'_>> {
    template.of_type("AWS::SQS::Queue").filter(|queue| !queue.id.ends_with("Dlq"))
}

fn dead_letter_queues(template: &Template) -> impl Iterator<Item = Resource<'_>> {
    template.of_type("AWS::SQS::Queue").filter(|queue| queue.id.ends_with("Dlq"))
}

fn check_dead_letters(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for queue in queues(template) {
        let wanted = queue.id.trim_end_matches("Queue").to_owned() + "Dlq";
        let redrive = json!({ "deadLetterTargetArn": {"Fn::GetAtt": [wanted, "Arn"]}, "maxReceiveCount": RECEIVES_MAX });
        let is_right = *queue.get("/RedrivePolicy") == redrive && dead_letter_queues(template).any(|dlq| dlq.id == wanted);
        findings.extend(unless(is_right, || format!("{}: after {RECEIVES_MAX} receives a message must go to {wanted}", queue.id)));
    }
    for dlq in dead_letter_queues(template) {
        let users = queues(template).filter(|queue| *queue.get("/RedrivePolicy/deadLetterTargetArn") == dlq.attribute("Arn")).count();
        findings.extend(unless(users == 1, || format!("{} is the dead-letter queue of {users} queues", dlq.id)));
    }
    findings
}

fn check_keeping(template: &Template) -> Vec<String> {
    let kept = queues(template).map(|queue| (queue, 4)).chain(dead_letter_queues(template).map(|queue| (queue, 14)));
    let mut findings = Vec::new();
    for (queue, days) in kept {
        let is_kept = *queue.get("/MessageRetentionPeriod") == json!(days * DAY_SECONDS);
        findings.extend(unless(is_kept, || format!("{}: messages are not kept for {days} days", queue.id)));
        findings.extend(unless(*queue.get("/SqsManagedSseEnabled") == json!(true), || format!("{} is not encrypted", queue.id)));
        let is_standard = queue.get("/FifoQueue").is_null() && queue.get("/DelaySeconds").is_null();
        findings.extend(unless(is_standard, || format!("{} is no plain queue", queue.id)));
    }
    findings
}

fn check_sources(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for (function, event, properties) in template.event_sources() {
        let name = format!("{}: {event}", function.id);
        let queue = properties["Queue"]["Fn::GetAtt"][0].as_str().and_then(|id| template.resource(id));
        let visibility = queue.and_then(|queue| queue.get("/VisibilityTimeout").as_u64()).unwrap_or_default();
        let timeout = function.get("/Timeout").as_u64().unwrap_or(u64::MAX);
        let window = properties["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default();
        let is_hidden = visibility >= timeout.saturating_mul(6).saturating_add(window);
        findings
            .extend(unless(is_hidden, || format!("{name}: visibility {visibility} s is less than six times {timeout} s and {window} s")));
        let reports = properties["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]);
        findings.extend(unless(reports, || format!("{name} does not report single messages")));
        // What waits for a batch to fill, waits: that is for those for whom nobody does. SQS gives more than ten only after a while.
        let (most, longest) = if event == "LookupLow" { (GATHERED_MOST, WINDOW_LONGEST) } else { (10, 0) };
        let size = properties["BatchSize"].as_u64().unwrap_or_default();
        let is_batch = (1..=most).contains(&size) && (size <= 10 || window > 0);
        findings.extend(unless(is_batch, || format!("{name}: a batch is 1 to {most} messages, of more than 10 with a window")));
        // A filter or a stopped source lets messages lie.
        let is_prompt = window <= longest && ["FilterCriteria", "Enabled"].iter().all(|name| properties[*name].is_null());
        findings.extend(unless(is_prompt, || format!("{name} does not take every message at once")));
    }
    findings
}

/// How many batches of a queue are worked on at the same time: its own row of the mapping, within what SQS takes.
fn concurrency_of(template: &Template, queue: QueueName) -> Option<u64> {
    let id = queue_id(queue);
    let source = template.event_sources().find(|(_, _, properties)| properties["Queue"]["Fn::GetAtt"][0] == id.as_str())?;
    let row = id.trim_end_matches("Queue");
    let is_its_own = source.2["ScalingConfig"]["MaximumConcurrency"] == json!({ "Fn::FindInMap": ["Concurrency", row, "Batches"] });
    let batches = template.at(&format!("/Mappings/Concurrency/{row}/Batches")).as_u64();
    batches.filter(|batches| is_its_own && (2..=1000).contains(batches))
}

fn check_concurrency(template: &Template) -> Vec<String> {
    let unlimited = QueueName::ALL.into_iter().filter(|queue| concurrency_of(template, *queue).is_none());
    let mut findings: Vec<String> = unlimited.map(|queue| format!("{}: no number of its own limits it", queue_id(queue))).collect();
    let order = [Priority::Critical, Priority::High, Priority::Normal, Priority::Low].map(QueueName::Lookup);
    for pair in order.windows(2) {
        let is_in_order = concurrency_of(template, pair[0]) >= concurrency_of(template, pair[1]);
        findings.extend(unless(is_in_order, || format!("{} gets less than {}", queue_id(pair[0]), queue_id(pair[1]))));
    }
    findings
}

#[test]
fn every_queue_has_a_dead_letter_queue_of_its_own_after_as_many_receives_as_locally() {
    hold(
        check_dead_letters,
        &[
            ("/Resources/LookupHighQueue/Properties/RedrivePolicy", Value::Null, "LookupHighQueue: after 5"),
            ("/Resources/LookupHighQueue/Properties/RedrivePolicy/maxReceiveCount", json!(3), "LookupHighQueue: after 5"),
            (
                "/Resources/WritebackQueue/Properties/RedrivePolicy/deadLetterTargetArn",
                json!({"Fn::GetAtt": ["LookupLowDlq", "Arn"]}),
                "WritebackQueue: after 5",
            ),
            (
                "/Resources/WritebackQueue/Properties/RedrivePolicy/deadLetterTargetArn",
                json!({"Fn::GetAtt": ["LookupLowDlq", "Arn"]}),
                "LookupLowDlq is the dead-letter queue of 2",
            ),
            ("/Resources/LookupLowDlq", Value::Null, "LookupLowQueue: after 5"),
            ("/Resources/SpareDlq", json!({"Type": "AWS::SQS::Queue"}), "SpareDlq is the dead-letter queue of 0"),
        ],
    );
}

#[test]
fn messages_are_encrypted_and_kept_four_days_and_dead_letters_fourteen() {
    hold(
        check_keeping,
        &[
            ("/Resources/LookupLowQueue/Properties/MessageRetentionPeriod", Value::Null, "LookupLowQueue: messages are not kept for 4"),
            ("/Resources/LookupLowDlq/Properties/MessageRetentionPeriod", json!(345_600), "LookupLowDlq: messages are not kept for 14"),
            ("/Resources/WritebackQueue/Properties/SqsManagedSseEnabled", json!(false), "WritebackQueue is not encrypted"),
            ("/Resources/WritebackDlq/Properties/SqsManagedSseEnabled", Value::Null, "WritebackDlq is not encrypted"),
            ("/Resources/WritebackQueue/Properties/FifoQueue", json!(true), "WritebackQueue is no plain queue"),
            ("/Resources/WritebackQueue/Properties/DelaySeconds", json!(60), "WritebackQueue is no plain queue"),
        ],
    );
}

#[test]
fn a_message_stays_hidden_for_six_timeouts_and_fails_alone() {
    let high = "/Resources/ProviderLookupFunction/Properties/Events/LookupHigh/Properties";
    let low = "/Resources/ProviderLookupFunction/Properties/Events/LookupLow/Properties";
    hold(
        check_sources,
        &[
            ("/Resources/LookupHighQueue/Properties/VisibilityTimeout", json!(359), "LookupHigh: visibility 359"),
            ("/Resources/LookupHighQueue/Properties/VisibilityTimeout", Value::Null, "LookupHigh: visibility 0"),
            ("/Resources/CrmWritebackFunction/Properties/Timeout", json!(61), "Writeback: visibility 360"),
            ("/Resources/CrmWritebackFunction/Properties/Timeout", Value::Null, "Writeback: visibility 360"),
            (&format!("{high}/FunctionResponseTypes"), Value::Null, "LookupHigh does not report"),
            (&format!("{high}/FunctionResponseTypes/0"), Value::Null, "LookupHigh does not report"),
            (&format!("{high}/BatchSize"), json!(100), "LookupHigh: a batch"),
            (&format!("{high}/MaximumBatchingWindowInSeconds"), json!(5), "LookupHigh does not take"),
            (&format!("{high}/FilterCriteria"), json!({"Filters": []}), "LookupHigh does not take"),
            (&format!("{high}/Enabled"), json!(false), "LookupHigh does not take"),
            (&format!("{low}/BatchSize"), json!(101), "LookupLow: a batch"),
            (&format!("{low}/MaximumBatchingWindowInSeconds"), Value::Null, "LookupLow: a batch"),
            (&format!("{low}/MaximumBatchingWindowInSeconds"), json!(21), "LookupLow: visibility 380"),
            (&format!("{low}/MaximumBatchingWindowInSeconds"), json!(21), "LookupLow does not take"),
            ("/Resources/LookupLowQueue/Properties/VisibilityTimeout", json!(360), "LookupLow: visibility 360"),
        ],
    );
}

#[test]
fn every_queue_has_a_limit_and_the_more_urgent_never_the_lower_one() {
    let low = "/Resources/ProviderLookupFunction/Properties/Events/LookupLow/Properties/ScalingConfig";
    let unlimited = "LookupLowQueue: no number of its own";
    hold(
        check_concurrency,
        &[
            (low, Value::Null, unlimited),
            (&format!("{low}/MaximumConcurrency"), json!({"Ref": "AlarmEmail"}), unlimited),
            (&format!("{low}/MaximumConcurrency/Fn::FindInMap/1"), json!("LookupCritical"), unlimited),
            ("/Mappings/Concurrency/LookupLow", Value::Null, unlimited),
            ("/Mappings/Concurrency/LookupLow/Batches", json!(1), unlimited),
            ("/Mappings/Concurrency/LookupCritical/Batches", json!(1001), "LookupCriticalQueue: no number of its own"),
            ("/Mappings/Concurrency/LookupCritical/Batches", json!(10), "LookupCriticalQueue gets less than LookupHighQueue"),
            ("/Mappings/Concurrency/LookupNormal/Batches", json!(30), "LookupHighQueue gets less than LookupNormalQueue"),
            ("/Mappings/Concurrency/LookupLow/Batches", json!(11), "LookupNormalQueue gets less than LookupLowQueue"),
            ("/Mappings/Concurrency/Writeback", Value::Null, "WritebackQueue: no number of its own"),
        ],
    );
}
