//! Somebody is told of each dead letter, of each message that waits too long, of each failure, and what to do about it.

use serde_json::{Value, json};
use tests::template::{Resource, Template};

use crate::{hold, text_of, unless};

/// Where an alarm's description sends its reader.
const SEE: &str = "See docs/operations.md, ";

/// What an alarm looks at; a name with `${` is substituted.
struct Metric {
    namespace: &'static str,
    name: &'static str,
    dimension: Option<&'static str>,
    statistic: &'static str,
}

const LETTERS: Metric =
    Metric { namespace: "AWS/SQS", name: "ApproximateNumberOfMessagesVisible", dimension: Some("QueueName"), statistic: "Maximum" };
const AGE: Metric =
    Metric { namespace: "AWS/SQS", name: "ApproximateAgeOfOldestMessage", dimension: Some("QueueName"), statistic: "Maximum" };
const REFUSED: Metric = Metric { namespace: "AWS/ApiGateway", name: "5xx", dimension: Some("ApiId"), statistic: "Sum" };
const ERRORS: Metric = Metric { namespace: "AWS/Lambda", name: "Errors", dimension: Some("FunctionName"), statistic: "Sum" };
const PUT_ASIDE: Metric = Metric { namespace: "Millrace/${AWS::StackName}", name: "PutAside", dimension: None, statistic: "Sum" };

/// Every alarm: what it looks at, of which resource, the number above which it rings, the period in seconds and how many.
const ALARMS: [(&str, Metric, &str, u64, u64, u64); 15] = [
    ("LookupCriticalDlqAlarm", LETTERS, "LookupCriticalDlq", 0, 60, 1),
    ("LookupHighDlqAlarm", LETTERS, "LookupHighDlq", 0, 60, 1),
    ("LookupNormalDlqAlarm", LETTERS, "LookupNormalDlq", 0, 60, 1),
    ("LookupLowDlqAlarm", LETTERS, "LookupLowDlq", 0, 60, 1),
    ("WritebackDlqAlarm", LETTERS, "WritebackDlq", 0, 60, 1),
    ("LookupCriticalAgeAlarm", AGE, "LookupCriticalQueue", 60, 60, 3),
    ("LookupHighAgeAlarm", AGE, "LookupHighQueue", 3600, 300, 1),
    ("LookupNormalAgeAlarm", AGE, "LookupNormalQueue", 3600, 300, 1),
    ("LookupLowAgeAlarm", AGE, "LookupLowQueue", 3600, 300, 1),
    ("WritebackAgeAlarm", AGE, "WritebackQueue", 3600, 300, 1),
    ("WebhookErrorsAlarm", REFUSED, "HttpApi", 0, 300, 1),
    ("SignupWebhookErrorsAlarm", ERRORS, "SignupWebhookFunction", 0, 300, 1),
    ("ProviderLookupErrorsAlarm", ERRORS, "ProviderLookupFunction", 0, 300, 1),
    ("CrmWritebackErrorsAlarm", ERRORS, "CrmWritebackFunction", 0, 300, 1),
    ("PutAsideAlarm", PUT_ASIDE, "", 0, 300, 1),
];

/// The log groups in which the words are looked for that raise `PutAsideAlarm`, and whose source must write them.
const PUTTING_ASIDE: [(&str, &str); 2] =
    [("ProviderLookupLogGroup", "functions/provider-lookup/src/lib.rs"), ("CrmWritebackLogGroup", "functions/crm-writeback/src/lib.rs")];

fn text(written: &str) -> Value {
    if written.contains("${") { json!({ "Fn::Sub": written }) } else { json!(written) }
}

fn dimensions(metric: &Metric, of: &str) -> Value {
    let value = if metric.dimension == Some("QueueName") { json!({ "Fn::GetAtt": [of, "QueueName"] }) } else { json!({ "Ref": of }) };
    metric.dimension.map_or(Value::Null, |name| json!([{ "Name": name, "Value": value }]))
}

fn check_measures(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for (id, metric, of, above, seconds, periods) in &ALARMS {
        let alarm = template.resource(id).filter(|alarm| alarm.kind() == "AWS::CloudWatch::Alarm");
        for (name, wanted) in [
            ("Namespace", text(metric.namespace)),
            ("MetricName", json!(metric.name)),
            ("Dimensions", dimensions(metric, of)),
            ("Statistic", json!(metric.statistic)),
            ("Threshold", json!(above)),
            ("ComparisonOperator", json!("GreaterThanThreshold")),
            ("Period", json!(seconds)),
            ("EvaluationPeriods", json!(periods)),
            ("DatapointsToAlarm", Value::Null),
        ] {
            let is_right = alarm.is_some_and(|alarm| *alarm.get(&format!("/{name}")) == wanted);
            findings.extend(unless(is_right, || format!("{id}: {name} is not {wanted}")));
        }
    }
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let unknown = alarms.filter(|alarm| ALARMS.iter().all(|(id, ..)| *id != alarm.id));
    findings.extend(unknown.map(|alarm| format!("{} is not in the table of alarms", alarm.id)));
    findings
}

/// Everything that can fail or grow has an alarm; a dead letter's names its queue, which is where to look.
fn check_cover(template: &Template) -> Vec<String> {
    let watched = ["AWS::SQS::Queue", "AWS::Serverless::Function", "AWS::ApiGatewayV2::Api"];
    let mut findings = Vec::new();
    for resource in template.resources().filter(|resource| watched.contains(&resource.kind())) {
        let alarm = ALARMS.iter().find(|(_, _, of, ..)| *of == resource.id).and_then(|(id, ..)| template.resource(id));
        findings.extend(unless(alarm.is_some(), || format!("{}: no alarm watches it", resource.id)));
        let names_it = alarm.is_some_and(|alarm| alarm.text("/AlarmDescription").contains(resource.id));
        findings.extend(unless(names_it || !resource.id.ends_with("Dlq"), || format!("{}: its alarm does not name it", resource.id)));
    }
    findings
}

