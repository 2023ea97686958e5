//! A vendor's answers (S4-26…29): every kind of failure is a reply, and none repeats the body.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use domain::identity::KeyKind;
use domain::observation::Basis;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::Provider as _;
use serde_json::{Value as Json, json};

use crate::world::{NOW, Rotating, look_up, observations, provider, request, serve, value};

const OPERATIONS: [(&str, KeyKind, &str); 2] =
    [("crustdata.company", KeyKind::Domain, "acme.example"), ("crustdata.person", KeyKind::BusinessEmail, "canary@acme.example")];

/// A vendor that answers every call alike.
async fn vendor(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> String {
    serve(Router::new().fallback(any(move || async move { answer() }))).await
}

async fn replies(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Vec<Reply> {
    let place = vendor(answer).await;
    let provider = provider(&place, Rotating::new(&["key"]));
    let mut replies = Vec::new();
    for (operation, kind, key) in OPERATIONS {
        replies.push(look_up(&provider, operation, kind, key).await);
    }
    replies
}

fn is_failed(reply: &Reply) -> bool {
    matches!(reply, Reply::Failed { .. })
}

fn is_unreadable(reply: &Reply) -> bool {
    matches!(reply, Reply::Unreadable { .. })
}

type Seen = Arc<Mutex<Vec<(Uri, HeaderMap, Json)>>>;

/// A vendor that knows nobody and remembers what it was asked.
async fn listening() -> (String, Seen) {
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    let listen = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        notes.lock().unwrap().push((uri, headers, serde_json::from_slice(&body).unwrap()));
        axum::Json(json!([{"matches": []}]))
    };
    (serve(Router::new().fallback(any(listen))).await, seen)
}

#[tokio::test]
async fn s3_53_s3_54_a_key_becomes_the_vendors_request() {
    let (place, seen) = listening().await;
    let provider = provider(&place, Rotating::new(&["s3cret"]));
    for (operation, kind, key, path, list) in [
        ("crustdata.company", KeyKind::Domain, "acme.example", "/crustdata/company/enrich", "domains"),
        ("crustdata.person", KeyKind::BusinessEmail, "jane@acme.example", "/crustdata/person/enrich", "business_emails"),
        // S3-70: a personal mailbox is looked up by the address itself.
        ("crustdata.person", KeyKind::PersonalEmail, "jane@gmail.com", "/crustdata/person/enrich", "business_emails"),
        (
            "crustdata.person",
            KeyKind::SocialUrl,
            "https://x.example/in/jane",
            "/crustdata/person/enrich",
            "professional_network_profile_urls",
        ),
    ] {
        assert_eq!(look_up(&provider, operation, kind, key).await, Reply::NoMatch);
        let (uri, headers, body) = seen.lock().unwrap().pop().unwrap();
        assert_eq!(uri, path, "no email in a URL");
        assert_eq!(body[list], json!([key]));
        assert!(body["fields"].as_array().unwrap().len() >= 3);
        assert_eq!(
            (&headers["authorization"], &headers["x-api-version"]),
            (&"Bearer s3cret".parse().unwrap(), &"2025-11-01".parse().unwrap())
        );
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn observations_carry_their_source_time_and_confidence() {
    let body = json!([{"matches": [{"confidence_score": 0.97, "person_data": {
        "basic_profile": {"name": "Jane Doe", "current_title": "VP Engineering"},
        "experience": {"employment_details": {"current": [{"name": "Acme"}]}}}}]}]);
    let person = observations(replies(move || axum::Json(body.clone()).into_response()).await.remove(1));
    let name = person.iter().find(|observation| observation.field.as_str() == "contact.full_name").unwrap();
    assert_eq!((name.source.as_str(), name.family.as_str(), name.observed_at), ("crustdata.person", "crustdata", NOW));
    assert_eq!((name.stated.get(), name.basis), (9_700, Basis::Stated));
    for field in ["contact.seniority", "company.name"] {
        let inferred = person.iter().find(|observation| observation.field.as_str() == field).unwrap();
        assert_eq!(inferred.basis, Basis::Inferred, "{field}");
    }
}

#[tokio::test]
async fn both_documented_shapes_of_a_company_are_read() {
    let company = json!({"matches": [{"company_data": {"headcount": {"total": 200}}}]});
    for body in [json!([company.clone()]), json!({"results": [company.clone()]})] {
        let hit = observations(replies(move || axum::Json(body.clone()).into_response()).await.remove(0));
        assert_eq!(value(&hit, "company.headcount").as_deref(), Some("200"));
        assert_eq!(hit[0].stated.get(), 10_000, "certain where the vendor names no confidence");
    }
}

#[tokio::test]
async fn nobody_by_this_key_is_no_match() {
    for body in ["[]", r#"[{"matches":[]}]"#, r#"{"results":[]}"#, r#"{"results":[{"matches":[]}]}"#] {
        assert_eq!(replies(move || body.into_response()).await, [Reply::NoMatch, Reply::NoMatch], "{body}");
    }
}

#[tokio::test]
async fn s4_28_a_success_that_cannot_be_read_is_unreadable_and_may_have_been_billed() {
    for body in [
        "",
        "canary",
        "<html>",
        "[{\"matches\":[{\"company_data\"",
        "5",
        "\"x\"",
        r#"[{"matches":"none"}]"#,
        r#"[{"matches":[5]}]"#,
        "[1e999]",
    ] {
        let replies = replies(move || body.into_response()).await;
        assert!(replies.iter().all(is_unreadable), "{body}: {replies:?}");
        assert!(body != "canary" || !format!("{replies:?}").contains("canary"));
    }
    let long = "x".repeat(2 * 1024 * 1024 + 1);
    assert!(replies(move || long.clone().into_response()).await.iter().all(is_unreadable));
    let deep = "[".repeat(200_000);
    assert!(replies(move || deep.clone().into_response()).await.iter().all(is_unreadable));
}

#[tokio::test]
async fn s4_29_refused_credentials_and_an_empty_account_are_told_apart() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        assert_eq!(replies(move || status.into_response()).await, [Reply::AuthFailed, Reply::AuthFailed]);
    }
    assert_eq!(replies(|| StatusCode::PAYMENT_REQUIRED.into_response()).await, [Reply::OutOfCredits, Reply::OutOfCredits]);
    let hidden = r#"{"error":{"type":"insufficient_credits","message":"x"}}"#;
    assert_eq!(replies(move || hidden.into_response()).await, [Reply::OutOfCredits, Reply::OutOfCredits], "an error in a success");
}

#[tokio::test]
async fn s4_27_each_form_of_retry_after_is_honoured_up_to_five_minutes() {
    for (name, text, seconds) in [
        ("retry-after", "7", 7),
        ("retry-after", "Fri, 20 Nov 2026 12:00:30 GMT", 30),
        ("retry-after", "86400", 300),
        ("retry-after", "Sat, 21 Nov 2026 12:00:00 GMT", 300),
        ("retry-after", "nonsense", 1),
        ("retry-after", "Fri, 20 Nov 2026 11:00:00 GMT", 1),
        ("x-ratelimit-reset", "42", 42),
        ("x-other", "1", 1),
    ] {
        let reply = Reply::RateLimited { retry_after: Millis::seconds(seconds) };
        let replies = replies(move || (StatusCode::TOO_MANY_REQUESTS, [(name, text)]).into_response()).await;
        assert_eq!(replies, [reply.clone(), reply], "{name}: {text}");
    }
}

#[tokio::test]
async fn errors_of_the_vendor_and_redirects_are_failures_with_a_status_and_no_body() {
    for status in [400, 404, 422, 500, 502, 503, 504] {
        let replies = replies(move || (StatusCode::from_u16(status).unwrap(), "canary@acme.example").into_response()).await;
        assert!(replies.iter().all(is_failed), "{status}: {replies:?}");
        let text = format!("{replies:?}");
        assert!(text.contains(&status.to_string()) && !text.contains("canary"), "{text}");
    }
    let sent_on = || (StatusCode::TEMPORARY_REDIRECT, [("location", "http://169.254.169.254/")]).into_response();
    assert!(replies(sent_on).await.iter().all(is_failed), "our key is not carried elsewhere");
}

#[tokio::test]
async fn s4_26_a_late_answer_is_a_timeout_even_when_only_its_end_is_late() {
    let late = Router::new().fallback(any(|| async {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }));
    let unfinished = Router::new().fallback(any(|| async {
        let start = futures::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(b"[{"))]);
        axum::body::Body::from_stream(futures::StreamExt::chain(start, futures::stream::pending()))
    }));
    for router in [late, unfinished] {
        let provider = provider(&serve(router).await, Rotating::new(&["key"]));
        let mut request = request("crustdata.company", KeyKind::Domain, "acme.example");
        request.timeout = Millis(100);
        assert_eq!(provider.look_up(&request).await, Reply::TimedOut);
    }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_a_failure() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let provider = provider(&nobody, Rotating::new(&["key"]));
    assert!(is_failed(&look_up(&provider, "crustdata.company", KeyKind::Domain, "acme.example").await));
}

