//! Addresses that misbehave. Time is paused: waiting costs nothing and is measured exactly.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::client::Client;

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_after_three_seconds_and_is_a_good_one() {
    let client = Client::new();
    for domain in ["latepost.example", "slow-acme.example"] {
        let asked = Instant::now();
        let answer = client.company(domain).await;
        assert_eq!(asked.elapsed(), Duration::from_secs(3), "{domain}");
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()[0]["matches"].as_array().unwrap().len(), 1, "{domain}");
    }
    let asked = Instant::now();
    client.person("noor@latepost.example").await;
    assert_eq!(asked.elapsed(), Duration::ZERO, "only the company is late");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_hangs_for_thirty_seconds_and_bills_nothing() {
    let client = Client::new();
    let asked = Instant::now();
    let answer = client.person("timeout@acme.example").await;
    assert_eq!(asked.elapsed(), Duration::from_secs(30));
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(client.sandbox.paid_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_did_the_work_bills_it_though_nobody_waited() {
    let client = Client::new();
    let impatient = tokio::time::timeout(Duration::from_secs(1), client.company("latepost.example")).await;
    assert!(impatient.is_err());
    assert_eq!(client.sandbox.paid_calls(), 1);
}

#[tokio::test]
async fn ratelimited_refuses_twice_for_each_address_and_then_answers() {
    let client = Client::new();
    for domain in ["ratelimited-orchard.example", "ratelimited.example"] {
        for _ in 0..2 {
            let answer = client.company(domain).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.header("x-ratelimit-reset"), "1");
            assert_eq!(answer.header("x-ratelimit-remaining"), "0");
            assert_eq!(answer.json()["error"]["type"], "rate_limited");
        }
        assert_eq!(client.company(domain).await.status, StatusCode::OK);
    }
    assert_eq!(client.sandbox.paid_calls(), 2, "a refusal bills nothing");
}

#[tokio::test]
async fn alwayslimited_never_answers() {
    let client = Client::new();
    for _ in 0..5 {
        assert_eq!(client.person("alwayslimited@acme.example").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[tokio::test]
async fn nomatch_down_and_denied_answer_as_their_names_say() {
    let client = Client::new();
    let nomatch = client.company("nomatch-acme.example").await;
    assert_eq!((nomatch.status, &nomatch.json()[0]["matches"]), (StatusCode::OK, &json!([])));
    assert_eq!(client.company("down-harbor.example").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let denied = client.person("denied@acme.example").await;
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    assert_eq!(denied.json(), json!({"message": "Invalid API key in request"}));
    assert_eq!(client.sandbox.paid_calls(), 0);
}

#[tokio::test]
async fn broken_is_200_with_json_that_stops_in_the_middle() {
    let answer = Client::new().company("broken-acme.example").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("application/json"));
    assert!(answer.text.starts_with("[{") && serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
}

#[tokio::test]
async fn a_magic_domain_touches_only_company_calls() {
    let answer = Client::new().person("pat@down-harbor.example").await;
    assert_eq!(answer.status, StatusCode::OK);
}
