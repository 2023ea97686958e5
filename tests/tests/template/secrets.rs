//! No secret stands in the template, and the function that the world reaches is told of its own only.

use serde_json::{Value, json};
use tests::template::{Template, entries, references};

use crate::drift::function_id;
use crate::{hold, unless};
use platform::Function;

/// Parameters that an environment may repeat, besides the ids of secrets.
const HARMLESS: [&str; 3] = ["LogLevel", "Endpoints", "EgressAllowed"];
/// Names of things that hold a secret.
const SECRET_WORDS: [&str; 6] = ["secret", "key", "token", "password", "credential", "hubspot"];

fn is_secret_id(parameter: &str) -> bool {
    parameter.ends_with("SecretsArn")
}

fn check_parameters(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, parameter) in entries(template.at("/Parameters")) {
        let lower = name.to_lowercase();
        let sounds_secret = SECRET_WORDS.iter().any(|word| lower.contains(word));
        findings.extend(unless(!sounds_secret || is_secret_id(name), || format!("{name} asks for a secret; take the id of one")));
        let is_plain = parameter["NoEcho"].is_null() && !parameter["Type"].as_str().unwrap_or_default().starts_with("AWS::SSM");
        findings.extend(unless(is_plain, || format!("{name} is a secret parameter")));
        findings.extend(unless(!is_secret_id(name) || parameter["Default"] == "", || format!("{name} has a default")));
    }
    let text = template.root().to_string();
    findings.extend(unless(!text.contains("{{resolve:"), || "a dynamic reference puts a secret into the template".to_owned()));
    findings
}

fn check_environment(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for function in template.functions() {
        for (variable, value) in entries(function.get("/Environment/Variables")) {
            let name = format!("{}: {variable}", function.id);
            findings.extend(unless(!value.is_string(), || format!("{name} is written out")));
            for id in references(value) {
                let is_parameter = !template.at(&format!("/Parameters/{id}")).is_null();
                let is_id = !is_parameter || HARMLESS.contains(&id) || is_secret_id(id);
                findings.extend(unless(is_id, || format!("{name} repeats the parameter {id}")));
            }
        }
    }
    findings
}

fn check_texts(template: &Template) -> Vec<String> {
    let mut findings = Vec::new();
    for secret in template.of_type("AWS::SecretsManager::Secret") {
        let written = secret.get("/SecretString");
        let is_empty = written.is_null() || written == "{}";
        let is_generated =
            secret.get("/GenerateSecretString").is_null() || secret.text("/GenerateSecretString/SecretStringTemplate") == "{}";
        findings.extend(unless(is_empty && is_generated, || format!("{} has its text in the template", secret.id)));
    }
    // 43 characters of URL-safe base64 are 32 bytes.
    let length = template.at("/Resources/WebhookSecrets/Properties/GenerateSecretString/PasswordLength").as_u64().unwrap_or_default();
    findings.extend(unless(length >= 43, || format!("WebhookSecrets: a hash_key of {length} characters is too short")));
    findings
}

/// The two texts as they were first deployed. Whatever is edited here, even a length, makes `CloudFormation` write a new version
/// of the secret at the next deployment: the keys that were set are gone from it, and with another `hash_key` nobody is found
/// again in the tables.
fn check_unedited(template: &Template) -> Vec<String> {
    let generated = json!({
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "hash_key",
        "PasswordLength": 44,
        "ExcludeCharacters": "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~",
    });
    let mut findings = Vec::new();
    for (id, wanted) in [("WebhookSecrets", ("GenerateSecretString", generated)), ("VendorSecrets", ("SecretString", json!("{}")))] {
        let secret = template.resource(id).map_or(&Value::Null, |secret| secret.get(""));
        for name in ["GenerateSecretString", "SecretString"] {
            let wanted = if name == wanted.0 { &wanted.1 } else { &Value::Null };
            findings.extend(unless(secret[name] == *wanted, || format!("{id}: {name} must stay {wanted}")));
        }
    }
    findings
}

fn check_public_function(template: &Template) -> Vec<String> {
    let id = function_id(Function::SignupWebhook);
    let function = template.resource(&id).map_or(&Value::Null, |function| function.value);
    let role = function.pointer("/Properties/Role/Fn::GetAtt/0").and_then(Value::as_str).and_then(|role| template.resource(role));
    let mut findings = Vec::new();
    for (what, value) in [(id.as_str(), function), ("its role", role.map_or(&Value::Null, |role| role.value))] {
        let vendors = references(value).into_iter().find(|id| id.starts_with("Vendor"));
        findings.extend(vendors.map(|vendors| format!("{what} names {vendors}")));
        let own = references(value).contains(&"WebhookSecrets");
        findings.extend(unless(own, || format!("{what} does not name WebhookSecrets")));
    }
    findings
}