#[tokio::test]
async fn a_rotated_secret_is_fetched_again_and_the_same_one_is_not_tried_twice() {
    let (count, counted) = (Arc::new(Mutex::new(0)), Router::new());
    let calls = Arc::clone(&count);
    let counted = counted.fallback(any(move |headers: HeaderMap| async move {
        *calls.lock().unwrap() += 1;
        if headers["authorization"] == "Bearer new" { "[]".into_response() } else { StatusCode::UNAUTHORIZED.into_response() }
    }));
    let place = serve(counted).await;
    let rotated = provider(&place, Rotating::new(&["old", "new"]));
    assert_eq!(look_up(&rotated, "crustdata.company", KeyKind::Domain, "acme.example").await, Reply::NoMatch);
    assert_eq!(*count.lock().unwrap(), 2);
    let same = provider(&place, Rotating::new(&["old"]));
    assert_eq!(look_up(&same, "crustdata.company", KeyKind::Domain, "acme.example").await, Reply::AuthFailed);
    assert_eq!(*count.lock().unwrap(), 3);
}

#[tokio::test]
async fn what_cannot_be_asked_fails_before_any_call() {
    let (place, seen) = listening().await;
    let provider_without_secret = provider(&place, Rotating::new(&[]));
    let odd_secret = provider(&place, Rotating::new(&["line\nbreak"]));
    for (provider, operation, kind) in [
        (&provider_without_secret, "crustdata.company", KeyKind::Domain),
        (&odd_secret, "crustdata.company", KeyKind::Domain),
        (&odd_secret, "crustdata.company", KeyKind::BusinessEmail),
        (&odd_secret, "nobody.company", KeyKind::Domain),
    ] {
        let reply = look_up(provider, operation, kind, "canary.example").await;
        assert!(matches!(reply, Reply::NotSent { .. }) && !format!("{reply:?}").contains("canary"), "{reply:?}");
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn s3_70_the_address_itself_is_evidence_without_any_call() {
    let provider = provider("127.0.0.1:9", Rotating::new(&[]));
    for (address, kind, word) in [
        ("jane@acme.io", KeyKind::BusinessEmail, "work"),
        ("jane@gmail.com", KeyKind::PersonalEmail, "personal"),
        ("jane@mailinator.com", KeyKind::Email, "disposable"),
        ("billing@acme.io", KeyKind::Email, "role"),
    ] {
        let facts = observations(look_up(&provider, "email", kind, address).await);
        assert_eq!(value(&facts, "email.kind").as_deref(), Some(word));
        assert_eq!(value(&facts, "email.disposable"), Some((word == "disposable").to_string()));
        assert_eq!(value(&facts, "email.role_account"), Some((word == "role").to_string()));
        assert!(facts.iter().all(|fact| fact.basis == Basis::Validated));
    }
}
