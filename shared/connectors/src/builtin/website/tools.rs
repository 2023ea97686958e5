//! Tools by the hosts that their scripts come from.

use url::Url;

/// Script host, the tool's word, and whether it measures visitors.
const HOSTS: &[(&str, &str, bool)] = &[
    ("cdn.segment.com", "segment", true),
    ("google-analytics.com", "google_analytics", true),
    ("googletagmanager.com", "google_tag_manager", true),
    ("posthog.com", "posthog", true),
    ("plausible.io", "plausible", true),
    ("cdn.mxpnl.com", "mixpanel", true),
    ("cdn.amplitude.com", "amplitude", true),
    ("cdn.heapanalytics.com", "heap", true),
    ("static.hotjar.com", "hotjar", true),
    ("cdn.usefathom.com", "fathom", true),
    ("fullstory.com", "fullstory", true),
    ("widget.intercom.io", "intercom", false),
    ("js.intercomcdn.com", "intercom", false),
    ("js.stripe.com", "stripe", false),
    ("js.hs-scripts.com", "hubspot", false),
    ("js.hsforms.net", "hubspot", false),
    ("munchkin.marketo.net", "marketo", false),
    ("js.driftt.com", "drift", false),
    ("static.zdassets.com", "zendesk", false),
    ("client.crisp.chat", "crisp", false),
    ("cdn.shopify.com", "shopify", false),
    ("js.sentry-cdn.com", "sentry", false),
    ("browser.sentry-cdn.com", "sentry", false),
    ("static.cloudflareinsights.com", "cloudflare", false),
    ("assets.calendly.com", "calendly", false),
    ("cdn.auth0.com", "auth0", false),
];

/// The tools of a page.
#[derive(Default)]
pub(super) struct Found {
    pub(super) analytics: Vec<String>,
    /// All of them.
    pub(super) stack: Vec<String>,
}

/// Recognises tools by the addresses of a page's scripts.
pub(super) fn found(sources: &[String]) -> Found {
    let mut found = Found::default();
    for source in sources {
        let absolute = if source.starts_with("//") { format!("https:{source}") } else { source.clone() };
        let Some(host) = Url::parse(&absolute).ok().and_then(|url| url.domain().map(str::to_owned)) else { continue };
        let known = HOSTS.iter().find(|(suffix, ..)| host == *suffix || host.ends_with(&format!(".{suffix}")));
        let Some((_, tool, measures)) = known else { continue };
        found.stack.push((*tool).to_owned());
        if *measures {
            found.analytics.push((*tool).to_owned());
        }
    }
    found
}
