//! What was asked and what it cost.

use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn a_match_costs_credits_and_no_match_costs_nothing() {
    let client = Client::new();
    client.person("dana.cho@northwind-grid.example").await;
    client.company("northwind-grid.example").await;
    client.company("hexa-labs.example").await;
    client.company("ghost.example").await;
    client.person("nina@unlisted.example").await;
    let bills: Vec<_> =
        client.sandbox.billing().into_iter().map(|bill| (bill.endpoint, bill.calls, bill.billed_calls, bill.credits)).collect();
    assert_eq!(bills, [("crustdata.person", 2, 1, 2), ("crustdata.company", 3, 2, 8)]);
    assert_eq!(client.sandbox.paid_calls(), 3);
    let shown = client.get("/_sandbox/billing").await.json();
    assert_eq!((&shown["credits"], &shown["paid_calls"]), (&json!(10), &json!(3)));
}

#[tokio::test]
async fn a_batch_bills_each_matched_record_and_is_one_call() {
    let client = Client::new();
    client.crustdata("company", &json!({"domains": ["hexa-labs.example", "tinyforge.example", "ghost.example"]})).await;
    let bill = &client.sandbox.billing()[1];
    assert_eq!((bill.calls, bill.billed_calls, bill.credits), (1, 1, 4));
}

#[tokio::test]
async fn technographics_cost_two_credits_more() {
    let client = Client::new();
    client.crustdata("company", &json!({"domains": ["hexa-labs.example"], "fields": ["basic_info", "technographics"]})).await;
    assert_eq!(client.sandbox.billing()[1].credits, 4);
}

#[tokio::test]
async fn websites_are_free() {
    let client = Client::new();
    client.get("/websites/northwind-grid.example/").await;
    assert_eq!(client.sandbox.paid_calls(), 0);
}

#[tokio::test]
async fn requests_are_counted_by_endpoint_and_key_so_that_asking_twice_shows() {
    let client = Client::new();
    client.company("hexa-labs.example").await;
    client.company("Hexa-Labs.example").await;
    client.person("Lee.Park@hexa-labs.example").await;
    let key = sandbox::email_key("lee.park@hexa-labs.example");
    let counts: Vec<_> = client.sandbox.requests().into_iter().map(|entry| (entry.endpoint, entry.key, entry.count)).collect();
    assert_eq!(counts, [("crustdata.person", key, 1), ("crustdata.company", "hexa-labs.example".to_owned(), 2)]);
    let shown = client.get("/_sandbox/requests").await;
    assert_eq!(shown.json()["endpoints"], json!({"crustdata.company": 2, "crustdata.person": 1}));
    assert!(!shown.text.contains('@'), "the books hold no email");
}
