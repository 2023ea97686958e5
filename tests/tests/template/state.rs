//! What is kept survives a mistake, logs end some day, and two stacks live side by side.

use serde_json::{Value, json};
use tests::template::{Template, listed};

use crate::{hold, text_of, unless};

/// What outlives the stack.
const KEPT: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"];

/// The property by which a resource of a type gets a physical name.
const NAMES: [(&str, &str); 15] = [
    ("AWS::Serverless::Function", "FunctionName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Logs::MetricFilter", "FilterName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SecretsManager::Secret", "Name"),
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::Scheduler::Schedule", "Name"),
];

fn check_kept(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for resource in template.resources().filter(|resource| KEPT.contains(&resource.kind())) {
        // A first deployment that fails takes away what it made, which is empty.
        let deletion = &resource.value["DeletionPolicy"];
        let is_kept = *deletion == "Retain" || *deletion == "RetainExceptOnCreate";
        findings.extend(unless(is_kept, || format!("{}: DeletionPolicy keeps nothing", resource.id)));
        let is_kept = resource.value["UpdateReplacePolicy"] == "Retain";
        findings.extend(unless(is_kept, || format!("{}: UpdateReplacePolicy is not Retain", resource.id)));
    }
    for table in template.of_type("AWS::DynamoDB::Table") {
        for switch in ["/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", "/SSESpecification/SSEEnabled"] {
            findings.extend(unless(*table.get(switch) == json!(true), || format!("{}: {switch} is not on", table.id)));
        }
    }
    findings
}

fn check_logs(template: &Template) -> Vec<String> {
    let functions = template.functions().map(|function| (function.id, function.get("/LoggingConfig/LogGroup/Ref")));
    let stages =
        template.of_type("AWS::ApiGatewayV2::Stage").map(|stage| (stage.id, stage.get("/AccessLogSettings/DestinationArn/Fn::GetAtt/0")));
    let (mut findings, mut seen) = (Vec::new(), Vec::new());
    for (id, group) in functions.chain(stages) {
        let ends = group.as_str().and_then(|group| template.resource(group)).filter(|group| group.kind() == "AWS::Logs::LogGroup");
        let ends = ends.is_some_and(|group| *group.get("/RetentionInDays") == json!({"Ref": "LogRetentionDays"}));
        findings.extend(unless(ends, || format!("{id}: its log group is none of the template, or keeps for ever")));
        findings.extend(unless(!seen.contains(&group), || format!("{id} writes into the log of another")));
        seen.push(group);
    }
    let default = template.at("/Parameters/LogRetentionDays/Default");
    let is_offered = listed(template.at("/Parameters/LogRetentionDays/AllowedValues")).contains(default);
    findings.extend(unless(default.as_u64().is_some_and(|days| days > 0) && is_offered, || "LogRetentionDays: no such default".to_owned()));
    findings
}

fn check_names(template: &Template) -> Vec<String> {
    let named = template.resources().flat_map(|resource| {
        let of_kind = NAMES.iter().filter(move |(kind, _)| *kind == resource.kind());
        of_kind.filter_map(move |(_, name)| unless(resource.get(&format!("/{name}")).is_null(), || format!("{} has a {name}", resource.id)))
    });
    named.collect()
}

/// Anchors, aliases and merge keys, which YAML has and `CloudFormation` has not.
fn check_yaml(text: &str) -> Vec<String> {
    let words = |line: &str| {
        let words: Vec<String> = line.split([' ', '[', '{', ',']).map(str::to_owned).collect();
        words.into_iter().find(|word| {
            let mut letters = word.chars();
            let sign = letters.next().is_some_and(|first| matches!(first, '&' | '*'));
            (sign && letters.next().is_some_and(char::is_alphanumeric)) || word.starts_with("<<:")
        })
    };
    let lines = text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, words(line)?)));
    lines.map(|(number, word)| format!("line {number}: CloudFormation does not read {word}")).collect()
}

#[test]
fn tables_can_be_restored_and_outlive_the_stack_with_the_secrets() {
    hold(
        check_kept,
        &[
            ("/Resources/LeadsTable/DeletionPolicy", Value::Null, "LeadsTable: DeletionPolicy"),
            ("/Resources/CreditsTable/UpdateReplacePolicy", json!("Delete"), "CreditsTable: UpdateReplacePolicy"),
            ("/Resources/WebhookSecrets/DeletionPolicy", json!("Delete"), "WebhookSecrets: DeletionPolicy"),
            ("/Resources/VendorSecrets/DeletionPolicy", json!("Snapshot"), "VendorSecrets: DeletionPolicy"),
            ("/Resources/LeadsTable/UpdateReplacePolicy", json!("RetainExceptOnCreate"), "LeadsTable: UpdateReplacePolicy"),
            ("/Resources/VendorSecrets/UpdateReplacePolicy", Value::Null, "VendorSecrets: UpdateReplacePolicy"),
            ("/Resources/CacheTable/Properties/PointInTimeRecoverySpecification", Value::Null, "CacheTable: /PointInTime"),
            ("/Resources/CacheTable/Properties/SSESpecification/SSEEnabled", json!(false), "CacheTable: /SSE"),
        ],
    );
}

#[test]
fn every_function_and_the_api_write_into_a_log_of_their_own_that_ends() {
    hold(
        check_logs,
        &[
            ("/Resources/CrmWritebackFunction/Properties/LoggingConfig", Value::Null, "CrmWritebackFunction: its log group"),
            (
                "/Resources/CrmWritebackFunction/Properties/LoggingConfig/LogGroup/Ref",
                json!("SignupWebhookLogGroup"),
                "writes into the log of another",
            ),
            ("/Resources/CrmWritebackLogGroup", Value::Null, "CrmWritebackFunction: its log group"),
            ("/Resources/CrmWritebackLogGroup/Properties/RetentionInDays", Value::Null, "CrmWritebackFunction: its log group"),
            ("/Resources/CrmWritebackLogGroup/Type", json!("AWS::Logs::LogStream"), "CrmWritebackFunction: its log group"),
            ("/Resources/HttpApiStage/Properties/AccessLogSettings", Value::Null, "HttpApiStage: its log group"),
            ("/Parameters/LogRetentionDays/Default", json!(0), "LogRetentionDays"),
            ("/Parameters/LogRetentionDays/Default", json!(31), "LogRetentionDays"),
        ],
    );
}

#[test]
fn nothing_has_a_physical_name() {
    let named = NAMES.map(|(kind, name)| (json!({ "Type": kind, "Properties": {name: "millrace"} }), format!("Named has a {name}")));
    let mut breakages = vec![("/Resources/LookupLowDlq/Properties/QueueName", json!("low"), "LookupLowDlq has a QueueName")];
    breakages.extend(named.iter().map(|(resource, finding)| ("/Resources/Named", resource.clone(), finding.as_str())));
    hold(check_names, &breakages);
}

#[test]
fn the_file_keeps_to_the_yaml_that_cloudformation_reads() {
    assert_eq!(check_yaml(&text_of("template.yaml")), Vec::<String>::new());
    for broken in ["a: &one\n  b: 1", "a: *one", "a: [*one, 2]", "a: {b: &b 1}", "a:\n  <<: *one"] {
        assert_eq!(check_yaml(broken).len(), 1, "{broken}");
    }
    for fine in ["a: x/*/webhook/*", "a: \"run#*\"", "a: b & c", "a: 2 * 3"] {
        assert_eq!(check_yaml(fine), Vec::<String>::new());
    }
}
