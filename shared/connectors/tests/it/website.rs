//! The company's own page (S3-71), behind the guard.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use connectors::{Egress, Endpoints, HttpProvider};
use domain::identity::KeyKind;
use domain::observation::Basis;
use domain::reply::Reply;
use domain::units::Millis;

use crate::world::{Rotating, connectors, look_up, observations, provider, serve, tls, value};

async fn site(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Reply {
    let place = serve(Router::new().fallback(any(move || async move { answer() }))).await;
    look_up(&provider(&place, Rotating::new(&[])), "website", KeyKind::Domain, "acme.io").await
}

fn html(body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/html")], body).into_response()
}

#[tokio::test]
async fn s3_71_a_page_gives_inferred_facts_and_the_address_of_the_site() {
    let facts = observations(site(|| html("<title>Acme</title><p>Single sign-on</p>")).await);
    assert_eq!(value(&facts, "company.name").as_deref(), Some("Acme"));
    assert_eq!(value(&facts, "company.sso").as_deref(), Some("true"));
    assert_eq!(value(&facts, "company.website").as_deref(), Some("https://acme.io/"));
    for fact in &facts {
        let expected = if fact.field.as_str() == "company.website" { Basis::Stated } else { Basis::Inferred };
        assert_eq!((fact.basis, fact.source.as_str(), fact.family.as_str()), (expected, "website", "website"), "{}", fact.field);
    }
}

#[tokio::test]
async fn a_site_without_a_page_is_no_match() {
    assert_eq!(site(|| StatusCode::NOT_FOUND.into_response()).await, Reply::NoMatch);
    assert_eq!(site(|| StatusCode::GONE.into_response()).await, Reply::NoMatch);
    assert_eq!(site(|| axum::Json(5).into_response()).await, Reply::NoMatch);
}

#[tokio::test]
async fn a_site_that_shuts_us_out_is_a_failure_and_no_refused_credential() {
    for status in [401, 402, 403, 500, 503] {
        let reply = site(move || StatusCode::from_u16(status).unwrap().into_response()).await;
        assert!(matches!(reply, Reply::Failed { .. }), "{status}: {reply:?}");
    }
    let limited = site(|| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "9")]).into_response()).await;
    assert_eq!(limited, Reply::RateLimited { retry_after: Millis::seconds(9) });
}

#[tokio::test]
async fn a_site_that_leads_inside_is_refused() {
    for target in ["http://169.254.169.254/", "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "file:///etc/passwd"] {
        let reply = site(move || (StatusCode::FOUND, [(header::LOCATION, target)]).into_response()).await;
        let Reply::Failed { why } = reply else { panic!("{target}: {reply:?}") };
        assert!(why.starts_with("refused: "), "{why}");
    }
}

#[tokio::test]
async fn without_the_allow_list_a_place_on_loopback_is_out_of_reach() {
    let place = serve(Router::new().fallback(any(|| async { html("<title>Acme</title>") }))).await;
    let endpoints = Endpoints::new([("website".to_owned(), format!("http://{place}/{{{{key}}}}/"))]).unwrap();
    let closed = HttpProvider::new(connectors().into(), endpoints, Egress::new([], tls()).unwrap(), Rotating::new(&[]));
    let reply = look_up(&closed, "website", KeyKind::Domain, "acme.io").await;
    assert!(matches!(reply, Reply::Failed { .. }), "{reply:?}");
}

#[tokio::test]
async fn a_key_that_is_no_domain_is_never_fetched() {
    let provider = provider("127.0.0.1:9", Rotating::new(&[]));
    for key in ["127.0.0.1", "localhost", "metadata", "[::1]", "acme.io/../x", ""] {
        let reply = look_up(&provider, "website", KeyKind::Domain, key).await;
        assert!(matches!(reply, Reply::Failed { .. }), "{key}: {reply:?}");
    }
}

#[test]
fn an_endpoint_must_be_a_base_url() {
    for url in ["", "acme.io", "ftp://acme.io/", "http://user@acme.io/", "https://acme.io/?key=1", "https://acme.io/#x"] {
        assert!(Endpoints::new([("crustdata".to_owned(), url.to_owned())]).is_err(), "{url}");
    }
}
