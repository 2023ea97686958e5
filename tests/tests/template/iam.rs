//! Rights are written out by hand: one role a function, no wildcard, nothing ready-made.

use platform::{OPEN_INDEX, Table};
use serde_json::{Value, json};
use tests::template::{Resource, Template, entries, listed};

use crate::drift::table_id;
use crate::{hold, unless};

/// Whatever gives rights in another way than the inline policy of a function's role.
const OTHER_WAYS: [&str; 7] = [
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::Group",
    "AWS::Serverless::Connector",
];

/// Every statement of a role.
pub(crate) fn statements(role: Resource<'_>) -> impl Iterator<Item = &Value> {
    listed(role.get("/Policies")).iter().flat_map(|policy| listed(&policy["PolicyDocument"]["Statement"]))
}

/// The ARN of the one index, as the template has to write it.
pub(crate) fn index_arn() -> Value {
    json!({ "Fn::Sub": format!("${{{}.Arn}}/index/{OPEN_INDEX}", table_id(Table::Credits)) })
}

/// The role of a function.
pub(crate) fn role_of<'a>(template: &'a Template, function: Resource<'_>) -> Option<Resource<'a>> {
    let reference = function.get("/Role");
    template.of_type("AWS::IAM::Role").find(|role| *reference == role.attribute("Arn"))
}

/// Whether a schedule ticks under a role.
fn is_of_schedule(template: &Template, role: Resource<'_>) -> bool {
    template.of_type("AWS::Scheduler::Schedule").any(|schedule| *schedule.get("/Target/RoleArn") == role.attribute("Arn"))
}

/// The ARN of something of the template or of the index, or one of two by a condition; any other text could hold a wildcard, and
/// a table's or a queue's `Ref` is no ARN.
fn is_one_of_ours(template: &Template, resource: &Value) -> bool {
    let is_arn = |id: &str| template.resource(id).map_or(id.ends_with("SecretsArn"), |of| of.kind() == "AWS::SecretsManager::Secret");
    let one =
        |resource: &Value| resource["Ref"].as_str().is_some_and(is_arn) || resource["Fn::GetAtt"][1] == "Arn" || *resource == index_arn();
    match &resource["Fn::If"] {
        Value::Array(branches) => branches.iter().skip(1).all(one),
        _ => one(resource),
    }
}

fn check_statements(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for role in template.of_type("AWS::IAM::Role") {
        for statement in statements(role) {
            let name = format!("{}: {}", role.id, statement["Sid"].as_str().unwrap_or("a statement without a name"));
            let actions = listed(&statement["Action"]);
            let are_exact = !actions.is_empty()
                && actions.iter().all(|action| action.as_str().is_some_and(|action| action.contains(':') && !action.contains(['*', '?'])));
            findings.extend(unless(are_exact, || format!("{name} allows actions that it does not name")));
            let resources = listed(&statement["Resource"]);
            let are_ours = !resources.is_empty() && resources.iter().all(|resource| is_one_of_ours(template, resource));
            findings.extend(unless(are_ours, || format!("{name} reaches what is not ours")));
            let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
            let is_plain = statement["Effect"] == "Allow" && entries(statement).all(|(key, _)| known.contains(&key));
            findings.extend(unless(is_plain, || format!("{name} is no plain permission")));
        }
    }
    findings
}

