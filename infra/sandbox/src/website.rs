//! The companies' own home pages: `GET /websites/{domain}/`.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::books::Endpoint;
use crate::html::escape;
use crate::universe::{Company, Site};
use crate::{Sandbox, pace};

/// Keeps a browser that opens an invented page from loading the real scripts that it names.
const NOTHING_LOADS: &str = "default-src 'none'";

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new().route("/websites/{domain}/", get(home))
}

async fn home(State(sandbox): State<Sandbox>, Path(domain): Path<String>) -> Response {
    sandbox.books().note(Endpoint::Website, &[domain.trim().to_lowercase()]);
    sandbox.pace().wait(pace::WEBSITE).await;
    let company = sandbox.universe().company(&domain);
    let Some((company, site)) = company.as_ref().and_then(|company| Some((company, company.site.as_ref()?))) else {
        return (StatusCode::NOT_FOUND, "no such site").into_response();
    };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, NOTHING_LOADS)];
    (headers, page(company, site)).into_response()
}

fn page(company: &Company, site: &Site) -> String {
    let name = escape(&company.name);
    let industry = escape(company.industry.unwrap_or("Business"));
    let scripts: String = site.scripts.iter().map(|source| format!("  <script async src=\"{source}\"></script>\n")).collect();
    let security = if site.security { "    <a href=\"/security\">Security: SOC 2 Type II, SSO with SAML</a>\n" } else { "" };
    let handle = escape(&company.handle());
    let generator = site.generator;
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
  <meta charset=\"utf-8\">
  <title>{name}: {industry}</title>
  <meta property=\"og:site_name\" content=\"{name}\">
  <meta name=\"description\" content=\"{name} is a company in {industry}. It exists only in a sandbox.\">
  <meta name=\"generator\" content=\"{generator}\">
{scripts}</head>
<body>
  <h1>{name}</h1>
  <p>This company and everybody in it are invented.</p>
  <footer>
    <a href=\"https://www.linkedin.com/company/{handle}\">LinkedIn</a>
    <a href=\"https://twitter.com/{handle}\">Twitter</a>
{security}  </footer>
</body>
</html>
"
    )
}
