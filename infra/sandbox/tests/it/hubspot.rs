//! WIRE-FORMATS §2.1.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{CONTACTS, Client};

const DANA: &str = "dana.cho@northwind-grid.example";
const DANA_BY_EMAIL: &str = "/dana.cho%40northwind-grid.example?idProperty=email";

async fn create(client: &Client, properties: Value) -> crate::client::Answer {
    client.hubspot(Method::POST, "", &json!({"properties": properties})).await
}

async fn update(client: &Client, rest: &str, properties: Value) -> crate::client::Answer {
    client.hubspot(Method::PATCH, rest, &json!({"properties": properties})).await
}

#[tokio::test]
async fn a_contact_is_created_then_updated_by_email_and_by_id() {
    let client = Client::new();
    let created = create(&client, json!({"email": DANA, "jobtitle": "VP"})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let by_email = update(&client, DANA_BY_EMAIL, json!({"plg_lead_score": "90"})).await;
    assert_eq!(by_email.status, StatusCode::OK);
    let by_id = update(&client, &format!("/{id}"), json!({"routing_track": "ae_queue"})).await.json();
    assert_eq!(by_id["id"], id.as_str());
    assert_eq!(by_id["archived"], false);
    for (name, value) in [("email", DANA), ("jobtitle", "VP"), ("plg_lead_score", "90"), ("routing_track", "ae_queue")] {
        assert_eq!(by_id["properties"][name], value, "{name}");
    }
    assert!(by_id["updatedAt"].as_str() > by_id["createdAt"].as_str());
    assert_eq!(client.sandbox.contacts().len(), 1);
}

#[tokio::test]
async fn an_email_that_exists_is_a_conflict_that_names_the_id() {
    let client = Client::new();
    let id = create(&client, json!({"email": DANA})).await.json()["id"].as_str().unwrap().to_owned();
    let again = create(&client, json!({"email": DANA.to_uppercase()})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let body = again.json();
    assert_eq!(body["category"], "CONFLICT");
    assert_eq!(body["message"], format!("Contact already exists. Existing ID: {id}"));
    assert!(body["correlationId"].is_string());
}

#[tokio::test]
async fn a_contact_that_does_not_exist_is_404_in_hubspots_form() {
    let client = Client::new();
    for rest in [DANA_BY_EMAIL, "/512", "/not-a-number"] {
        let answer = update(&client, rest, json!({"jobtitle": "VP"})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{rest}");
        assert_eq!(answer.json()["status"], "error");
        assert_eq!(answer.json()["category"], "OBJECT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_property_value_that_is_no_string_is_a_validation_error() {
    let client = Client::new();
    for value in [json!(200), json!(true), json!(null), json!(["aws"])] {
        let answer = create(&client, json!({"email": DANA, "company_headcount": value})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{value}");
        assert_eq!(answer.json()["category"], "VALIDATION_ERROR");
        assert_eq!(answer.json()["errors"][0]["in"], "company_headcount");
    }
    assert!(client.sandbox.contacts().is_empty());
}

#[tokio::test]
async fn unknown_and_read_only_properties_and_nameless_contacts_are_refused() {
    let client = Client::new();
    let refused = [
        (json!({"email": DANA, "Not A Property": "x"}), "PROPERTY_DOESNT_EXIST"),
        (json!({"email": DANA, "lastmodifieddate": "x"}), "READ_ONLY_VALUE"),
        (json!({"jobtitle": "VP"}), "INVALID_VALUE"),
    ];
    for (properties, code) in refused {
        let answer = create(&client, properties).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["errors"][0]["code"], code);
    }
}

#[tokio::test]
async fn an_empty_string_clears_a_property() {
    let client = Client::new();
    create(&client, json!({"email": DANA, "jobtitle": "VP"})).await;
    let after = update(&client, DANA_BY_EMAIL, json!({"jobtitle": ""})).await.json();
    assert_eq!(after["properties"].get("jobtitle"), None);
}

#[tokio::test]
async fn search_finds_by_property_and_shows_what_was_asked() {
    let client = Client::new();
    create(&client, json!({"email": DANA, "routing_track": "ae_queue", "jobtitle": "VP"})).await;
    create(&client, json!({"email": "sam@tinyforge.example", "routing_track": "self_serve"})).await;
    let filter = json!({"propertyName": "email", "operator": "EQ", "value": DANA});
    let body = json!({"filterGroups": [{"filters": [filter]}], "properties": ["routing_track"], "limit": 1, "after": "0"});
    let found = client.hubspot(Method::POST, "/search", &body).await.json();
    assert_eq!(found["total"], 1);
    assert_eq!(found["results"][0]["properties"]["routing_track"], "ae_queue");
    assert_eq!(found["results"][0]["properties"].get("jobtitle"), None);
    let page = client.hubspot(Method::POST, "/search", &json!({"limit": 1})).await.json();
    assert_eq!((&page["total"], &page["paging"]["next"]["after"]), (&json!(2), &json!("1")));
    let odd = json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "x"}]}]});
    assert_eq!(client.hubspot(Method::POST, "/search", &odd).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_legacy_path_shows_the_same_contacts() {
    let client = Client::new();
    create(&client, json!({"email": DANA})).await;
    let token = [("authorization", "Bearer sandbox-hubspot-token")];
    let answer = client.send(Method::GET, &format!("/hubspot/crm/v3/objects/contacts{DANA_BY_EMAIL}"), &token, "").await;
    assert_eq!(answer.json()["properties"]["email"], DANA);
}

#[tokio::test]
async fn a_wrong_token_is_401_everywhere() {
    let client = Client::new();
    for (method, rest) in [(Method::POST, ""), (Method::PATCH, DANA_BY_EMAIL), (Method::GET, "/512"), (Method::POST, "/search")] {
        let path = format!("{CONTACTS}{rest}");
        let answer = client.send(method, &path, &[("authorization", "Bearer something-else")], r#"{"properties":{}}"#).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.json()["category"], "INVALID_AUTHENTICATION");
    }
}

#[tokio::test]
async fn crmlimited_refuses_the_first_write_only() {
    let client = Client::new();
    let refused = create(&client, json!({"email": "crmlimited@acme.example"})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(create(&client, json!({"email": "crmlimited@acme.example"})).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn crmdown_fails_twice_across_kinds_of_writes() {
    let client = Client::new();
    let by_email = "/crmdown%40acme.example?idProperty=email";
    assert_eq!(update(&client, by_email, json!({"jobtitle": "VP"})).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(create(&client, json!({"email": "crmdown@acme.example"})).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(create(&client, json!({"email": "crmdown@acme.example"})).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_email_can_move_but_not_onto_another_contact() {
    let client = Client::new();
    create(&client, json!({"email": DANA})).await;
    create(&client, json!({"email": "sam@tinyforge.example"})).await;
    assert_eq!(update(&client, DANA_BY_EMAIL, json!({"email": "sam@tinyforge.example"})).await.status, StatusCode::CONFLICT);
    assert_eq!(update(&client, DANA_BY_EMAIL, json!({"email": "dana@northwind-grid.example"})).await.status, StatusCode::OK);
    assert_eq!(create(&client, json!({"email": DANA})).await.status, StatusCode::CREATED, "the old address is free again");
}
