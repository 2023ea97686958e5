//! Tools by the hosts that their scripts come from. Only kinds of tools that a page shows: what a company builds with, it
//! does not, and a list of `company.tech_stack` without `aws` would say that AWS is not in it.

use domain::schema::Field;
use domain::value::Value;
use url::Url;

use super::{ANALYTICS, HELPDESK, MARKETING_AUTOMATION};

/// What a tool is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Analytics,
    Helpdesk,
    MarketingAutomation,
}

use Purpose::{Analytics, Helpdesk, MarketingAutomation};

/// Script host, the tool's word, and what it is for.
const HOSTS: &[(&str, &str, Purpose)] = &[
    ("cdn.segment.com", "segment", Analytics),
    ("google-analytics.com", "google_analytics", Analytics),
    ("googletagmanager.com", "google_tag_manager", Analytics),
    ("posthog.com", "posthog", Analytics),
    ("plausible.io", "plausible", Analytics),
    ("cdn.mxpnl.com", "mixpanel", Analytics),
    ("cdn.amplitude.com", "amplitude", Analytics),
    ("cdn.heapanalytics.com", "heap", Analytics),
    ("static.hotjar.com", "hotjar", Analytics),
    ("cdn.usefathom.com", "fathom", Analytics),
    ("fullstory.com", "fullstory", Analytics),
    ("widget.intercom.io", "intercom", Helpdesk),
    ("js.intercomcdn.com", "intercom", Helpdesk),
    ("static.zdassets.com", "zendesk", Helpdesk),
    ("client.crisp.chat", "crisp", Helpdesk),
    ("js.hs-scripts.com", "hubspot", MarketingAutomation),
    ("js.hsforms.net", "hubspot", MarketingAutomation),
    ("munchkin.marketo.net", "marketo", MarketingAutomation),
];

/// Recognises tools by the addresses of a page's scripts: all that measure visitors, and the first of each other kind.
pub(super) fn found(sources: &[String]) -> Vec<(Field, Value)> {
    let tools: Vec<(&str, Purpose)> = sources.iter().filter_map(|source| tool(source)).collect();
    let of = |purpose: Purpose| tools.iter().filter(move |(_, known)| *known == purpose).map(|(word, _)| *word);
    let mut facts = Vec::new();
    if of(Analytics).next().is_some() {
        facts.push((ANALYTICS, Value::list(of(Analytics))));
    }
    facts.extend(of(Helpdesk).next().map(|word| (HELPDESK, Value::text(word))));
    facts.extend(of(MarketingAutomation).next().map(|word| (MARKETING_AUTOMATION, Value::text(word))));
    facts
}

fn tool(source: &str) -> Option<(&'static str, Purpose)> {
    let absolute = if source.starts_with("//") { format!("https:{source}") } else { source.to_owned() };
    let url = Url::parse(&absolute).ok()?;
    let host = url.domain()?;
    let is_at = |place: &str| host.strip_suffix(place).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    HOSTS.iter().find(|(place, ..)| is_at(place)).map(|(_, word, purpose)| (*word, *purpose))
}
