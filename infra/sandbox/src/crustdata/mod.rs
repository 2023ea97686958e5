//! Crustdata's current API (WIRE-FORMATS §1.1): person and company enrichment.
//!
//! What the vendor's documentation leaves open is settled here, **[M]**, so that the connector maps the same:
//!
//! | section | keys |
//! |---|---|
//! | `headcount` | `total` int, `growth_percent` number (percent) |
//! | `funding` | `total_investment_usd` int, `last_round_type` such as `"Series B"`, `last_fundraise_date` `YYYY-MM-DD` |
//! | `locations` | `hq_country` ISO 3166 alpha-2, `hq_state`, `hq_city` |
//! | `taxonomy` | `professional_network_industry`, `categories` (list) |
//! | `web_traffic` | `monthly_visitors` int, `growth_90d` fraction (`0.22` is +22 %) |
//! | `hiring` | `openings` int |
//! | `technographics` | `technologies`: lower-case words such as `"aws"`, `"kubernetes"` |
//! | `experience.employment_details.current[]` | also `seniority_level`: `CXO`, `VP`, `Director`, `Manager`, `Senior`, `Entry` |
//! | `social_handles` | `professional_network_identifier.profile_url` |
//! | `contact` | `business_emails` (list) |
//! | 429, 400, 403, 503 | `{"error":{"type","message","metadata"}}`, as the 402 that is documented |
//!
//! A fact that the vendor does not have is `null`. `names[]`, `crustdata_company_ids[]` and company profile URLs are
//! taken but never match.

mod call;
mod company;
mod person;
mod refusal;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::post;

use crate::Sandbox;
use call::Operation;

/// The key that opens the invented Crustdata.
pub const KEY: &str = "sandbox-crustdata-key";
/// A valid key whose account has no credits left: every call gets 402.
pub const EMPTY_KEY: &str = "sandbox-empty-key";

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new().route("/person/enrich", post(person_enrich)).route("/company/enrich", post(company_enrich))
}

async fn person_enrich(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    with_limits(call::answer(&sandbox, Operation::Person, &headers, &body).await)
}

async fn company_enrich(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    with_limits(call::answer(&sandbox, Operation::Company, &headers, &body).await)
}

/// The rate-limit headers that stand on every response; a 429 brought its own.
fn with_limits(mut response: Response) -> Response {
    for (name, value) in [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "999"), ("x-ratelimit-reset", "60")] {
        response.headers_mut().entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}
