//! Each role against what its function was seen doing: all of it is allowed, and what is allowed is done.

use std::collections::BTreeMap;

use platform::DEFAULT_WORKSPACE;
use platform::Function::{self, CrmWriteback, ProviderLookup, ScheduledRefresh, ScoreRoute, SignupWebhook};
use serde_json::{Value, json};
use tests::template::{Template, listed, references};

use crate::drift::function_id;
use crate::iam::{index_arn, role_of, statements};
use crate::observed::{INDEX, Seen, Use, observe};
use crate::{hold, unless};

/// Rights that are not used here, with the reason why they are needed: function, action, on what (empty: on everything), why.
/// An entry that is used, or not allowed any more, is stale.
const UNSEEN: &[(Function, &str, &str, &str)] = &[
    (SignupWebhook, "logs:CreateLogStream", "", LOGS),
    (SignupWebhook, "logs:PutLogEvents", "", LOGS),
    (ProviderLookup, "logs:CreateLogStream", "", LOGS),
    (ProviderLookup, "logs:PutLogEvents", "", LOGS),
    (ScoreRoute, "logs:CreateLogStream", "", LOGS),
    (ScoreRoute, "logs:PutLogEvents", "", LOGS),
    (CrmWriteback, "logs:CreateLogStream", "", LOGS),
    (CrmWriteback, "logs:PutLogEvents", "", LOGS),
    (ScheduledRefresh, "logs:CreateLogStream", "", LOGS),
    (ScheduledRefresh, "logs:PutLogEvents", "", LOGS),
    (ProviderLookup, "sqs:ReceiveMessage", "", MAPPING),
    (ProviderLookup, "sqs:DeleteMessage", "", MAPPING),
    (ProviderLookup, "sqs:GetQueueAttributes", "", MAPPING),
    (ScoreRoute, "sqs:ReceiveMessage", "", MAPPING),
    (ScoreRoute, "sqs:DeleteMessage", "", MAPPING),
    (ScoreRoute, "sqs:GetQueueAttributes", "", MAPPING),
    (CrmWriteback, "sqs:ReceiveMessage", "", MAPPING),
    (CrmWriteback, "sqs:DeleteMessage", "", MAPPING),
    (CrmWriteback, "sqs:GetQueueAttributes", "", MAPPING),
    (SignupWebhook, "sqs:SendMessage", "LookupNormalQueue", ARRIVALS),
    (SignupWebhook, "sqs:SendMessage", "LookupLowQueue", ARRIVALS),
];
const LOGS: &str = "Lambda writes the log in the function's name";
const MAPPING: &str = "the event source mapping works on the queue in the function's name";
const ARRIVALS: &str = "boot asks for all four; `Priority::of_arrival` knows no arrival that is in less of a hurry yet";

fn is_unseen(function: Function, right: &Use) -> bool {
    UNSEEN.iter().any(|(of, action, on, _)| *of == function && *action == right.0 && (on.is_empty() || *on == right.1))
}

/// The logical ids in a resource of a statement; of the index with the index behind. Of a secret made by the stack or brought
/// along, the one made stands for both.
fn names_of(template: &Template, resource: &Value) -> Vec<String> {
    let index = if *resource == index_arn() { INDEX } else { "" };
    let ids = references(resource).into_iter().filter(|id| template.resource(id).is_some());
    ids.map(|id| format!("{id}{index}")).collect()
}

/// What a role allows: action and logical id, with the condition it stands under.
fn allowed(template: &Template, function: Function) -> BTreeMap<Use, Value> {
    let role = template.resource(&function_id(function)).and_then(|function| role_of(template, function));
    let mut allowed = BTreeMap::new();
    for statement in role.into_iter().flat_map(statements) {
        for resource in listed(&statement["Resource"]).iter().flat_map(|resource| names_of(template, resource)) {
            for action in listed(&statement["Action"]).iter().filter_map(Value::as_str) {
                allowed.insert((action.to_owned(), resource.clone()), statement["Condition"].clone());
            }
        }
    }
    allowed
}

/// The beginnings that keys must have under a condition; `None` when it is another condition than we know.
fn prefixes(condition: &Value) -> Option<Vec<&str>> {
    let patterns = condition.pointer("/ForAllValues:StringLike/dynamodb:LeadingKeys")?.as_array()?;
    let is_alone = condition.as_object()?.len() == 1 && condition["ForAllValues:StringLike"].as_object()?.len() == 1;
    is_alone.then(|| patterns.iter().filter_map(|pattern| pattern.as_str()?.strip_suffix('*')).collect())
}

