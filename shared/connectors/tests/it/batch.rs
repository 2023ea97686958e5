//! Several keys in one request, over the wire (S4-33), and what is said about a wrong section `batch`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use connectors::{Egress, Endpoints, HttpProvider, load};
use domain::config::Sources;
use domain::credits::Tariff;
use domain::identity::KeyKind;
use domain::plan::Gather;
use domain::reply::Reply;
use domain::schema::Schema;
use domain::units::Millis;
use futures::future::join_all;
use pipeline::gather::Gathering;
use pipeline::ports::{BatchRequest, Provider, Secrets};
use serde_json::{Value as Json, json};

use crate::world::{NOW, Rotating, connectors, observations, request, serve, tls, value};

type Seen = Arc<Mutex<Vec<(String, String, Json)>>>;

/// A vendor that notes path, secret and body of each request and answers as told.
async fn vendor(answer: impl Fn(&Json) -> Response + Clone + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    let listen = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let body: Json = serde_json::from_slice(&body).unwrap();
        let secret = ["authorization", "x-api-key"].iter().find_map(|name| headers.get(*name)).unwrap();
        notes.lock().unwrap().push((uri.to_string(), secret.to_str().unwrap().to_owned(), body.clone()));
        answer(&body)
    };
    (serve(Router::new().fallback(any(listen))).await, seen)
}

fn provider(place: &str, secrets: Arc<dyn Secrets>) -> HttpProvider {
    let endpoints = ["crustdata", "pdl"].map(|name| (name.to_owned(), format!("http://{place}")));
    HttpProvider::new(Arc::new(connectors()), Endpoints::new(endpoints).unwrap(), Egress::new([place.to_owned()], tls()).unwrap(), secrets)
}

fn batch(operation: &str, kind: KeyKind, keys: &[&str]) -> BatchRequest {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    BatchRequest { operation: operation.to_owned(), kind, keys, now: NOW, timeout: Millis::seconds(5) }
}

fn company(domain: &Json) -> Json {
    let size = domain.as_str().unwrap().len();
    json!({"matched_on": domain, "matches": [{"company_data": {"headcount": {"total": size}}}]})
}

fn every_company(body: &Json) -> Response {
    let mut entries: Vec<Json> = body["domains"].as_array().unwrap().iter().map(company).collect();
    entries.reverse();
    axum::Json(entries).into_response()
}

