//! The front door leads to what `signup-webhook` answers, waits long enough for it, and logs nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::template::{Template, references};

use crate::{hold, text_of, unless};

/// API Gateway itself gives up after this.
const LONGEST_MS: u64 = 30_000;
/// What the access log may say: nothing of a person, and no id of a run.
const LOGGED: [&str; 6] = ["requestId", "routeKey", "status", "responseLatency", "error.message", "integrationErrorMessage"];

const REQUESTS: &str = "functions/signup-webhook/src/request.rs";

/// The calls that the function's own source documents, as `POST /webhook/{issuer}`.
fn calls() -> BTreeSet<String> {
    let text = text_of(REQUESTS);
    let documented = text.lines().filter_map(|line| line.trim().strip_prefix("/// `")?.strip_suffix('`'));
    documented.filter(|call| call.contains(" /")).map(str::to_owned).collect()
}

/// The longest time somebody may ask the function to wait.
fn longest_wait_ms() -> u64 {
    let text = text_of(REQUESTS);
    let seconds = text.lines().find_map(|line| line.strip_prefix("const WAIT_MAX_SECONDS: i64 = ")?.strip_suffix(';'));
    seconds.unwrap().parse::<u64>().unwrap() * 1000
}

fn check_routes(template: &Template) -> Vec<String> {
    let routes: BTreeSet<String> = template.of_type("AWS::ApiGatewayV2::Route").map(|route| route.text("/RouteKey").to_owned()).collect();
    let mut findings: Vec<String> =
        calls().symmetric_difference(&routes).map(|route| format!("{route} is a route or a call, not both")).collect();
    for route in template.of_type("AWS::ApiGatewayV2::Route") {
        let target = json!({ "Fn::Sub": "integrations/${WebhookIntegration}" });
        findings.extend(unless(*route.get("/Target") == target, || format!("{} does not lead to the function", route.id)));
    }
    let integration = template.resource("WebhookIntegration").map_or(&Value::Null, |integration| integration.get(""));
    for (name, wanted) in [
        ("IntegrationType", json!("AWS_PROXY")),
        ("IntegrationUri", json!({"Fn::GetAtt": ["SignupWebhookFunction", "Arn"]})),
        ("PayloadFormatVersion", json!("2.0")),
    ] {
        findings.extend(unless(integration[name] == wanted, || format!("WebhookIntegration: {name} is not {wanted}")));
    }
    findings
}

fn check_waits(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for integration in template.of_type("AWS::ApiGatewayV2::Integration") {
        let api_ms = integration.get("/TimeoutInMillis").as_u64().unwrap_or(LONGEST_MS);
        let function = references(integration.get("/IntegrationUri")).first().and_then(|id| template.resource(id));
        let function_ms = function.and_then(|function| function.get("/Timeout").as_u64()).unwrap_or_default() * 1000;
        let is_long_enough = api_ms > longest_wait_ms() && api_ms <= LONGEST_MS;
        findings.extend(unless(is_long_enough, || format!("{}: {api_ms} ms are less than the longest wait", integration.id)));
        findings.extend(unless(function_ms >= api_ms, || format!("{}: its function ends after {function_ms} ms", integration.id)));
    }
    findings
}

/// A line of the access log is JSON whatever is put in, and says nothing but what may be said.
fn check_access_log(format: &str) -> Vec<String> {
    let mut parts = format.split("$context.");
    let mut line = parts.next().unwrap_or_default().to_owned();
    let mut findings = Vec::new();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').unwrap_or(part.len());
        let (variable, rest) = part.split_at(end);
        findings.extend(unless(LOGGED.contains(&variable), || format!("logs {variable}")));
        line += &format!("word{rest}");
    }
    let is_plain = serde_json::from_str::<BTreeMap<String, String>>(&line).is_ok_and(|fields| !fields.is_empty());
    findings.extend(unless(is_plain && !line.contains('$'), || format!("logs no plain JSON: {line}")));
    findings
}

fn check_door(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    let permissions: Vec<_> = template.of_type("AWS::Lambda::Permission").collect();
    findings.extend(unless(permissions.len() == 1, || format!("{} permissions to invoke a function", permissions.len())));
    for permission in permissions {
        let from_api = permission.text("/SourceArn/Fn::Sub").ends_with(":${HttpApi}/*/*/webhook/*")
            && permission.text("/Principal") == "apigateway.amazonaws.com";
        let to_webhook = *permission.get("/FunctionName") == json!({"Ref": "SignupWebhookFunction"})
            && permission.text("/Action") == "lambda:InvokeFunction";
        findings.extend(unless(from_api && to_webhook, || format!("{} lets in more than our API", permission.id)));
    }
    for stage in template.of_type("AWS::ApiGatewayV2::Stage") {
        let limits =
            ["ThrottlingRateLimit", "ThrottlingBurstLimit"].map(|limit| stage.get(&format!("/DefaultRouteSettings/{limit}")).as_u64());
        findings.extend(unless(limits.iter().all(|limit| limit.is_some_and(|most| most > 0)), || format!("{} limits no rate", stage.id)));
        findings.extend(check_access_log(stage.text("/AccessLogSettings/Format")).into_iter().map(|what| format!("{} {what}", stage.id)));
    }
    for api in template.of_type("AWS::ApiGatewayV2::Api") {
        findings.extend(unless(api.get("/CorsConfiguration").is_null(), || format!("{} opens CORS", api.id)));
    }
    findings
}

