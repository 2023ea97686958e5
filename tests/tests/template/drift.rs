//! Functions, environment, tables and queues are those that the code knows, and no others.

use std::collections::BTreeSet;

use pipeline::ports::QueueName;
use platform::{Function, OPEN_ATTRIBUTE, OPEN_INDEX, OPEN_UNTIL_ATTRIBUTE, PARTITION_KEY, QueueUrls, SORT_KEY, TTL_ATTRIBUTE, Table};
use serde_json::{Value, json};
use tests::template::{Resource, Template, entries};

use crate::{hold, pascal, root, unless};

pub(crate) fn function_id(function: Function) -> String {
    format!("{}Function", pascal(function.name()))
}

pub(crate) fn table_id(table: Table) -> String {
    format!("{}Table", pascal(table.suffix()))
}

/// `LOOKUP_HIGH_QUEUE_URL` is the address of `LookupHighQueue`.
pub(crate) fn queue_id(queue: QueueName) -> String {
    format!("{}Queue", pascal(QueueUrls::variable(queue).trim_end_matches("_QUEUE_URL")))
}

/// The function whose work a queue holds.
pub(crate) fn consumer_of(queue: QueueName) -> Function {
    match queue {
        QueueName::Lookup(_) => Function::ProviderLookup,
        QueueName::Score => Function::ScoreRoute,
        QueueName::Writeback => Function::CrmWriteback,
    }
}

fn ids<'a>(resources: impl Iterator<Item = Resource<'a>>) -> BTreeSet<String> {
    resources.map(|resource| resource.id.to_owned()).collect()
}

