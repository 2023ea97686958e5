//! What a company's home page says (S3-71): the answer for companies that no vendor knows yet.

mod markup;
mod page;
mod tools;

use domain::identity::Domain;
use domain::observation::Basis;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::Field;
use domain::units::Timestamp;
use domain::value::Value;
use http::header;
use pipeline::ports::LookupRequest;
use url::Url;

use super::observation;
use crate::answer::{failed, of_failure, rate_limited};
use crate::egress::{Answer, Egress, Failure};
use crate::endpoints::Endpoints;

const WEBSITE: Field = Field::known("company.website");
const NAME: Field = Field::known("company.name");
const DESCRIPTION: Field = Field::known("company.description");
const LINKEDIN: Field = Field::known("company.linkedin_url");
const TWITTER: Field = Field::known("company.twitter");
const FACEBOOK: Field = Field::known("company.facebook");
const CMS: Field = Field::known("company.cms");
const ANALYTICS: Field = Field::known("company.analytics");
const HELPDESK: Field = Field::known("company.helpdesk");
const MARKETING_AUTOMATION: Field = Field::known("company.marketing_automation");
const SSO: Field = Field::known("company.sso");
const SOC2: Field = Field::known("company.soc2");

pub(super) const SUPPLIES: &[Field] =
    &[WEBSITE, NAME, DESCRIPTION, LINKEDIN, TWITTER, FACEBOOK, CMS, ANALYTICS, HELPDESK, MARKETING_AUTOMATION, SSO, SOC2];

/// Fetches and reads the home page of the domain that the key names.
pub(crate) async fn look_up(egress: &Egress, endpoints: &Endpoints, operation: &Operation, request: &LookupRequest) -> Reply {
    let Ok(domain) = Domain::parse(&request.key.value) else {
        return failed("the key is no registrable domain");
    };
    let Some(url) = endpoints.home_page(domain.as_str()) else {
        return failed("the domain makes no URL");
    };
    match egress.page(url, request.timeout.to_std()).await {
        Ok(page) => read(operation, &domain, &page.url, &page.answer, request.now),
        Err(Failure::NoSuchName) => Reply::NoMatch,
        Err(failure) => of_failure(failure),
    }
}

/// A recorded page, taken to stand at its own domain.
pub(super) fn read_example(operation: &Operation, key: &str, answer: &Answer, now: Timestamp) -> Reply {
    let (Ok(domain), Ok(url)) = (Domain::parse(key), Url::parse(&format!("https://{key}/"))) else {
        return failed("the key is no registrable domain");
    };
    read(operation, &domain, &url, answer, now)
}

fn read(operation: &Operation, domain: &Domain, url: &Url, answer: &Answer, now: Timestamp) -> Reply {
    match answer.status {
        200..=299 => {}
        404 | 410 => return Reply::NoMatch,
        429 => return rate_limited(answer, None, now),
        status => return failed(format!("the site answered {status}")),
    }
    if !is_page(answer) {
        return Reply::NoMatch; // the site is up and has nothing to read
    }
    let facts = page::read(&String::from_utf8_lossy(&answer.body), domain);
    let (website, basis) = website(domain, url);
    let mut observations = vec![observation(operation, &WEBSITE, Value::text(website), basis, now)];
    observations.extend(facts.into_iter().map(|(field, value)| observation(operation, &field, value, Basis::Inferred, now)));
    Reply::Hit { observations }
}

fn is_page(answer: &Answer) -> bool {
    let written = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    written.is_none_or(|kind| kind.to_lowercase().contains("html"))
}

/// The site's address. It is only inferred when we were sent on to another company's domain.
fn website(domain: &Domain, url: &Url) -> (String, Basis) {
    let own = format!("https://{domain}/");
    // A stand-in for the web has an address instead of a name, and says nothing about where the site is.
    let Some(reached) = url.host_str().and_then(|host| Domain::parse(host).ok()) else {
        return (own, Basis::Stated);
    };
    let found = format!("{}://{}/", url.scheme(), url.host_str().unwrap_or_default());
    if reached == *domain { (found, Basis::Stated) } else { (found, Basis::Inferred) }
}
