//! Somebody is told of each dead letter, and what to do about it.

use serde_json::{Value, json};
use tests::template::{Resource, Template};

use crate::{hold, text_of, unless};

/// Where an alarm's description sends its reader.
const SEE: &str = "See docs/operations.md, ";

fn rings_at_the_first_letter(alarm: Resource<'_>, queue: Resource<'_>) -> bool {
    let wanted = [
        ("Namespace", json!("AWS/SQS")),
        ("MetricName", json!("ApproximateNumberOfMessagesVisible")),
        ("Dimensions", json!([{ "Name": "QueueName", "Value": queue.attribute("QueueName") }])),
        ("Statistic", json!("Maximum")),
        ("ComparisonOperator", json!("GreaterThanThreshold")),
        ("Threshold", json!(0)),
        ("EvaluationPeriods", json!(1)),
        ("Period", json!(60)),
    ];
    wanted.iter().all(|(name, wanted)| alarm.get(&format!("/{name}")) == wanted)
}

fn check_letters(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for queue in template.of_type("AWS::SQS::Queue").filter(|queue| queue.id.ends_with("Dlq")) {
        let alarm = template.of_type("AWS::CloudWatch::Alarm").find(|alarm| rings_at_the_first_letter(*alarm, queue));
        let names_it = alarm.is_some_and(|alarm| alarm.text("/AlarmDescription").contains(queue.id));
        findings.extend(unless(names_it, || format!("{}: no alarm rings at its first letter and names it", queue.id)));
    }
    findings
}

fn check_actions(template: &Template) -> Vec<String> {
    let tells = json!({ "Fn::If": ["TellsSomebody", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}] });
    let mut findings = Vec::new();
    for alarm in template.of_type("AWS::CloudWatch::Alarm") {
        let is_heard = *alarm.get("/AlarmActions") == tells && alarm.get("/ActionsEnabled").is_null();
        findings.extend(unless(is_heard, || format!("{} tells nobody", alarm.id)));
        let is_quiet = alarm.text("/TreatMissingData") == "notBreaching";
        findings.extend(unless(is_quiet, || format!("{} rings when nothing happens", alarm.id)));
    }
    let subscribed = template
        .of_type("AWS::SNS::Subscription")
        .any(|to| *to.get("/TopicArn") == json!({"Ref": "AlarmTopic"}) && *to.get("/Endpoint") == json!({"Ref": "AlarmEmail"}));
    findings.extend(unless(subscribed, || "AlarmTopic: AlarmEmail is not subscribed".to_owned()));
    findings
}

fn check_sections(template: &Template, document: &str) -> Vec<String> {
    let headings: Vec<String> = document.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
    let mut findings = Vec::new();
    for alarm in template.of_type("AWS::CloudWatch::Alarm") {
        let section = alarm.text("/AlarmDescription").split_once(SEE).and_then(|(_, section)| section.strip_suffix('.'));
        let is_there = section.is_some_and(|section| headings.contains(&section.to_lowercase()));
        findings.extend(unless(is_there, || format!("{}: docs/operations.md has no section {section:?}", alarm.id)));
        let is_listed = document.contains(&format!("`{}`", alarm.id));
        findings.extend(unless(is_listed, || format!("{} is not among the alarms of docs/operations.md", alarm.id)));
    }
    findings
}

#[test]
fn every_dead_letter_queue_has_an_alarm_that_rings_at_its_first_letter() {
    let alarm = "/Resources/LookupHighDlqAlarm/Properties";
    hold(
        check_letters,
        &[
            ("/Resources/LookupHighDlqAlarm", Value::Null, "LookupHighDlq"),
            (&format!("{alarm}/Namespace"), json!("AWS/SNS"), "LookupHighDlq"),
            (&format!("{alarm}/Period"), json!(3600), "LookupHighDlq"),
            (&format!("{alarm}/Threshold"), json!(1), "LookupHighDlq"),
            (&format!("{alarm}/MetricName"), json!("NumberOfMessagesSent"), "LookupHighDlq"),
            (&format!("{alarm}/Statistic"), json!("Minimum"), "LookupHighDlq"),
            (&format!("{alarm}/ComparisonOperator"), json!("LessThanThreshold"), "LookupHighDlq"),
            (&format!("{alarm}/EvaluationPeriods"), json!(60), "LookupHighDlq"),
            (&format!("{alarm}/Dimensions/0/Value"), json!({"Fn::GetAtt": ["LookupHighQueue", "QueueName"]}), "LookupHighDlq"),
            (&format!("{alarm}/AlarmDescription"), json!("A letter. See docs/operations.md, dead letters."), "LookupHighDlq"),
        ],
    );
}

#[test]
fn every_alarm_tells_whoever_gave_an_address_and_only_when_something_happens() {
    hold(
        check_actions,
        &[
            ("/Resources/WebhookErrorsAlarm/Properties/AlarmActions", Value::Null, "WebhookErrorsAlarm tells nobody"),
            ("/Resources/WebhookErrorsAlarm/Properties/ActionsEnabled", json!(false), "WebhookErrorsAlarm tells nobody"),
            ("/Resources/WebhookErrorsAlarm/Properties/TreatMissingData", json!("breaching"), "WebhookErrorsAlarm rings"),
            ("/Resources/AlarmSubscription", Value::Null, "AlarmEmail is not subscribed"),
            ("/Resources/AlarmSubscription/Properties/Endpoint", json!("ops@example.com"), "AlarmEmail is not subscribed"),
            ("/Resources/AlarmSubscription/Properties/TopicArn/Ref", json!("OtherTopic"), "AlarmEmail is not subscribed"),
        ],
    );
}

#[test]
fn every_alarm_names_the_section_that_says_what_to_do() {
    let operations = text_of("docs/operations.md");
    hold(
        |template| check_sections(template, &operations),
        &[
            ("/Resources/WebhookErrorsAlarm/Properties/AlarmDescription", json!("Signups failed."), "WebhookErrorsAlarm"),
            (
                "/Resources/WebhookErrorsAlarm/Properties/AlarmDescription",
                json!("See docs/operations.md, the back door."),
                "WebhookErrorsAlarm",
            ),
            ("/Resources/CostAlarm", json!({"Type": "AWS::CloudWatch::Alarm"}), "CostAlarm is not among"),
        ],
    );
    let without = operations.replace("## Dead letters", "## Letters");
    assert_eq!(check_sections(&Template::of_repository().unwrap(), &without).len(), 5);
}