fn check_rights(template: &Template, seen: &Seen) -> Vec<String> {
    let nothing = BTreeMap::new();
    let mut findings = Vec::new();
    for function in Function::ALL {
        let (name, allowed) = (function.name(), allowed(template, function));
        let done = seen.get(name).unwrap_or(&nothing);
        for ((action, resource), keys) in done {
            let what = format!("{name}: {action} on {resource}");
            let Some(condition) = allowed.get(&(action.clone(), resource.clone())) else {
                findings.push(format!("{what} is done and not allowed"));
                continue;
            };
            let fits = condition.is_null()
                || prefixes(condition).is_some_and(|prefixes| keys.iter().all(|key| prefixes.iter().any(|prefix| key.starts_with(prefix))));
            findings.extend(unless(fits, || format!("{what} is done with keys outside of {condition}")));
        }
        for (right, _) in allowed.iter().filter(|(right, _)| !done.contains_key(*right)) {
            findings.extend(unless(is_unseen(function, right), || format!("{name}: {} on {} is allowed and never done", right.0, right.1)));
        }
        for (_, action, on, why) in UNSEEN.iter().filter(|(of, ..)| *of == function) {
            let is_meant = |right: &&Use| right.0 == *action && (on.is_empty() || right.1 == *on);
            let is_needed = allowed.keys().any(|right| is_meant(&right)) && !done.keys().any(|right| is_meant(&right));
            findings.extend(unless(is_needed, || format!("{name}: {action} {on} is among UNSEEN ({why}) and should not be")));
        }
    }
    findings
}

