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
const TICKS: Metric = Metric { namespace: "AWS/Lambda", name: "Invocations", dimension: Some("FunctionName"), statistic: "Sum" };
const PUT_ASIDE: Metric = Metric { namespace: "Millrace/${AWS::StackName}", name: "PutAside", dimension: None, statistic: "Sum" };
const THRESHOLDS: Metric = Metric { namespace: "Millrace/${AWS::StackName}", name: "CreditThresholds", dimension: None, statistic: "Sum" };

/// An alarm: what it looks at, of which resource, the number, the period in seconds and how many.
type Row = (&'static str, Metric, &'static str, u64, u64, u64);

/// Every alarm that rings above its number.
const ALARMS: [Row; 19] = [
    ("LookupCriticalDlqAlarm", LETTERS, "LookupCriticalDlq", 0, 60, 1),
    ("LookupHighDlqAlarm", LETTERS, "LookupHighDlq", 0, 60, 1),
    ("LookupNormalDlqAlarm", LETTERS, "LookupNormalDlq", 0, 60, 1),
    ("LookupLowDlqAlarm", LETTERS, "LookupLowDlq", 0, 60, 1),
    ("ScoreDlqAlarm", LETTERS, "ScoreDlq", 0, 60, 1),
    ("WritebackDlqAlarm", LETTERS, "WritebackDlq", 0, 60, 1),
    ("LookupCriticalAgeAlarm", AGE, "LookupCriticalQueue", 60, 60, 3),
    ("LookupHighAgeAlarm", AGE, "LookupHighQueue", 3600, 300, 1),
    ("LookupNormalAgeAlarm", AGE, "LookupNormalQueue", 3600, 300, 1),
    ("LookupLowAgeAlarm", AGE, "LookupLowQueue", 3600, 300, 1),
    ("WritebackAgeAlarm", AGE, "WritebackQueue", 3600, 300, 1),
    ("WebhookErrorsAlarm", REFUSED, "HttpApi", 0, 300, 1),
    ("SignupWebhookErrorsAlarm", ERRORS, "SignupWebhookFunction", 0, 300, 1),
    ("ProviderLookupErrorsAlarm", ERRORS, "ProviderLookupFunction", 0, 300, 1),
    ("ScoreRouteErrorsAlarm", ERRORS, "ScoreRouteFunction", 0, 300, 1),
    ("CrmWritebackErrorsAlarm", ERRORS, "CrmWritebackFunction", 0, 300, 1),
    ("ScheduledRefreshErrorsAlarm", ERRORS, "ScheduledRefreshFunction", 0, 300, 3),
    ("PutAsideAlarm", PUT_ASIDE, "", 0, 300, 1),
    ("CreditsAlarm", THRESHOLDS, "", 0, 300, 1),
];
/// The alarms that ring when too little happens: the number below which, and nothing at all counts as less than that.
const SILENCES: [Row; 1] = [("NoTickAlarm", TICKS, "ScheduledRefreshFunction", 1, 900, 1)];

/// All alarms with their comparison, and what missing data is to them.
fn alarms() -> impl Iterator<Item = (&'static Row, &'static str, &'static str)> {
    let above = ALARMS.iter().map(|row| (row, "GreaterThanThreshold", "notBreaching"));
    above.chain(SILENCES.iter().map(|row| (row, "LessThanThreshold", "breaching")))
}

/// The log groups in which the words are looked for that raise an alarm: the level they are logged at, the source that must
/// write them, and the metric by which they are counted.
const COUNTED: [(&str, &str, &str, Metric); 4] = [
    ("ProviderLookupLogGroup", "error", "functions/provider-lookup/src/lib.rs", PUT_ASIDE),
    ("ScoreRouteLogGroup", "error", "functions/score-route/src/lib.rs", PUT_ASIDE),
    ("CrmWritebackLogGroup", "error", "functions/crm-writeback/src/lib.rs", PUT_ASIDE),
    ("ScheduledRefreshLogGroup", "warn", "functions/scheduled-refresh/src/lib.rs", THRESHOLDS),
];

fn text(written: &str) -> Value {
    if written.contains("${") { json!({ "Fn::Sub": written }) } else { json!(written) }
}

fn dimensions(metric: &Metric, of: &str) -> Value {
    let value = if metric.dimension == Some("QueueName") { json!({ "Fn::GetAtt": [of, "QueueName"] }) } else { json!({ "Ref": of }) };
    metric.dimension.map_or(Value::Null, |name| json!([{ "Name": name, "Value": value }]))
}

fn check_measures(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for ((id, metric, of, number, seconds, periods), comparison, _) in alarms() {
        let alarm = template.resource(id).filter(|alarm| alarm.kind() == "AWS::CloudWatch::Alarm");
        for (name, wanted) in [
            ("Namespace", text(metric.namespace)),
            ("MetricName", json!(metric.name)),
            ("Dimensions", dimensions(metric, of)),
            ("Statistic", json!(metric.statistic)),
            ("Threshold", json!(number)),
            ("ComparisonOperator", json!(comparison)),
            ("Period", json!(seconds)),
            ("EvaluationPeriods", json!(periods)),
            ("DatapointsToAlarm", Value::Null),
        ] {
            let is_right = alarm.is_some_and(|alarm| *alarm.get(&format!("/{name}")) == wanted);
            findings.extend(unless(is_right, || format!("{id}: {name} is not {wanted}")));
        }
    }
    let there = template.of_type("AWS::CloudWatch::Alarm");
    let unknown = there.filter(|alarm| alarms().all(|((id, ..), ..)| *id != alarm.id));
    findings.extend(unknown.map(|alarm| format!("{} is not in the table of alarms", alarm.id)));
    findings
}

