//! WIRE-FORMATS §1.1.

use axum::http::{Method, StatusCode};
use sandbox::EMPTY_KEY;
use serde_json::{Value, json};

use crate::client::Client;

#[tokio::test]
async fn a_person_comes_in_the_documented_shape() {
    let answer = Client::new().person("dana.cho@northwind-grid.example").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body[0]["matched_on"], "dana.cho@northwind-grid.example");
    assert_eq!(body[0]["match_type"], "business_email");
    let score = body[0]["matches"][0]["confidence_score"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&score));
    let person = &body[0]["matches"][0]["person_data"];
    assert_eq!(person["basic_profile"]["name"], "Dana Cho");
    assert_eq!(person["basic_profile"]["current_title"], "VP Engineering");
    assert_eq!(person["basic_profile"]["location"]["country"], "United States");
    let job = &person["experience"]["employment_details"]["current"][0];
    assert_eq!(job["title"], "VP Engineering");
    assert_eq!(job["seniority_level"], "VP");
    assert_eq!(job["company_website_domain"], "northwind-grid.example");
    assert!(job["start_date"].is_string());
    assert!(person["social_handles"]["professional_network_identifier"]["profile_url"].is_string());
}

#[tokio::test]
async fn a_company_comes_as_a_top_level_array_in_the_documented_shape() {
    let body = Client::new().company("northwind-grid.example").await.json();
    assert_eq!(body[0]["match_type"], "domain");
    let company = &body[0]["matches"][0]["company_data"];
    assert!(company["crustdata_company_id"].is_u64());
    assert_eq!(company["basic_info"]["primary_domain"], "northwind-grid.example");
    assert!(company["basic_info"]["year_founded"].is_string());
    assert_eq!(company["headcount"]["total"], 1200);
    assert_eq!(company["funding"]["last_round_type"], "Series C");
    assert_eq!(company["locations"]["hq_country"], "US");
    assert_eq!(company["web_traffic"]["growth_90d"], 0.22);
    assert!(company["web_traffic"]["monthly_visitors"].is_u64());
    assert!(company["hiring"]["openings"].is_u64());
    assert!(company["revenue"]["estimated"]["lower_bound_usd"].is_u64());
    let technologies = company["technographics"]["technologies"].as_array().unwrap();
    assert!(technologies.contains(&json!("aws")) && technologies.contains(&json!("kubernetes")));
}

#[tokio::test]
async fn only_the_sections_that_were_asked_for_come_back() {
    let client = Client::new();
    let body = json!({"domains": ["hexa-labs.example"], "fields": ["headcount", "funding.last_round_type"]});
    let company = client.crustdata("company", &body).await.json()[0]["matches"][0]["company_data"].clone();
    let keys: Vec<&String> = company.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["crustdata_company_id", "funding", "headcount"]);

    let person = client.crustdata("person", &json!({"business_emails": ["lee.park@hexa-labs.example"]})).await.json();
    let keys: Vec<String> = person[0]["matches"][0]["person_data"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["basic_profile", "social_handles"], "the documented default");
}

#[tokio::test]
async fn no_match_is_200_with_an_empty_list() {
    let client = Client::new();
    for domain in ["unlisted.example", "ghost.example", "gmail.com"] {
        let answer = client.company(domain).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()[0]["matches"], json!([]), "{domain}");
    }
    for email in ["nina@unlisted.example", "somebody@gmail.com", "billing@hexa-labs.example"] {
        assert_eq!(client.person(email).await.json()[0]["matches"], json!([]), "{email}");
    }
}

#[tokio::test]
async fn several_identifiers_get_an_entry_each_in_their_order() {
    let body = json!({"domains": ["hexa-labs.example", "ghost.example", "tinyforge.example"]});
    let entries = Client::new().crustdata("company", &body).await.json();
    let matched: Vec<(&Value, usize)> =
        entries.as_array().unwrap().iter().map(|entry| (&entry["matched_on"], entry["matches"].as_array().unwrap().len())).collect();
    assert_eq!(matched, [(&json!("hexa-labs.example"), 1), (&json!("ghost.example"), 0), (&json!("tinyforge.example"), 1)]);
}