/// The function that the world reaches reads runs, and nothing else of a table.
fn check_public_reads(template: &Template) -> Vec<String> {
    let runs = format!("{DEFAULT_WORKSPACE}#RUN#");
    let of_tables = allowed(template, SignupWebhook).into_iter().filter(|((action, _), _)| action.starts_with("dynamodb:"));
    let broad = of_tables.filter(|((action, _), condition)| {
        action != "dynamodb:GetItem" || prefixes(condition).is_none_or(|prefixes| prefixes != [runs.as_str()])
    });
    broad.map(|((action, table), _)| format!("signup-webhook: {action} on {table} reaches more than runs")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_allows_what_its_function_does_and_nothing_more() {
    let seen = Box::pin(observe(&Template::of_repository().unwrap())).await;
    let of = |role: &str, statement: usize, rest: &str| {
        format!("/Resources/{role}/Properties/Policies/0/PolicyDocument/Statement/{statement}/{rest}")
    };
    let arn = |id: &str| json!({ "Fn::GetAtt": [id, "Arn"] });
    let keys = |pattern: &str| json!({ "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [pattern]} });
    let broken = [
        (of("ProviderLookupRole", 3, "Action/3"), Value::Null, "provider-lookup: dynamodb:ConditionCheckItem on LeadsTable is done"),
        (of("ProviderLookupRole", 3, "Action/-"), json!("dynamodb:Query"), "provider-lookup: dynamodb:Query on LeadsTable is allowed"),
        (of("ProviderLookupRole", 4, "Resource"), arn("LeadsTable"), "provider-lookup: dynamodb:PutItem on CacheTable is done"),
        (
            of("ProviderLookupRole", 4, "Resource"),
            json!([arn("CacheTable"), arn("SettingsTable")]),
            "dynamodb:PutItem on SettingsTable is allowed",
        ),
        (of("ProviderLookupRole", 5, "Action/1"), Value::Null, "provider-lookup: dynamodb:PutItem on CreditsTable is done"),
        (of("ProviderLookupRole", 2, "Resource/4"), Value::Null, "provider-lookup: sqs:SendMessage on WritebackQueue is done"),
        (
            of("ProviderLookupRole", 6, "Resource/0"),
            Value::Null,
            "provider-lookup: secretsmanager:GetSecretValue on WebhookSecrets is done",
        ),
        (of("ProviderLookupRole", 7, "Resource"), arn("CacheTable"), "provider-lookup: dynamodb:GetItem on SettingsTable is done"),
        (
            of("ProviderLookupRole", 7, "Action"),
            json!(["dynamodb:GetItem", "dynamodb:PutItem"]),
            "provider-lookup: dynamodb:PutItem on SettingsTable is allowed",
        ),
        (
            of("CrmWritebackRole", 5, "Action"),
            json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]),
            "crm-writeback: dynamodb:UpdateItem on SettingsTable is allowed",
        ),
        (of("ScheduledRefreshRole", 4, "Resource"), arn("CacheTable"), "scheduled-refresh: dynamodb:GetItem on SettingsTable is done"),
        (
            of("ScheduledRefreshRole", 1, "Resource"),
            arn("CreditsTable"),
            "scheduled-refresh: dynamodb:Query on CreditsTable/index/open is done",
        ),
        (
            of("ScheduledRefreshRole", 1, "Resource"),
            json!([index_arn(), arn("CreditsTable")]),
            "scheduled-refresh: dynamodb:Query on CreditsTable is allowed",
        ),
        (of("ScheduledRefreshRole", 2, "Action/0"), Value::Null, "scheduled-refresh: dynamodb:GetItem on CreditsTable is done"),
        (
            of("ScheduledRefreshRole", 2, "Action/-"),
            json!("dynamodb:PutItem"),
            "scheduled-refresh: dynamodb:PutItem on CreditsTable is allowed",
        ),
        (of("ScheduledRefreshRole", 3, "Resource"), arn("LeadsTable"), "scheduled-refresh: dynamodb:GetItem on CacheTable is done"),
        (of("ScoreRouteRole", 2, "Resource/0"), Value::Null, "score-route: sqs:SendMessage on ScoreQueue is done"),
        (of("ScoreRouteRole", 3, "Action/2"), Value::Null, "score-route: dynamodb:UpdateItem on LeadsTable is done"),
        (
            of("ScoreRouteRole", 3, "Resource"),
            json!([arn("LeadsTable"), arn("CreditsTable")]),
            "score-route: dynamodb:GetItem on CreditsTable is allowed",
        ),
        (of("CrmWritebackRole", 2, "Resource"), arn("LookupLowQueue"), "crm-writeback: sqs:SendMessage on WritebackQueue is done"),
        (
            of("CrmWritebackRole", 3, "Resource"),
            json!([arn("LeadsTable"), arn("CreditsTable")]),
            "crm-writeback: dynamodb:GetItem on CreditsTable is allowed",
        ),
        (of("CrmWritebackRole", 1, "Action/0"), Value::Null, "crm-writeback: sqs:ReceiveMessage  is among UNSEEN"),
        (
            of("SignupWebhookRole", 2, "Condition"),
            keys("default#REC#*"),
            "signup-webhook: dynamodb:GetItem on LeadsTable is done with keys outside",
        ),
        (
            of("SignupWebhookRole", 2, "Condition"),
            keys("default#RUN"),
            "signup-webhook: dynamodb:GetItem on LeadsTable is done with keys outside",
        ),
        (of("SignupWebhookRole", 2, "Condition"), json!({"Bool": {"aws:SecureTransport": "false"}}), "is done with keys outside"),
        (
            of("CrmWritebackRole", 3, "Condition"),
            keys("default#REC#*"),
            "crm-writeback: dynamodb:PutItem on LeadsTable is done with keys outside",
        ),
        (
            "/Resources/CrmWritebackFunction/Properties/Role/Fn::GetAtt/0".into(),
            json!("SignupWebhookRole"),
            "crm-writeback: dynamodb:UpdateItem on LeadsTable is done",
        ),
    ];
    let breakages: Vec<_> = broken.iter().map(|(pointer, value, named)| (pointer.as_str(), value.clone(), *named)).collect();
    hold(|template| check_rights(template, &seen), &breakages);
}

#[test]
fn the_public_function_reads_runs_and_nothing_else() {
    let of = |statement: usize, rest: &str| {
        format!("/Resources/SignupWebhookRole/Properties/Policies/0/PolicyDocument/Statement/{statement}/{rest}")
    };
    let keys = |pattern: &str| json!({ "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["default#RUN#*", pattern]} });
    hold(
        check_public_reads,
        &[
            (&of(2, "Condition"), Value::Null, "dynamodb:GetItem on LeadsTable"),
            (&of(2, "Condition"), keys("*"), "dynamodb:GetItem on LeadsTable"),
            (&of(2, "Condition/StringEquals"), json!({"dynamodb:Attributes": ["doc"]}), "dynamodb:GetItem on LeadsTable"),
            (&of(2, "Action"), json!(["dynamodb:GetItem", "dynamodb:Query"]), "dynamodb:Query on LeadsTable"),
            (&of(1, "Action"), json!(["sqs:SendMessage", "dynamodb:PutItem"]), "dynamodb:PutItem on LookupCriticalQueue"),
        ],
    );
}
