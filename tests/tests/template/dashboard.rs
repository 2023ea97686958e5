//! The page with everything on it shows what is there.

use serde_json::{Value, json};
use tests::template::{Template, listed};

use crate::{hold, unless};

/// A metric's dimension, the type of resource that it names, and what of it: an attribute, or else its `Ref`.
const DIMENSIONS: [(&str, &str, &str); 4] = [
    ("QueueName", "AWS::SQS::Queue", ".QueueName"),
    ("FunctionName", "AWS::Serverless::Function", ""),
    ("TableName", "AWS::DynamoDB::Table", ""),
    ("ApiId", "AWS::ApiGatewayV2::Api", ""),
];

/// The body with every `${name}` written as `<name>`.
fn body(template: &Template) -> Result<Value, String> {
    let dashboard = template.of_type("AWS::CloudWatch::Dashboard").next().ok_or("there is no dashboard")?;
    let (mut plain, mut rest) = (String::new(), dashboard.text("/DashboardBody/Fn::Sub"));
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or("a ${ without its end")?;
        plain += &format!("{before}<{name}>");
        rest = after;
    }
    serde_json::from_str(&(plain + rest)).map_err(|error| format!("the dashboard is no JSON: {error}"))
}

/// Whether `<name>` is an attribute or the `Ref` of a resource of a type.
fn is_of(template: &Template, written: &str, kind: &str, attribute: &str) -> bool {
    let id = written.strip_prefix('<').and_then(|written| written.strip_suffix('>')?.strip_suffix(attribute));
    id.and_then(|id| template.resource(id)).is_some_and(|resource| resource.kind() == kind)
}

/// A row names its dimensions in full, or repeats those of the row before with `.` and `...`.
fn check_metric(template: &Template, title: &str, row: &[Value]) -> Option<String> {
    let texts: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
    let is_right = match texts.as_slice() {
        ["..."] | [".", _, ".", "."] => true,
        [_, _, dimension, value] => {
            let known = DIMENSIONS.iter().find(|(name, ..)| name == dimension);
            known.is_some_and(|(_, kind, attribute)| is_of(template, value, kind, attribute))
        }
        _ => false,
    };
    unless(is_right, || format!("{title}: {texts:?} names nothing of the template"))
}

fn check_logs(template: &Template, title: &str, query: &str) -> Vec<String> {
    let sources: Vec<&str> = query.split("SOURCE '").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    let missing = sources.iter().filter(|source| !is_of(template, source, "AWS::Logs::LogGroup", ""));
    let mut findings: Vec<String> = missing.map(|source| format!("{title}: {source} is no log group of the template")).collect();
    findings.extend(unless(!sources.is_empty(), || format!("{title}: the query has no source")));
    findings
}

fn check(template: &Template) -> Vec<String> {
    let body = match body(template) {
        Ok(body) => body,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for widget in listed(&body["widgets"]) {
        let properties = &widget["properties"];
        let title = properties["title"].as_str().unwrap_or("a widget without a title");
        findings.extend(unless(properties["region"] == "<AWS::Region>", || format!("{title}: its region is not the stack's")));
        match widget["type"].as_str() {
            Some("metric") => {
                let rows = listed(&properties["metrics"]);
                findings.extend(unless(!rows.is_empty(), || format!("{title} shows no metric")));
                findings.extend(rows.iter().filter_map(|row| check_metric(template, title, listed(row))));
            }
            Some("log") => findings.extend(check_logs(template, title, properties["query"].as_str().unwrap_or_default())),
            kind => findings.push(format!("{title}: {kind:?} is no kind of widget that we know")),
        }
    }
    findings.extend(unless(!listed(&body["widgets"]).is_empty(), || "the dashboard shows nothing".to_owned()));
    findings
}

#[test]
fn the_dashboard_is_json_and_every_widget_shows_something_of_the_stack() {
    let template = Template::of_repository().unwrap();
    let body = "/Resources/Dashboard/Properties/DashboardBody/Fn::Sub";
    let text = template.at(body).as_str().unwrap();
    let without = |what: &str, instead: &str| json!(text.replacen(what, instead, 1));
    hold(
        check,
        &[
            (body, without("{\"start\"", "{start"), "no JSON"),
            (body, without("${HttpApi}", "${HttpApi"), "no JSON"),
            (body, json!("{\"widgets\": []}"), "shows nothing"),
            (body, without("${LookupLowDlq.QueueName}", "${LookupLowDlq}"), "Dead letters"),
            (body, without("${LookupLowDlq.QueueName}", "low"), "Dead letters"),
            (body, without("${SignupWebhookFunction}", "${SignupFunction}"), "Errors and throttles"),
            (body, without("${LeadsTable}", "${LookupLowDlq}"), "Units written"),
            (body, without("\"QueueName\"", "\"Queue\""), "Dead letters"),
            (body, without("${ProviderLookupLogGroup}", "${LookupLogGroup}"), "Where leads went: <LookupLogGroup>"),
            (body, without("\"type\": \"log\"", "\"type\": \"text\""), "no kind of widget"),
            (body, without("${AWS::Region}", "eu-west-1"), "its region"),
            ("/Resources/LookupLowDlq", Value::Null, "Dead letters"),
            ("/Resources/CacheTable", Value::Null, "Units written"),
            ("/Resources/CrmWritebackLogGroup", Value::Null, "CRM writes"),
            ("/Resources/Dashboard", Value::Null, "no dashboard"),
        ],
    );
}