#[test]
fn the_routes_are_the_calls_that_the_function_answers() {
    assert_eq!(calls().len(), 2);
    hold(
        check_routes,
        &[
            ("/Resources/RunRoute", Value::Null, "GET /webhook/runs/{run}"),
            ("/Resources/SignupRoute/Properties/RouteKey", json!("ANY /webhook/{issuer}"), "ANY /webhook/{issuer}"),
            ("/Resources/SignupRoute/Properties/RouteKey", json!("$default"), "$default"),
            ("/Resources/SignupRoute/Properties/Target", Value::Null, "SignupRoute does not lead"),
            ("/Resources/WebhookIntegration", Value::Null, "WebhookIntegration: IntegrationUri"),
            (
                "/Resources/WebhookIntegration/Properties/IntegrationUri",
                json!({"Fn::GetAtt": ["ProviderLookupFunction", "Arn"]}),
                "IntegrationUri",
            ),
            ("/Resources/WebhookIntegration/Properties/IntegrationType", json!("HTTP_PROXY"), "IntegrationType"),
            ("/Resources/WebhookIntegration/Properties/PayloadFormatVersion", json!("1.0"), "PayloadFormatVersion"),
        ],
    );
}

#[test]
fn the_api_waits_longer_than_anybody_may_ask_and_the_function_as_long_as_the_api() {
    hold(
        check_waits,
        &[
            ("/Resources/WebhookIntegration/Properties/TimeoutInMillis", json!(10_000), "WebhookIntegration: 10000 ms"),
            ("/Resources/WebhookIntegration/Properties/TimeoutInMillis", json!(60_000), "WebhookIntegration: 60000 ms"),
            ("/Resources/WebhookIntegration/Properties/TimeoutInMillis", Value::Null, "its function ends after 15000"),
            ("/Resources/SignupWebhookFunction/Properties/Timeout", json!(14), "its function ends after 14000"),
        ],
    );
}

#[test]
fn only_our_api_invokes_the_function_at_a_limited_rate_and_its_log_names_nobody() {
    let format = json!(r#"{"ip":"$context.identity.sourceIp"}"#);
    hold(
        check_door,
        &[
            ("/Resources/WebhookPermission/Properties/SourceArn", Value::Null, "WebhookPermission lets in"),
            ("/Resources/WebhookPermission/Properties/Action", json!("lambda:*"), "WebhookPermission lets in"),
            ("/Resources/WebhookPermission/Properties/Principal", json!("*"), "WebhookPermission lets in"),
            ("/Resources/WebhookPermission/Properties/FunctionName/Ref", json!("CrmWritebackFunction"), "WebhookPermission lets in"),
            ("/Resources/OtherPermission", json!({"Type": "AWS::Lambda::Permission"}), "2 permissions"),
            ("/Resources/HttpApiStage/Properties/DefaultRouteSettings", Value::Null, "HttpApiStage limits no rate"),
            ("/Resources/HttpApiStage/Properties/DefaultRouteSettings/ThrottlingBurstLimit", json!(0), "HttpApiStage limits no rate"),
            ("/Resources/HttpApiStage/Properties/AccessLogSettings/Format", format, "HttpApiStage logs identity.sourceIp"),
            (
                "/Resources/HttpApiStage/Properties/AccessLogSettings/Format",
                json!("{\"path\":\"$context.path\"}"),
                "HttpApiStage logs path",
            ),
            (
                "/Resources/HttpApiStage/Properties/AccessLogSettings/Format",
                json!("{\"error\":\"$context.error.messageString\"}"),
                "HttpApiStage logs error.messageString",
            ),
            ("/Resources/HttpApiStage/Properties/AccessLogSettings/Format", json!("{\"status\":$context.status}"), "logs no plain JSON"),
            ("/Resources/HttpApiStage/Properties/AccessLogSettings/Format", json!("$context.status"), "logs no plain JSON"),
            ("/Resources/HttpApiStage/Properties/AccessLogSettings/Format", json!("{\"a\":\"$input.body\"}"), "logs no plain JSON"),
            ("/Resources/HttpApi/Properties/CorsConfiguration", json!({"AllowOrigins": ["*"]}), "HttpApi opens CORS"),
        ],
    );
}