fn differ(what: &str, there: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Vec<String> {
    let missing = wanted.difference(there).map(|name| format!("{what}: {name} is missing"));
    missing.chain(there.difference(wanted).map(|name| format!("{what}: the code knows nothing of {name}"))).collect()
}

fn check_functions(template: &Template) -> Vec<String> {
    let all = template.resources().filter(|resource| resource.kind().ends_with("::Function"));
    let mut findings = differ("functions", &ids(all), &Function::ALL.map(function_id).into());
    for function in Function::ALL {
        let id = function_id(function);
        let at = |pointer: &str| template.at(&format!("/Resources/{id}{pointer}"));
        let folder = format!("functions/{}", function.name());
        for (pointer, wanted) in [
            ("/Type", "AWS::Serverless::Function"),
            ("/Properties/CodeUri", &folder),
            ("/Metadata/BuildMethod", "rust-cargolambda"),
            ("/Metadata/BuildProperties/Binary", function.name()),
        ] {
            findings.extend(unless(at(pointer) == wanted, || format!("{id}{pointer} is not {wanted}")));
        }
    }
    for (name, wanted) in
        [("Runtime", json!("provided.al2023")), ("Handler", json!("bootstrap")), ("Architectures", json!([{"Ref": "Architecture"}]))]
    {
        let globals = template.at(&format!("/Globals/Function/{name}"));
        let overridden = template.functions().any(|function| !function.get(&format!("/{name}")).is_null());
        findings.extend(unless(*globals == wanted && !overridden, || format!("Globals: {name} is not {wanted} for every function")));
    }
    findings
}

fn check_folders(folders: &BTreeSet<String>) -> Vec<String> {
    differ("functions/", folders, &Function::ALL.map(|function| function.name().to_owned()).into())
}

fn check_environment(template: &Template) -> Vec<String> {
    let mut findings: Vec<String> =
        entries(template.at("/Globals/Function/Environment/Variables")).map(|(name, _)| format!("Globals: {name}")).collect();
    for function in Function::ALL {
        let id = function_id(function);
        let there = entries(template.at(&format!("/Resources/{id}/Properties/Environment/Variables"))).map(|(name, _)| name.to_owned());
        let wanted = function.required().into_iter().chain(function.optional().iter().copied()).map(str::to_owned);
        findings.extend(differ(&format!("environment of {id}"), &there.collect(), &wanted.collect()));
    }
    findings
}

/// Tables and queues stand in the environment under their own variables.
fn check_addresses(template: &Template) -> Vec<String> {
    let tables = Table::ALL.map(|table| (table.variable(), table_id(table)));
    let queues = QueueName::ALL.map(|queue| (QueueUrls::variable(queue), queue_id(queue)));
    let mut findings = Vec::new();
    for (variable, id) in tables.into_iter().chain(queues) {
        for function in template.functions() {
            let value = function.get(&format!("/Environment/Variables/{variable}"));
            let is_right = value.is_null() || *value == json!({ "Ref": id });
            findings.extend(unless(is_right, || format!("{}: {variable} is not {id}", function.id)));
        }
    }
    findings
}

fn check_tables(template: &Template) -> Vec<String> {
    let mut findings = differ("tables", &ids(template.of_type("AWS::DynamoDB::Table")), &Table::ALL.map(table_id).into());
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let keys = |partition: &str, sort: &str| json!([{ "AttributeName": partition, "KeyType": "HASH" }, { "AttributeName": sort, "KeyType": "RANGE" }]);
    let own = [attribute(PARTITION_KEY, "S"), attribute(SORT_KEY, "S")];
    let of_index = [attribute(OPEN_ATTRIBUTE, "S"), attribute(OPEN_UNTIL_ATTRIBUTE, "N")];
    let index = json!([{
        "IndexName": OPEN_INDEX,
        "KeySchema": keys(OPEN_ATTRIBUTE, OPEN_UNTIL_ATTRIBUTE),
        "Projection": { "ProjectionType": "KEYS_ONLY" },
    }]);
    let credits = table_id(Table::Credits);
    let wanted = |table: &str| {
        let (attributes, indexes) = if table == credits {
            (own.iter().chain(&of_index).collect(), index.clone())
        } else {
            (own.iter().collect::<Vec<_>>(), Value::Null)
        };
        [
            ("AttributeDefinitions", json!(attributes)),
            ("KeySchema", keys(PARTITION_KEY, SORT_KEY)),
            ("TimeToLiveSpecification", json!({ "AttributeName": TTL_ATTRIBUTE, "Enabled": true })),
            ("BillingMode", json!("PAY_PER_REQUEST")),
            ("GlobalSecondaryIndexes", indexes),
            ("LocalSecondaryIndexes", Value::Null),
            ("StreamSpecification", Value::Null),
        ]
    };
    for table in template.of_type("AWS::DynamoDB::Table") {
        for (name, wanted) in wanted(table.id) {
            let there = table.get(&format!("/{name}"));
            findings.extend(unless(*there == wanted, || format!("{}: {name} is {there}, not {wanted}", table.id)));
        }
    }
    findings
}

fn check_consumers(template: &Template) -> Vec<String> {
    let queues = template.of_type("AWS::SQS::Queue").filter(|queue| !queue.id.ends_with("Dlq"));
    let mut findings = differ("queues", &ids(queues), &QueueName::ALL.map(queue_id).into());
    for (function, event, properties) in template.event_sources() {
        let of = QueueName::ALL.into_iter().find(|queue| properties["Queue"] == json!({ "Fn::GetAtt": [queue_id(*queue), "Arn"] }));
        let is_right = of.is_some_and(|queue| function_id(consumer_of(queue)) == function.id);
        findings.extend(unless(is_right, || format!("{}: {event} is fed by {}, which is not its work", function.id, properties["Queue"])));
    }
    for queue in QueueName::ALL.map(queue_id) {
        let consumers =
            template.event_sources().filter(|(_, _, properties)| properties["Queue"]["Fn::GetAtt"][0] == queue.as_str()).count();
        findings.extend(unless(consumers == 1, || format!("{queue} has {consumers} consumers")));
    }
    findings
}

#[test]
fn every_function_of_the_code_is_a_resource_and_every_resource_a_function_of_the_code() {
    hold(
        check_functions,
        &[
            ("/Resources/CrmWritebackFunction", Value::Null, "CrmWritebackFunction is missing"),
            ("/Resources/ScheduledRefreshFunction", Value::Null, "ScheduledRefreshFunction is missing"),
            ("/Resources/ScoreFunction", json!({"Type": "AWS::Serverless::Function"}), "knows nothing of ScoreFunction"),
            ("/Resources/ScoreFunction", json!({"Type": "AWS::Lambda::Function"}), "knows nothing of ScoreFunction"),
            ("/Resources/SignupWebhookFunction/Type", json!("AWS::Lambda::Function"), "SignupWebhookFunction/Type"),
            (
                "/Resources/ProviderLookupFunction/Properties/CodeUri",
                json!("functions/crm-writeback"),
                "ProviderLookupFunction/Properties/CodeUri",
            ),
            (
                "/Resources/SignupWebhookFunction/Metadata/BuildProperties/Binary",
                json!("provider-lookup"),
                "SignupWebhookFunction/Metadata",
            ),
            ("/Resources/SignupWebhookFunction/Metadata/BuildMethod", json!("makefile"), "BuildMethod"),
            ("/Globals/Function/Runtime", json!("provided.al2"), "Runtime"),
            ("/Globals/Function/Architectures", json!(["arm64"]), "Architectures"),
            ("/Resources/CrmWritebackFunction/Properties/Handler", json!("main"), "Handler"),
        ],
    );
}

#[test]
fn every_folder_of_functions_is_a_function_of_the_code() {
    let entries = std::fs::read_dir(root().join("functions")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(check_folders(&folders), Vec::<String>::new());
    assert_eq!(check_folders(&folders.iter().cloned().chain(["score".into()]).collect()), ["functions/: the code knows nothing of score"]);
    assert_eq!(check_folders(&folders.into_iter().skip(1).collect()), ["functions/: crm-writeback is missing"]);
}

#[test]
fn the_environment_has_what_boot_reads_and_nothing_else() {
    hold(
        check_environment,
        &[
            (
                "/Resources/SignupWebhookFunction/Properties/Environment/Variables/LEADS_TABLE",
                Value::Null,
                "SignupWebhookFunction: LEADS_TABLE is missing",
            ),
            (
                "/Resources/CrmWritebackFunction/Properties/Environment/Variables/ENDPOINTS",
                Value::Null,
                "CrmWritebackFunction: ENDPOINTS is missing",
            ),
            (
                "/Resources/SignupWebhookFunction/Properties/Environment/Variables/CREDITS_TABLE",
                json!("x"),
                "knows nothing of CREDITS_TABLE",
            ),
            (
                "/Resources/ScheduledRefreshFunction/Properties/Environment/Variables/SECRETS_ID",
                json!({"Ref": "VendorSecrets"}),
                "ScheduledRefreshFunction: the code knows nothing of SECRETS_ID",
            ),
            ("/Globals/Function/Environment", json!({"Variables": {"RUST_LOG": "trace"}}), "Globals: RUST_LOG"),
        ],
    );
}

#[test]
fn every_variable_of_a_table_or_queue_holds_the_one_of_its_name() {
    let variables = "/Resources/ProviderLookupFunction/Properties/Environment/Variables";
    hold(
        check_addresses,
        &[
            (&format!("{variables}/LEADS_TABLE"), json!({"Ref": "CacheTable"}), "ProviderLookupFunction: LEADS_TABLE"),
            (&format!("{variables}/LEADS_TABLE"), json!("LeadsTable"), "ProviderLookupFunction: LEADS_TABLE"),
            (&format!("{variables}/LEADS_TABLE"), json!({"Fn::GetAtt": ["LeadsTable", "Arn"]}), "ProviderLookupFunction: LEADS_TABLE"),
            (&format!("{variables}/LOOKUP_LOW_QUEUE_URL"), json!({"Ref": "LookupLowDlq"}), "LOOKUP_LOW_QUEUE_URL"),
            (&format!("{variables}/WRITEBACK_QUEUE_URL"), json!({"Ref": "LookupLowQueue"}), "WRITEBACK_QUEUE_URL"),
        ],
    );
}

#[test]
fn every_table_has_the_keys_the_expiry_and_the_indexes_that_the_store_writes() {
    hold(
        check_tables,
        &[
            ("/Resources/SettingsTable", Value::Null, "SettingsTable is missing"),
            ("/Resources/AuditTable", json!({"Type": "AWS::DynamoDB::Table"}), "knows nothing of AuditTable"),
            ("/Resources/LeadsTable/Properties/KeySchema/1", Value::Null, "LeadsTable: KeySchema"),
            (
                "/Resources/CreditsTable/Properties/GlobalSecondaryIndexes/0/Projection/ProjectionType",
                json!("ALL"),
                "CreditsTable: GlobalSecondaryIndexes",
            ),
            ("/Resources/CreditsTable/Properties/GlobalSecondaryIndexes", Value::Null, "CreditsTable: GlobalSecondaryIndexes"),
            ("/Resources/CacheTable/Properties/AttributeDefinitions/0/AttributeName", json!("id"), "CacheTable: AttributeDefinitions"),
            ("/Resources/CacheTable/Properties/TimeToLiveSpecification/AttributeName", json!("ttl"), "CacheTable: TimeToLive"),
            ("/Resources/CreditsTable/Properties/TimeToLiveSpecification/Enabled", json!(false), "CreditsTable: TimeToLive"),
            ("/Resources/LeadsTable/Properties/BillingMode", json!("PROVISIONED"), "LeadsTable: BillingMode"),
            ("/Resources/LeadsTable/Properties/GlobalSecondaryIndexes", json!([{}]), "LeadsTable: GlobalSecondaryIndexes"),
            ("/Resources/LeadsTable/Properties/LocalSecondaryIndexes", json!([{}]), "LeadsTable: LocalSecondaryIndexes"),
            ("/Resources/LeadsTable/Properties/StreamSpecification", json!({}), "LeadsTable: StreamSpecification"),
        ],
    );
}

#[test]
fn every_queue_feeds_exactly_the_function_whose_work_it_holds() {
    let events = "/Resources/ProviderLookupFunction/Properties/Events";
    let source = json!({"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["WritebackQueue", "Arn"]}}});
    hold(
        check_consumers,
        &[
            (&format!("{events}/LookupLow"), Value::Null, "LookupLowQueue has 0 consumers"),
            (&format!("{events}/Writeback"), source.clone(), "WritebackQueue has 2 consumers"),
            (&format!("{events}/Writeback"), source, "ProviderLookupFunction: Writeback is fed by"),
            (
                &format!("{events}/LookupLow/Properties/Queue"),
                json!({"Fn::GetAtt": ["LookupLowDlq", "Arn"]}),
                "ProviderLookupFunction: LookupLow is fed by",
            ),
            (
                &format!("{events}/LookupLow/Properties/Queue"),
                json!({"Ref": "LookupLowQueue"}),
                "ProviderLookupFunction: LookupLow is fed by",
            ),
            ("/Resources/SpareQueue", json!({"Type": "AWS::SQS::Queue"}), "knows nothing of SpareQueue"),
            ("/Resources/LookupHighQueue", Value::Null, "LookupHighQueue is missing"),
        ],
    );
}