/// Who may take a role on: a function's Lambda, a schedule's the scheduler, and it for this account alone.
fn trust(of_schedule: bool) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    if of_schedule {
        statement["Principal"]["Service"] = json!("scheduler.amazonaws.com");
        statement["Condition"] = json!({ "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}} });
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn check_roles(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for role in template.of_type("AWS::IAM::Role") {
        let users = template.functions().filter(|function| role_of(template, *function).is_some_and(|of| of.id == role.id)).count();
        let ticks = is_of_schedule(template, role);
        findings.extend(unless(users + usize::from(ticks) == 1, || format!("{} is the role of {users} functions", role.id)));
        let is_trusted = *role.get("/AssumeRolePolicyDocument") == trust(ticks);
        findings.extend(unless(is_trusted, || format!("{} trusts more than its user", role.id)));
        findings.extend(unless(role.get("/ManagedPolicyArns").is_null(), || format!("{} has managed policies", role.id)));
    }
    for function in template.functions() {
        findings.extend(unless(role_of(template, function).is_some(), || format!("{} has no role of the template", function.id)));
        for ready in ["Policies", "Connectors"] {
            let is_absent = function.get(&format!("/{ready}")).is_null() && function.value[ready].is_null();
            findings.extend(unless(is_absent, || format!("{} has {ready} of SAM", function.id)));
        }
    }
    findings.extend(unless(template.at("/Globals/Function/Policies").is_null(), || "Globals has Policies of SAM".to_owned()));
    let others = template.resources().filter(|resource| OTHER_WAYS.contains(&resource.kind()) || resource.kind().ends_with("Policy"));
    findings.extend(others.map(|other| format!("{} gives rights beside the roles", other.id)));
    findings
}

#[test]
fn every_statement_names_its_actions_and_its_resources() {
    let statement = |rest: &str| format!("/Resources/CrmWritebackRole/Properties/Policies/0/PolicyDocument/Statement/3{rest}");
    let resource = |value: Value| (statement("/Resource"), value, "CrmWritebackRole: RecordsAndOutboundState reaches");
    let action = |value: Value| (statement("/Action"), value, "CrmWritebackRole: RecordsAndOutboundState allows");
    let broken = [
        action(json!("*")),
        action(json!("dynamodb:*")),
        action(json!(["dynamodb:GetItem", "dynamodb:Put*"])),
        action(json!("dynamodb:GetIte?")),
        action(Value::Null),
        resource(json!("*")),
        resource(json!(["*"])),
        resource(json!("arn:aws:dynamodb:eu-west-1:1:table/leads")),
        resource(json!({"Fn::Sub": "${LeadsTable.Arn}/*"})),
        resource(json!({"Fn::Sub": "${CreditsTable.Arn}/index/*"})),
        resource(json!({"Fn::If": ["MakesVendorSecrets", {"Ref": "VendorSecrets"}, "*"]})),
        resource(json!({"Ref": "LeadsTable"})),
        resource(json!({"Ref": "AlarmEmail"})),
        resource(json!({"Fn::GetAtt": ["LeadsTable", "StreamArn"]})),
        resource(Value::Null),
        (statement("/NotAction"), json!("iam:*"), "RecordsAndOutboundState is no plain"),
        (statement("/Effect"), json!("Deny"), "RecordsAndOutboundState is no plain"),
    ];
    let breakages: Vec<_> = broken.iter().map(|(pointer, value, named)| (pointer.as_str(), value.clone(), *named)).collect();
    hold(check_statements, &breakages);
}

#[test]
fn every_function_has_a_role_of_its_own_and_no_rights_from_elsewhere() {
    let function = |rest: &str| format!("/Resources/CrmWritebackFunction/{rest}");
    let role = |rest: &str| format!("/Resources/CrmWritebackRole/Properties/{rest}");
    let more = |kind: &str| ("/Resources/More".to_owned(), json!({ "Type": kind }), "More gives rights");
    let mut broken = vec![
        (function("Properties/Role"), Value::Null, "CrmWritebackFunction has no role"),
        (function("Properties/Role/Fn::GetAtt/0"), json!("ProviderLookupRole"), "ProviderLookupRole is the role of 2"),
        (function("Properties/Policies"), json!(["AmazonDynamoDBFullAccess"]), "CrmWritebackFunction has Policies"),
        (function("Connectors"), json!({}), "CrmWritebackFunction has Connectors"),
        ("/Globals/Function/Policies".to_owned(), json!([{"SQSPollerPolicy": {}}]), "Globals has Policies"),
        (role("ManagedPolicyArns"), json!(["arn:aws:iam::aws:policy/AdministratorAccess"]), "CrmWritebackRole has managed"),
        (role("AssumeRolePolicyDocument/Statement/0/Principal"), json!({"AWS": "*"}), "CrmWritebackRole trusts"),
        (
            "/Resources/RefreshScheduleRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition".to_owned(),
            Value::Null,
            "RefreshScheduleRole trusts",
        ),
        (function("Properties/Role/Fn::GetAtt/0"), json!("RefreshScheduleRole"), "RefreshScheduleRole is the role of 1"),
        ("/Resources/Spare".to_owned(), json!({"Type": "AWS::IAM::Role"}), "Spare is the role of 0"),
        more("AWS::SQS::QueuePolicy"),
    ];
    broken.extend(OTHER_WAYS.map(more));
    let breakages: Vec<_> = broken.iter().map(|(pointer, value, named)| (pointer.as_str(), value.clone(), *named)).collect();
    hold(check_roles, &breakages);
}