#[test]
fn no_parameter_holds_a_secret() {
    hold(
        check_parameters,
        &[
            ("/Parameters/HubSpotToken", json!({"Type": "String"}), "HubSpotToken asks for a secret"),
            ("/Parameters/CrustdataApiKey", json!({"Type": "String"}), "CrustdataApiKey asks for a secret"),
            ("/Parameters/Endpoints/NoEcho", json!(true), "Endpoints is a secret parameter"),
            ("/Parameters/LogLevel/Type", json!("AWS::SSM::Parameter::Value<String>"), "LogLevel is a secret parameter"),
            ("/Parameters/VendorSecretsArn/Default", json!("arn:aws:secretsmanager:x"), "VendorSecretsArn has a default"),
            ("/Parameters/LogLevel/Default", json!("{{resolve:secretsmanager:x}}"), "a dynamic reference"),
        ],
    );
}

#[test]
fn no_environment_holds_a_secret() {
    let variables = "/Resources/CrmWritebackFunction/Properties/Environment/Variables";
    hold(
        check_environment,
        &[
            (&format!("{variables}/HUBSPOT_TOKEN"), json!("pat-eu1-1"), "CrmWritebackFunction: HUBSPOT_TOKEN is written out"),
            (&format!("{variables}/SECRETS_ID"), json!({"Ref": "AlarmEmail"}), "SECRETS_ID repeats the parameter AlarmEmail"),
            (&format!("{variables}/SECRETS_ID"), json!({"Fn::Sub": "x${AlarmEmail}"}), "SECRETS_ID repeats the parameter AlarmEmail"),
        ],
    );
}

#[test]
fn secrets_are_made_empty_or_at_random() {
    hold(
        check_texts,
        &[
            ("/Resources/VendorSecrets/Properties/SecretString", json!("{\"hubspot_token\": \"pat\"}"), "VendorSecrets has its text"),
            (
                "/Resources/WebhookSecrets/Properties/GenerateSecretString/SecretStringTemplate",
                json!("{\"webhook_secret_signup\": \"x\"}"),
                "WebhookSecrets has its text",
            ),
            ("/Resources/WebhookSecrets/Properties/GenerateSecretString/PasswordLength", json!(16), "WebhookSecrets: a hash_key of 16"),
            ("/Resources/WebhookSecrets/Properties/GenerateSecretString", Value::Null, "WebhookSecrets: a hash_key of 0"),
        ],
    );
}

#[test]
fn nobody_edits_what_a_secret_was_made_from() {
    let generated = "/Resources/WebhookSecrets/Properties/GenerateSecretString";
    hold(
        check_unedited,
        &[
            (&format!("{generated}/PasswordLength"), json!(64), "WebhookSecrets: GenerateSecretString must stay"),
            (&format!("{generated}/ExcludeCharacters"), json!("!"), "WebhookSecrets: GenerateSecretString must stay"),
            (&format!("{generated}/ExcludePunctuation"), json!(true), "WebhookSecrets: GenerateSecretString must stay"),
            (generated, Value::Null, "WebhookSecrets: GenerateSecretString must stay"),
            ("/Resources/WebhookSecrets/Properties/SecretString", json!("{}"), "WebhookSecrets: SecretString must stay null"),
            ("/Resources/VendorSecrets/Properties/SecretString", json!("{ }"), "VendorSecrets: SecretString must stay"),
            ("/Resources/VendorSecrets/Properties/SecretString", Value::Null, "VendorSecrets: SecretString must stay"),
            ("/Resources/VendorSecrets", Value::Null, "VendorSecrets: SecretString must stay"),
        ],
    );
}

#[test]
fn the_public_function_never_hears_of_a_vendors_key() {
    let secrets = json!({"Fn::Join": [",", [{"Ref": "WebhookSecrets"}, {"Ref": "VendorSecretsArn"}]]});
    let function = "/Resources/SignupWebhookFunction/Properties";
    let resource = "/Resources/SignupWebhookRole/Properties/Policies/0/PolicyDocument/Statement/3/Resource";
    hold(
        check_public_function,
        &[
            (&format!("{function}/Environment/Variables/SECRETS_ID"), secrets, "SignupWebhookFunction names VendorSecretsArn"),
            (&format!("{function}/Environment/Variables/SECRETS_ID"), Value::Null, "SignupWebhookFunction does not name"),
            (&format!("{function}/Role/Fn::GetAtt/0"), json!("CrmWritebackRole"), "its role names VendorSecrets"),
            (&format!("{function}/Role"), Value::Null, "its role does not name"),
            (resource, json!([{"Ref": "WebhookSecrets"}, {"Ref": "VendorSecrets"}]), "its role names VendorSecrets"),
        ],
    );
}