/// What grows without an alarm, and why.
const UNWATCHED: [(&str, &str); 1] = [("ScoreQueue", "nobody waits for it, and what it loses leaves a lead as it was decided last")];

/// Everything that can fail or grow has an alarm; a dead letter's names its queue, which is where to look.
fn check_cover(template: &Template) -> Vec<String> {
    let watched = ["AWS::SQS::Queue", "AWS::Serverless::Function", "AWS::ApiGatewayV2::Api"];
    let mut findings = Vec::new();
    for resource in template.resources().filter(|resource| watched.contains(&resource.kind())) {
        if UNWATCHED.iter().any(|(id, _)| *id == resource.id) {
            continue;
        }
        let alarm = ALARMS.iter().find(|(_, _, of, ..)| *of == resource.id).and_then(|(id, ..)| template.resource(id));
        findings.extend(unless(alarm.is_some(), || format!("{}: no alarm watches it", resource.id)));
        let names_it = alarm.is_some_and(|alarm| alarm.text("/AlarmDescription").contains(resource.id));
        findings.extend(unless(names_it || !resource.id.ends_with("Dlq"), || format!("{}: its alarm does not name it", resource.id)));
    }
    findings
}

/// The words of `{ $.level = "ERROR" && $.message = "*words*" }`.
fn words_of<'a>(filter: Resource<'a>, level: &str) -> Option<&'a str> {
    let start = format!(r#"{{ $.level = "{}" && $.message = "*"#, level.to_uppercase());
    filter.text("/FilterPattern").strip_prefix(start.as_str())?.strip_suffix(r#"*" }"#)
}

fn check_counted(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for (group, level, source, metric) in &COUNTED {
        let counted = json!([{ "MetricNamespace": text(metric.namespace), "MetricName": metric.name, "MetricValue": "1" }]);
        let mut filters = template.of_type("AWS::Logs::MetricFilter");
        let filter = filters.find(|filter| *filter.get("/LogGroupName") == json!({ "Ref": group }));
        let is_counted = filter.is_some_and(|filter| *filter.get("/MetricTransformations") == counted);
        findings.extend(unless(is_counted, || format!("{group}: nothing is counted for {}", metric.name)));
        let words = filter.and_then(|filter| words_of(filter, level)).filter(|words| !words.is_empty());
        let source_text = text_of(source);
        let mut lines = source_text.lines().filter(|line| line.contains(&format!("tracing::{level}!(")));
        let is_written = words.is_some_and(|words| lines.any(|line| line.contains(words)));
        findings.extend(unless(is_written, || format!("{group}: {source} writes no {level} with {words:?}")));
    }
    findings
}

fn check_actions(template: &Template) -> Vec<String> {
    let tells = json!({ "Fn::If": ["TellsSomebody", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}] });
    let mut findings = Vec::new();
    for alarm in template.of_type("AWS::CloudWatch::Alarm") {
        let is_heard = *alarm.get("/AlarmActions") == tells && alarm.get("/ActionsEnabled").is_null();
        findings.extend(unless(is_heard, || format!("{} tells nobody", alarm.id)));
        let missing = alarms().find(|((id, ..), ..)| *id == alarm.id).map_or("notBreaching", |(.., missing)| missing);
        let is_right = alarm.text("/TreatMissingData") == missing;
        findings.extend(unless(is_right, || format!("{}: to nothing at all it is not {missing}", alarm.id)));
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
    for ((id, ..), comparison, _) in alarms() {
        let other = if comparison == "LessThanThreshold" { "GreaterThanThreshold" } else { "LessThanThreshold" };
        let alarm = format!("/Resources/{id}/Properties");
        broken.push((format!("/Resources/{id}"), Value::Null, format!("{id}: Namespace")));
        for (name, value) in [
            ("Namespace", json!("AWS/SNS")),
            ("MetricName", json!("NumberOfMessagesSent")),
            ("Dimensions", json!([{ "Name": "QueueName", "Value": {"Fn::GetAtt": ["OtherQueue", "QueueName"]} }])),
            ("Statistic", json!("Minimum")),
            ("Threshold", json!(100_000)),
            ("ComparisonOperator", json!(other)),
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
fn what_is_put_aside_or_crossed_is_counted_by_the_words_that_the_functions_log() {
    let filter = "/Resources/CrmWritebackPutAside/Properties";
    let pattern = |words: &str| json!(format!(r#"{{ $.level = "ERROR" && $.message = "*{words}*" }}"#));
    let (uncounted, unwritten) = ("CrmWritebackLogGroup: nothing is counted", "CrmWritebackLogGroup: functions/crm-writeback");
    hold(
        check_counted,
        &[
            ("/Resources/CrmWritebackPutAside", Value::Null, uncounted),
            ("/Resources/ProviderLookupPutAside", Value::Null, "ProviderLookupLogGroup: nothing is counted"),
            ("/Resources/CreditThresholds", Value::Null, "ScheduledRefreshLogGroup: nothing is counted for CreditThresholds"),
            (
                "/Resources/CreditThresholds/Properties/FilterPattern",
                pattern("threshold was crossed"),
                "ScheduledRefreshLogGroup: functions",
            ),
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
            ("/Resources/WebhookErrorsAlarm/Properties/TreatMissingData", json!("breaching"), "WebhookErrorsAlarm: to nothing"),
            ("/Resources/NoTickAlarm/Properties/TreatMissingData", json!("notBreaching"), "NoTickAlarm: to nothing at all"),
            ("/Resources/NoTickAlarm/Properties/AlarmActions", Value::Null, "NoTickAlarm tells nobody"),
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
    assert_eq!(check_sections(&Template::of_repository().unwrap(), &without).len(), 6);
}