#[tokio::test]
async fn a_person_is_found_by_personal_email_and_by_profile_address_too() {
    let client = Client::new();
    let asked = json!({"personal_emails": ["mira.codes@gmail.com"], "fields": ["basic_profile", "experience"]});
    let mira = client.crustdata("person", &asked).await.json();
    assert_eq!(mira[0]["match_type"], "personal_email");
    assert_eq!(mira[0]["matches"][0]["person_data"]["basic_profile"]["current_title"], "Freelance developer");
    assert_eq!(mira[0]["matches"][0]["person_data"]["experience"]["employment_details"]["current"], json!([]));

    let dana = client.person("dana.cho@northwind-grid.example").await.json();
    let url = &dana[0]["matches"][0]["person_data"]["social_handles"]["professional_network_identifier"]["profile_url"];
    let again = client.crustdata("person", &json!({"professional_network_profile_urls": [url]})).await.json();
    assert_eq!(again[0]["matches"][0]["person_data"]["basic_profile"]["name"], "Dana Cho");
}

#[tokio::test]
async fn a_wrong_key_is_401_and_an_empty_account_402() {
    let client = Client::new();
    let body = json!({"domains": ["hexa-labs.example"]});
    let wrong = client.crustdata_as("some-other-key", "company", &body).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.json(), json!({"message": "Invalid API key in request"}));
    let empty = client.crustdata_as(EMPTY_KEY, "company", &body).await;
    assert_eq!(empty.status, StatusCode::PAYMENT_REQUIRED);
    let error = &empty.json()["error"];
    assert_eq!(error["type"], "insufficient_credits");
    assert!(error["message"].is_string() && error.get("metadata").is_some());
}

#[tokio::test]
async fn a_call_without_its_headers_is_refused() {
    let client = Client::new();
    let all = [("authorization", "Bearer sandbox-crustdata-key"), ("x-api-version", "2025-11-01"), ("content-type", "application/json")];
    let body = r#"{"domains":["hexa-labs.example"]}"#;
    for (left_out, status) in [(0, StatusCode::UNAUTHORIZED), (1, StatusCode::BAD_REQUEST), (2, StatusCode::BAD_REQUEST)] {
        let mut headers = all.to_vec();
        let (name, _) = headers.remove(left_out);
        let answer = client.send(Method::POST, "/crustdata/company/enrich", &headers, body).await;
        assert_eq!(answer.status, status, "without {name}");
    }
    let old = [all[0], ("x-api-version", "2024-01-01"), all[2]];
    assert_eq!(client.send(Method::POST, "/crustdata/company/enrich", &old, body).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_that_does_not_name_exactly_one_kind_of_identifier_is_refused() {
    let client = Client::new();
    let too_many: Vec<String> = (0..26).map(|n| format!("n{n}@acme.example")).collect();
    let bodies = [
        json!({}),
        json!({"business_emails": []}),
        json!({"business_emails": too_many}),
        json!({"business_emails": "dana.cho@northwind-grid.example"}),
        json!({"business_emails": ["a@acme.example"], "professional_network_profile_urls": ["x"]}),
        json!({"business_emails": ["a@acme.example"], "fields": ["no_such_section"]}),
    ];
    for body in bodies {
        let answer = client.crustdata("person", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.json()["error"]["type"], "invalid_request");
    }
    assert_eq!(client.sandbox.paid_calls(), 0);
}

#[tokio::test]
async fn rate_limit_headers_stand_on_every_response() {
    let client = Client::new();
    let answers = [
        client.company("hexa-labs.example").await,
        client.company("ghost.example").await,
        client.company("down.example").await,
        client.company("alwayslimited.example").await,
        client.crustdata("company", &json!({})).await,
        client.crustdata_as("wrong", "company", &json!({})).await,
    ];
    for answer in answers {
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(answer.header(name).parse::<u32>().is_ok(), "{name} on {}", answer.status);
        }
    }
}
