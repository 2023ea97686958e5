//! A look into the sandbox: what was asked, billed and written.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::html::escape;
use crate::{Billing, Contact, Sandbox};

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/_sandbox", get(page))
        .route("/_sandbox/contacts", get(contacts))
        .route("/_sandbox/requests", get(requests))
        .route("/_sandbox/billing", get(billing))
}

async fn contacts(State(sandbox): State<Sandbox>) -> Json<Vec<Contact>> {
    Json(sandbox.contacts())
}

async fn requests(State(sandbox): State<Sandbox>) -> Json<Value> {
    let calls = sandbox.books().calls();
    Json(json!({"endpoints": calls, "keys": sandbox.requests()}))
}

async fn billing(State(sandbox): State<Sandbox>) -> Json<Value> {
    let bills = sandbox.billing();
    let credits: u64 = bills.iter().map(|bill| bill.credits).sum();
    Json(json!({"credits": credits, "paid_calls": sandbox.paid_calls(), "endpoints": bills}))
}

/// Plain HTML, no script: it works in any browser and in a terminal.
async fn page(State(sandbox): State<Sandbox>) -> Html<String> {
    let calls = sandbox.books().calls();
    Html(format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Sandbox: invented vendors and CRM</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse; margin: 0 0 2rem }}
th, td {{ border: 1px solid #999; padding: .3rem .6rem; text-align: left; vertical-align: top }}
.notice {{ border-left: .4rem solid #b35c00; padding: .5rem 1rem; background: #fff4e5 }}
</style>
</head>
<body>
<h1>Sandbox</h1>
<p class=\"notice\"><strong>All people and companies here are invented.</strong>
This stands in for Crustdata, company websites and HubSpot; nothing leaves this machine and no credit is real.</p>
<h2>Contacts written to the CRM</h2>
{contacts}<h2>Requests</h2>
{requests}<h2>Billing</h2>
{billing}<p>As JSON: <a href=\"/_sandbox/contacts\">contacts</a>, <a href=\"/_sandbox/requests\">requests</a>,
<a href=\"/_sandbox/billing\">billing</a>.</p>
</body>
</html>
",
        contacts = contacts_table(&sandbox.contacts()),
        requests = table(&["endpoint", "requests"], calls.into_iter().map(|(name, count)| vec![name.to_owned(), count.to_string()])),
        billing = table(&["endpoint", "calls", "billed calls", "credits"], sandbox.billing().into_iter().map(bill_row)),
    ))
}

fn contacts_table(contacts: &[Contact]) -> String {
    if contacts.is_empty() {
        return "<p>None yet. Send a signup, then reload this page.</p>\n".to_owned();
    }
    let row = |contact: &Contact| {
        let email = contact.properties.get("email").cloned().unwrap_or_default();
        let others = contact.properties.iter().filter(|(name, _)| *name != "email" && !name.starts_with("hs_"));
        let properties: Vec<String> = others.map(|(name, value)| format!("{name}: {value}")).collect();
        vec![contact.id.clone(), email, properties.join("\n"), contact.updated_at.clone()]
    };
    table(&["id", "email", "properties", "updated"], contacts.iter().map(row))
}

fn bill_row(bill: Billing) -> Vec<String> {
    vec![bill.endpoint.to_owned(), bill.calls.to_string(), bill.billed_calls.to_string(), bill.credits.to_string()]
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut html = "<table>\n<tr>".to_owned();
    for head in heads {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{}</td>", escape(&cell).replace('\n', "<br>"));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
    html
}
