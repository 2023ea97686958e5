//! The connectors against the sandbox, which plays the vendors as WIRE-FORMATS describes them.

use std::sync::Arc;

use async_trait::async_trait;
use connectors::{Egress, Endpoints, HubSpot};
use domain::identity::{Email, KeyKind};
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{BatchRequest, Crm as _, CrmReply, CrmWrite, Provider as _, SecretUnavailable, Secrets};
use sandbox::{Latency, Options, Sandbox};

use crate::world::{look_up, observations, provider, serve, tls, value};

struct Keys;

#[async_trait]
impl Secrets for Keys {
    async fn secret(&self, name: &str) -> Result<secrecy::SecretString, SecretUnavailable> {
        match name {
            "crustdata_api_key" => Ok(sandbox::CRUSTDATA_KEY.into()),
            "hubspot_token" => Ok(sandbox::HUBSPOT_TOKEN.into()),
            _ => Err(SecretUnavailable { name: name.to_owned(), why: "unknown".to_owned() }),
        }
    }

    async fn refresh(&self, _: &str) {}
}

async fn world() -> (Sandbox, String) {
    let sandbox = Sandbox::new(Options { seed: 1, latency: Latency::Off });
    let place = serve(sandbox.router()).await;
    (sandbox, place)
}

#[tokio::test]
async fn s3_54_s3_69_a_company_comes_by_its_domain() {
    let (sandbox, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    let company = observations(look_up(&provider, "crustdata.company", KeyKind::Domain, "northwind-grid.example").await);
    for (field, expected) in [
        ("company.domain", "northwind-grid.example"),
        ("company.headcount", "1200"),
        ("company.headcount_growth", "0.185"),
        ("company.funding_stage", "series_c"),
        ("company.last_funding_at", "2026-03-05"),
        ("company.country", "US"),
        ("company.traffic_trend_90d", "0.22"),
        ("company.hiring", "true"),
    ] {
        assert_eq!(value(&company, field).as_deref(), Some(expected), "{field}");
    }
    assert!(value(&company, "company.tech_stack").unwrap().contains("kubernetes"));
    assert_eq!(sandbox.paid_calls(), 1);
    let quiet = observations(look_up(&provider, "crustdata.company", KeyKind::Domain, "colossus-industries.example").await);
    assert_eq!(value(&quiet, "company.funding_stage"), None, "what a vendor does not have is absent");
}

#[tokio::test]
async fn s3_53_a_person_comes_by_their_address() {
    let (_, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    let person = observations(look_up(&provider, "crustdata.person", KeyKind::BusinessEmail, "dana.cho@northwind-grid.example").await);
    for (field, expected) in [
        ("contact.title", "VP Engineering"),
        ("contact.seniority", "vp"),
        ("contact.country", "US"),
        ("company.domain", "northwind-grid.example"),
    ] {
        assert_eq!(value(&person, field).as_deref(), Some(expected), "{field}");
    }
    assert!(value(&person, "contact.linkedin_url").is_some() && value(&person, "contact.tenure_months").is_some());
    let freelancer = observations(look_up(&provider, "crustdata.person", KeyKind::PersonalEmail, "mira.codes@gmail.com").await);
    assert!(value(&freelancer, "contact.full_name").is_some());
    assert_eq!(value(&freelancer, "company.domain"), None);
}

#[tokio::test]
async fn addresses_that_misbehave_get_their_replies() {
    let (_, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    for (domain, expected) in [
        ("nomatch.example", "NoMatch"),
        ("unlisted.example", "NoMatch"),
        ("alwayslimited.example", "RateLimited"),
        ("broken-acme.example", "Unreadable"),
        ("down.example", "Failed"),
        ("denied.example", "AuthFailed"),
    ] {
        let reply = look_up(&provider, "crustdata.company", KeyKind::Domain, domain).await;
        assert!(format!("{reply:?}").starts_with(expected), "{domain}: {reply:?}");
    }
}

#[tokio::test]
async fn s3_71_the_site_answers_for_a_company_that_no_vendor_lists() {
    let (_, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    let site = observations(look_up(&provider, "website", KeyKind::Domain, "unlisted.example").await);
    assert_eq!(value(&site, "company.website").as_deref(), Some("https://unlisted.example/"));
    assert!(value(&site, "company.name").unwrap().contains("(invented)"));
    assert!(value(&site, "company.description").is_some());
    assert_eq!(look_up(&provider, "website", KeyKind::Domain, "ghost.example").await, Reply::NoMatch);
}

#[tokio::test]
async fn s3_64_a_contact_is_created_once_and_updated_after() {
    let (sandbox, place) = world().await;
    let endpoints = Endpoints::new([("hubspot".to_owned(), format!("http://{place}/hubspot"))]).unwrap();
    let egress = Egress::new([place], tls()).unwrap();
    let write = |name: &str, value: &str, email: &str| CrmWrite {
        target: "hubspot".to_owned(),
        email: Email::parse(email).unwrap(),
        properties: [(name.to_owned(), value.to_owned())].into(),
        timeout: Millis::seconds(5),
    };
    for (path, created) in [(HubSpot::CONTACTS_PATH, true), ("/crm/v3/objects/contacts", false)] {
        let crm = HubSpot::new(&endpoints, path, egress.clone(), Arc::new(Keys)).unwrap();
        let reply = crm.upsert(&write("routing_track", "ae_queue", "jane@acme.example")).await;
        assert_eq!(reply, CrmReply::Written { external_id: "501".to_owned(), created });
    }
    let contacts = sandbox.contacts();
    assert_eq!((contacts.len(), contacts[0].properties["routing_track"].as_str()), (1, "ae_queue"));
    let crm = HubSpot::new(&endpoints, HubSpot::CONTACTS_PATH, egress, Arc::new(Keys)).unwrap();
    let limited = crm.upsert(&write("routing_track", "ae_queue", "crmlimited@acme.example")).await;
    assert_eq!(limited, CrmReply::RateLimited { retry_after: Millis::seconds(1) });
    assert!(matches!(crm.upsert(&write("routing_track", "x", "crmdown@acme.example")).await, CrmReply::Unavailable { .. }));
    let refused = crm.upsert(&write("BadName", "x", "jane@acme.example")).await;
    assert!(matches!(&refused, CrmReply::Refused { why } if why.contains("BadName")), "{refused:?}");
}

#[tokio::test]
async fn s3_72_s3_74_what_stands_in_public_about_a_domain_is_the_gates_evidence() {
    let (sandbox, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    for (domain, mail, exists, registered) in [
        ("hexa-labs.example", "true", "true", Some("2012-03-04")),
        ("nullmx.example", "false", "true", Some("2012-03-04")),
        ("newborn.example", "true", "true", Some("2199-01-01")),
        ("unregistered.example", "false", "false", None),
    ] {
        let told = observations(look_up(&provider, "dns", KeyKind::EmailDomain, domain).await);
        assert_eq!(value(&told, "email.mx_found").as_deref(), Some(mail), "{domain}");
        assert_eq!(value(&told, "email.domain_exists").as_deref(), Some(exists), "{domain}");
        match (registered, look_up(&provider, "rdap", KeyKind::EmailDomain, domain).await) {
            (None, reply) => assert_eq!(reply, Reply::NoMatch),
            (registered, reply) => assert_eq!(value(&observations(reply), "email.domain_registered_at").as_deref(), registered, "{domain}"),
        }
    }
    for (domain, mail) in [("nomail.example", "false"), ("ownmail.example", "true")] {
        let told = observations(look_up(&provider, "dns", KeyKind::EmailDomain, domain).await);
        assert_eq!((value(&told, "email.mx_found"), value(&told, "email.domain_exists").as_deref()), (None, Some("true")), "{domain}");
        let told = observations(look_up(&provider, "dns.address", KeyKind::EmailDomain, domain).await);
        assert_eq!(value(&told, "email.mx_found").as_deref(), Some(mail), "{domain}");
    }
    let asked: u64 = sandbox.requests().iter().filter(|request| request.endpoint == "rdap").map(|request| request.count).sum();
    assert_eq!(asked, 4, "the directory sends its callers on to the registry");
}

#[tokio::test]
async fn s4_33_the_sandbox_says_the_same_to_a_batch_as_to_each_of_its_keys() {
    let (sandbox, place) = world().await;
    let provider = provider(&place, Arc::new(Keys));
    let companies = ["northwind-grid.example", "nomatch-acme.example", "colossus-industries.example"];
    let people = ["dana.cho@northwind-grid.example", "nomatch@acme.example"];
    for (operation, kind, keys) in
        [("crustdata.company", KeyKind::Domain, &companies[..]), ("crustdata.person", KeyKind::BusinessEmail, &people[..])]
    {
        let mut single = Vec::new();
        for key in keys {
            single.push(look_up(&provider, operation, kind, key).await);
        }
        let (calls, credits) = billed(&sandbox, operation);
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let batch = BatchRequest { operation: operation.to_owned(), kind, keys, now: crate::world::NOW, timeout: Millis::seconds(5) };
        assert_eq!(provider.look_up_all(&batch).await, Some(single));
        assert_eq!(billed(&sandbox, operation), (calls + 1, 2 * credits), "one request, and as many credits");
    }
}

/// The requests to an operation and what they cost.
fn billed(sandbox: &Sandbox, operation: &str) -> (u64, u64) {
    let bill = sandbox.billing().into_iter().find(|bill| bill.endpoint == operation).unwrap();
    (bill.calls, bill.credits)
}
