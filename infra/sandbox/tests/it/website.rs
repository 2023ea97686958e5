//! The companies' own home pages.

use axum::http::StatusCode;

use crate::client::Client;

#[tokio::test]
async fn a_home_page_names_its_company_and_shows_what_it_is_built_with() {
    let answer = Client::new().get("/websites/northwind-grid.example/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/html"));
    for part in [
        "<title>Northwind Grid (invented)",
        "<meta property=\"og:site_name\" content=\"Northwind Grid (invented)\">",
        "<meta name=\"description\"",
        "<meta name=\"generator\" content=\"Next.js\">",
        "https://cdn.segment.com/",
        "https://js.stripe.com/v3/",
        "https://www.linkedin.com/company/invented-",
        "https://twitter.com/invented-",
        "href=\"/security\"",
        "SOC 2",
        "SSO",
    ] {
        assert!(answer.text.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_company_that_no_vendor_lists_may_still_have_a_site() {
    let client = Client::new();
    assert_eq!(client.get("/websites/unlisted.example/").await.status, StatusCode::OK);
    assert_eq!(client.get("/websites/ghost.example/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/websites/gmail.com/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn some_made_up_companies_have_no_site_and_some_sites_speak_of_security() {
    let client = Client::new();
    let (mut without, mut secure) = (0, 0);
    for n in 0..100 {
        let answer = client.get(&format!("/websites/firm-{n}.example/")).await;
        without += u32::from(answer.status == StatusCode::NOT_FOUND);
        secure += u32::from(answer.text.contains("SOC 2"));
    }
    assert!((1..40).contains(&without) && (10..70).contains(&secure), "{without} without, {secure} secure");
}

#[tokio::test]
async fn a_browser_that_opens_the_page_loads_nothing_from_elsewhere() {
    let answer = Client::new().get("/websites/hexa-labs.example/").await;
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'");
}

#[tokio::test]
async fn a_hostile_domain_cannot_write_into_the_page() {
    let answer = Client::new().get("/websites/%3Cscript%3Ealert(1)%3C%2Fscript%3E.example/").await;
    assert!(!answer.text.contains("<script>alert"));
}