#[tokio::test]
async fn s4_33_several_runs_share_one_request_and_each_gets_its_own_answer() {
    let (place, seen) = vendor(every_company).await;
    let provider = Gathering::new(Arc::new(provider(&place, Rotating::new(&["s3cret"]))));
    let gather = Gather { size: 3, at_least: 1, wait: Millis::minutes(1) };
    let asked = ["a.example", "bb.example", "ccc.example"].map(|domain| request("crustdata.company", KeyKind::Domain, domain));
    let told = join_all(asked.iter().map(|request| provider.look_up_together(request, gather))).await;
    for (told, length) in told.into_iter().zip([9, 10, 11]) {
        assert_eq!(told.tariff, Tariff::Bulk);
        assert_eq!(value(&observations(told.reply), "company.headcount"), Some(length.to_string()));
    }
    let seen = seen.lock().unwrap();
    let [(path, secret, body)] = seen.as_slice() else { panic!("one request: {seen:?}") };
    assert_eq!((path.as_str(), secret.as_str()), ("/company/enrich", "Bearer s3cret"));
    assert_eq!(body["domains"], json!(["a.example", "bb.example", "ccc.example"]));
    assert!(body["fields"].as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn a_bulk_endpoint_of_its_own_is_asked_where_there_is_one() {
    let (place, seen) = vendor(|_| json!([]).to_string().into_response()).await;
    let provider = provider(&place, Rotating::new(&["s3cret"]));
    let asked = batch("pdl.person", KeyKind::BusinessEmail, &["jane@acme.example", "john@acme.example"]);
    let replies = provider.look_up_all(&asked).await.unwrap();
    assert!(matches!(&replies[..], [Reply::Unreadable { .. }, Reply::Unreadable { .. }]), "{replies:?}");
    let (path, _, body) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(path, "/v5/person/bulk", "no address in a URL");
    let each = |email: &str| json!({"params": {"email": [email]}, "metadata": {"key": email}});
    assert_eq!(body, json!({"requests": [each("jane@acme.example"), each("john@acme.example")]}));
    assert!(!format!("{asked:?}{replies:?}").contains("jane"));
}

#[tokio::test]
async fn where_there_is_no_batch_form_nobody_is_asked() {
    let (place, seen) = vendor(every_company).await;
    let provider = provider(&place, Rotating::new(&["s3cret"]));
    for (operation, kind) in
        [("pdl.company", KeyKind::Domain), ("crustdata.company", KeyKind::Email), ("email", KeyKind::Email), ("no.body", KeyKind::Email)]
    {
        assert_eq!(provider.look_up_all(&batch(operation, kind, &["acme.example"])).await, None, "{operation}");
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_rotated_secret_is_fetched_again_for_a_batch_too() {
    let (place, seen) = vendor(every_company).await;
    let refused = Router::new().fallback(any(move |headers: HeaderMap, body: Bytes| async move {
        if headers["authorization"] == "Bearer new" {
            every_company(&serde_json::from_slice(&body).unwrap())
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        }
    }));
    let asked = batch("crustdata.company", KeyKind::Domain, &["a.example", "b.example"]);
    let rotated = provider(&serve(refused).await, Rotating::new(&["old", "new"])).look_up_all(&asked).await.unwrap();
    assert!(rotated.iter().all(|reply| matches!(reply, Reply::Hit { .. })), "{rotated:?}");
    let unsent = provider(&place, Rotating::new(&[])).look_up_all(&asked).await.unwrap();
    assert!(matches!(&unsent[..], [Reply::NotSent { .. }, Reply::NotSent { .. }]), "{unsent:?}");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_may_be_answered_at_greater_length_than_one_call() {
    for (megabytes, is_read) in [(3, true), (9, false)] {
        let (place, _) = vendor(move |body| {
            let mut entries: Vec<Json> = body["domains"].as_array().unwrap().iter().map(company).collect();
            entries[0]["padding"] = "x".repeat(megabytes * 1024 * 1024).into();
            axum::Json(entries).into_response()
        })
        .await;
        let asked = batch("crustdata.company", KeyKind::Domain, &["a.example", "b.example"]);
        let replies = provider(&place, Rotating::new(&["s3cret"])).look_up_all(&asked).await.unwrap();
        assert_eq!(replies.iter().all(|reply| matches!(reply, Reply::Hit { .. })), is_read);
        assert_eq!(replies.iter().all(|reply| matches!(reply, Reply::Unreadable { .. })), !is_read);
    }
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_a_batch_in_time_timed_out_for_each() {
    let hangs = Router::new().fallback(any(|| async { tokio::time::sleep(Millis::minutes(1).to_std()).await }));
    let provider = provider(&serve(hangs).await, Rotating::new(&["s3cret"]));
    let asked = BatchRequest { timeout: Millis(100), ..batch("crustdata.company", KeyKind::Domain, &["a.example", "b.example"]) };
    assert_eq!(provider.look_up_all(&asked).await, Some(vec![Reply::TimedOut; 2]));
}

const GOOD: &str = r#"provider: acme
operation: company
family: acme
class: company
about: {primary_data: headcount, coverage: anvils, resale: forbidden}
timeout: 1s
request:
  method: POST
  base_url: https://api.acme.example
  path: /v1/company
price: {per_call: 0.1}
keys:
  domain: {body: {domain: "{{key}}"}}
batch:
  most: 100
  at_least: 10
  price: {per_call: 0.06}
  request: {path: /v1/companies}
  keys:
    domain: {list: companies, each: {domain: "{{key}}"}}
  answers: {list: $.companies, by: $.domain, hit: $.company, no_match: $.company}
reply:
  hit: $.company
  no_match: $.company
  fields:
    company.headcount: {path: $.size, as: number}
examples:
  - name: two
    batch: {domain: [a.example, b.example]}
    sends: {companies: [{domain: a.example}, {domain: b.example}]}
    body: {companies: [{domain: b.example, company: {size: 5}}, {domain: a.example, company: null}]}
    expect: {a.example: no_match, b.example: {company.headcount: 5}}
"#;

fn findings(text: &str) -> Vec<String> {
    let sources = Sources::new([("connectors/acme.company.yaml".to_owned(), text.to_owned())]);
    let found = match load(&sources, &Schema::default()) {
        Ok(connectors) => connectors.check_examples().err().unwrap_or_default(),
        Err(found) => found,
    };
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_right_batch_section_has_no_findings_and_its_terms_reach_the_plan() {
    assert_eq!(findings(GOOD), [""; 0]);
    let sources = Sources::new([("connectors/acme.company.yaml".to_owned(), GOOD.to_owned())]);
    let catalogue = load(&sources, &Schema::default()).unwrap().catalogue();
    let terms = catalogue["acme.company"].batch.as_ref().unwrap();
    assert_eq!((terms.most, terms.at_least, terms.price.per_call.micros(), &terms.keys[..]), (100, 10, 60_000, &[KeyKind::Domain][..]));
}

#[test]
fn the_example_in_the_guide_is_a_right_batch_section() {
    let guide = include_str!("../../../../docs/configuration.md").split("### Several keys in one request").nth(1).unwrap();
    let section = guide.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let (before, rest) = GOOD.split_once("batch:").unwrap();
    let (_, after) = rest.split_once("\nreply:").unwrap();
    assert_eq!(findings(&format!("{before}{section}reply:{after}")), [""; 0]);
}

#[test]
fn every_mistake_in_a_batch_section_has_its_line_and_says_what_to_write() {
    for (right, wrong, line, says) in [
        ("most: 100", "most: 1", 15, "1 is no batch; write how many keys"),
        ("at_least: 10", "at_least: 0", 16, "write 1 to 100"),
        ("at_least: 10", "at_least: 101", 16, "write 1 to 100"),
        ("per_call: 0.06", "per_call: 0.11", 17, "0.11 for an entry is more than the 0.1 that a call of its own costs"),
        ("path: /v1/companies", "path: v1/companies", 18, "from the first slash"),
        ("path: /v1/companies", "path: \"/v1/{{key}}\"", 18, "under `batch.request`"),
        ("path: /v1/companies", "query: {q: \"{{key}}\"}", 18, "under `batch.request`"),
        ("path: /v1/companies", "body: [fields]", 18, "a body is a mapping"),
        ("path: /v1/companies", "pth: /v1/companies", 18, "pth"),
        ("    domain: {list", "    company_name: {list", 20, "not asked by company_name; write domain"),
        ("each: {domain: \"{{key}}\"}", "each: {domain: x}", 20, "the key is not sent"),
        ("each: {domain: \"{{key}}\"}", "each: {domain: \"{{name}}\"}", 20, "only {{key}}"),
        ("list: $.companies", "list: companies", 21, "RFC 9535"),
        ("by: $.domain", "by: domain", 21, "RFC 9535"),
        ("method: POST", "method: POST\n  encoding: form", 16, "a form holds no list"),
        ("batch: {domain: [a.example, b.example]}", "batch: {}", 28, "one kind of key"),
        ("batch: {domain: [a.example, b.example]}", "batch: {company_name: [a.example, b.example]}", 28, "no batch form for company_name"),
        ("expect: {a.example: no_match,", "expect: {", 28, "for each key of `batch`"),
        ("{a.example: no_match,", "{a.example: unreadable,", 28, "example `two, key 1` is read as no_match"),
        ("{company.headcount: 5}}", "{company.headcount: 6}}", 28, "example `two, key 2`: company.headcount has another value"),
        ("{domain: a.example}, {domain: b.example}]", "{domain: a.example}]", 28, "something else is sent"),
        ("    batch: {domain: [a.example, b.example]}\n", "", 28, "only an example with `batch`"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let found = findings(&GOOD.replacen(right, wrong, 1));
        let place = format!("config/connectors/acme.company.yaml:{line}: ");
        assert!(found.iter().any(|finding| finding.starts_with(&place) && finding.contains(says)), "{wrong}: {found:#?}");
    }
}
