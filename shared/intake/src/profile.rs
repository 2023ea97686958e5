//! Addresses of profiles, one form for each page, so that one person is one key however the address was copied.

use domain::identity::Domain;
use url::Url;

/// The longest address that is read, in bytes.
const URL_MAX_BYTES: usize = 512;

/// Sites whose paths are the same page in any case.
const CASELESS: &[&str] = &["linkedin.com", "github.com", "x.com"];

/// A person's own page (S3-52) as `https://host/path`, typed with or without its scheme: `linkedin.com/in/…` (or `/pub/…`),
/// and on GitHub, X and any other site a path of one segment. `None` for companies' pages, posts, repositories, and what is no
/// page at all, such as `n/a`.
pub(crate) fn person_url(text: &str) -> Option<String> {
    let page = Page::parse(text)?;
    let path: Vec<&str> = page.segments.iter().map(String::as_str).collect();
    match (page.host.as_str(), path.as_slice()) {
        ("linkedin.com", ["in", name, ..]) => Some(format!("https://linkedin.com/in/{name}")),
        // The old addresses name a person by all of their segments.
        ("linkedin.com", ["pub", name, ..]) if *name != "dir" => Some(format!("https://linkedin.com/{}", path.join("/"))),
        ("linkedin.com", _) => None,
        (host, [name]) => Some(format!("https://{host}/{name}")),
        _ => None,
    }
}

/// A company's LinkedIn page as `https://linkedin.com/company/…`, or `/school/…` or `/showcase/…`.
pub(crate) fn company_linkedin_url(text: &str) -> Option<String> {
    let page = Page::parse(text)?;
    let path: Vec<&str> = page.segments.iter().map(String::as_str).collect();
    match (page.host.as_str(), path.as_slice()) {
        ("linkedin.com", [kind @ ("company" | "school" | "showcase"), name, ..]) => Some(format!("https://linkedin.com/{kind}/{name}")),
        _ => None,
    }
}

/// The parts of an address that tell one page from another.
struct Page {
    host: String,
    /// The path's segments, none of them empty.
    segments: Vec<String>,
}

impl Page {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > URL_MAX_BYTES {
            return None;
        }
        let absolute = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&absolute).ok()?;
        let is_public = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        if !is_public || url.port().is_some() {
            return None;
        }
        let host = url.host_str()?.trim_end_matches('.');
        Domain::parse(host).ok()?;
        let host = site_of(host);
        let segments = url.path().split('/').filter(|segment| !segment.is_empty());
        let segments =
            if CASELESS.contains(&host) { segments.map(str::to_lowercase).collect() } else { segments.map(str::to_owned).collect() };
        Some(Self { host: host.to_owned(), segments })
    }
}

/// The host without what only chooses a language, a device or a former name.
fn site_of(host: &str) -> &str {
    let bare = host.strip_prefix("www.").unwrap_or(host);
    match bare {
        "twitter.com" | "mobile.twitter.com" | "mobile.x.com" => "x.com",
        country if country.ends_with(".linkedin.com") => "linkedin.com",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_52_a_profile_url_has_one_form_however_it_is_typed() {
        for (form, typed) in [
            (
                "https://linkedin.com/in/jane",
                &[
                    "https://www.linkedin.com/in/jane",
                    " www.LinkedIn.com/in/Jane/ ",
                    "http://de.linkedin.com/in/jane?trk=x#about",
                    "linkedin.com//in/jane/details/experience/",
                    "https://linkedin.com./in/jane/en",
                ][..],
            ),
            ("https://linkedin.com/pub/jane-doe/1/2a/3b", &["http://uk.linkedin.com/pub/Jane-Doe/1/2A/3b/"]),
            ("https://github.com/jane", &["github.com/Jane", "http://www.github.com/jane/?tab=stars"]),
            ("https://x.com/jane", &["x.com/jane", "https://twitter.com/Jane", "mobile.twitter.com/jane?s=20"]),
            ("https://acme.io/Jane", &["acme.io/Jane", "http://www.ACME.io/Jane/#top"]),
        ] {
            for text in typed {
                assert_eq!(person_url(text).as_deref(), Some(form), "{text}");
                assert_eq!(company_linkedin_url(text), None, "{text}");
            }
        }
    }

    #[test]
    fn the_linkedin_page_of_a_company_is_no_persons() {
        for (form, text) in [
            ("https://linkedin.com/company/acme", "https://www.linkedin.com/company/Acme/about/?trk=x"),
            ("https://linkedin.com/school/acme-u", "nl.linkedin.com/school/acme-u"),
            ("https://linkedin.com/showcase/anvils", "http://linkedin.com/showcase/anvils#top"),
        ] {
            assert_eq!(company_linkedin_url(text).as_deref(), Some(form), "{text}");
            assert_eq!(person_url(text), None, "{text}");
        }
    }

    #[test]
    fn a_page_that_is_nobodys_profile_names_nobody() {
        for text in [
            "https://acme.io/about/team",
            "https://github.com/jane/anvils",
            "https://x.com/jane/status/1",
            "https://linkedin.com/feed",
            "https://linkedin.com/in/",
            "https://linkedin.com/company/",
            "https://linkedin.com/pub/dir/jane",
            "https://linkedin.com.evil.io/in/jane",
        ] {
            assert_eq!((person_url(text), company_linkedin_url(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn what_is_no_page_of_a_site_is_no_profile_url() {
        let long = format!("https://x.com/{}", "a".repeat(600));
        let typed = [
            "",
            "n/a",
            "jane",
            "https://linkedin.com/",
            "javascript://x.com/%0aalert(1)",
            "https://u:p@x.com/a",
            "https://x.com:8443/a",
            "http://10.0.0.1/a",
            "ftp://x.com/a",
        ];
        for text in typed.into_iter().chain([long.as_str()]) {
            assert_eq!((person_url(text), company_linkedin_url(text)), (None, None), "{text}");
        }
    }
}