/// The words of `{ $.level = "ERROR" && $.message = "*words*" }`.
fn words_of(filter: Resource<'_>) -> Option<&str> {
    filter.text("/FilterPattern").strip_prefix(r#"{ $.level = "ERROR" && $.message = "*"#)?.strip_suffix(r#"*" }"#)
}

fn check_put_aside(template: &Template) -> Vec<String> {
    let counted = json!([{ "MetricNamespace": text(PUT_ASIDE.namespace), "MetricName": PUT_ASIDE.name, "MetricValue": "1" }]);
    let mut findings = Vec::new();
    for (group, source) in PUTTING_ASIDE {
        let mut filters = template.of_type("AWS::Logs::MetricFilter");
        let filter = filters.find(|filter| *filter.get("/LogGroupName") == json!({ "Ref": group }));
        let is_counted = filter.is_some_and(|filter| *filter.get("/MetricTransformations") == counted);
        findings.extend(unless(is_counted, || format!("{group}: what was put aside is not counted for PutAsideAlarm")));
        let words = filter.and_then(words_of).filter(|words| !words.is_empty());
        let source_text = text_of(source);
        let mut errors = source_text.lines().filter(|line| line.contains("tracing::error!("));
        let is_written = words.is_some_and(|words| errors.any(|line| line.contains(words)));
        findings.extend(unless(is_written, || format!("{group}: {source} writes no error with {words:?}")));
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
fn every_alarm_rings_at_the_number_of_the_table() {
    let mut broken = Vec::new();
    for (id, ..) in &ALARMS {
        let alarm = format!("/Resources/{id}/Properties");
        broken.push((format!("/Resources/{id}"), Value::Null, format!("{id}: Namespace")));
        for (name, value) in [
            ("Namespace", json!("AWS/SNS")),
            ("MetricName", json!("NumberOfMessagesSent")),
            ("Dimensions", json!([{ "Name": "QueueName", "Value": {"Fn::GetAtt": ["OtherQueue", "QueueName"]} }])),
            ("Statistic", json!("Minimum")),
            ("Threshold", json!(100_000)),
            ("ComparisonOperator", json!("LessThanThreshold")),
            ("Period", json!(86_400)),
            ("EvaluationPeriods", json!(60)),
            ("DatapointsToAlarm", json!(60)),
        ] {
            broken.push((format!("{alarm}/{name}"), value, format!("{id}: {name}")));
        }
    }
    let spare = json!({ "Type": "AWS::CloudWatch::Alarm" });
    broken.push(("/Resources/CostAlarm".to_owned(), spare, "CostAlarm is not in the table".to_owned()));
    let breakages: Vec<_> = broken.iter().map(|(pointer, value, named)| (pointer.as_str(), value.clone(), named.as_str())).collect();
    hold(check_measures, &breakages);
}

#[test]
fn every_queue_function_and_api_has_an_alarm_and_a_dead_letters_names_its_queue() {
    let letter = json!("A letter. See docs/operations.md, dead letters.");
    hold(
        check_cover,
        &[
            ("/Resources/LookupHighDlqAlarm", Value::Null, "LookupHighDlq: no alarm"),
            ("/Resources/SpareQueue", json!({"Type": "AWS::SQS::Queue"}), "SpareQueue: no alarm"),
            ("/Resources/SpareDlq", json!({"Type": "AWS::SQS::Queue"}), "SpareDlq: no alarm"),
            ("/Resources/SpareFunction", json!({"Type": "AWS::Serverless::Function"}), "SpareFunction: no alarm"),
            ("/Resources/SpareApi", json!({"Type": "AWS::ApiGatewayV2::Api"}), "SpareApi: no alarm"),
            ("/Resources/LookupHighDlqAlarm/Properties/AlarmDescription", letter, "LookupHighDlq: its alarm"),
        ],
    );
}

#[test]
fn what_is_put_aside_is_counted_by_the_words_that_the_functions_log() {
    let filter = "/Resources/CrmWritebackPutAside/Properties";
    let pattern = |words: &str| json!(format!(r#"{{ $.level = "ERROR" && $.message = "*{words}*" }}"#));
    let (uncounted, unwritten) = ("CrmWritebackLogGroup: what was put aside", "CrmWritebackLogGroup: functions/crm-writeback");
    hold(
        check_put_aside,
        &[
            ("/Resources/CrmWritebackPutAside", Value::Null, uncounted),
            ("/Resources/ProviderLookupPutAside", Value::Null, "ProviderLookupLogGroup: what was put aside"),
            (&format!("{filter}/LogGroupName/Ref"), json!("SignupWebhookLogGroup"), uncounted),
            (&format!("{filter}/MetricTransformations/0/MetricName"), json!("Aside"), uncounted),
            (&format!("{filter}/MetricTransformations/0/MetricNamespace"), json!("Millrace"), uncounted),
            (&format!("{filter}/MetricTransformations/0/MetricValue"), json!("0"), uncounted),
            (&format!("{filter}/FilterPattern"), pattern("laid aside"), unwritten),
            (&format!("{filter}/FilterPattern"), pattern(""), unwritten),
            (&format!("{filter}/FilterPattern"), json!("put aside"), unwritten),
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
