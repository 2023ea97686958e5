//! What people type, made harmless: trimmed, without control characters, of bounded length.

use domain::identity::Domain;
use url::Url;

/// The longest text kept of a field, in characters; the rest is cut off.
const TEXT_MAX_CHARS: usize = 512;

/// Trims, turns line breaks and tabs into spaces, drops other control characters (NUL among them), and cuts at 512 characters.
/// Empty is `None`.
pub(crate) fn clean(text: &str) -> Option<String> {
    let harmless = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    let kept: String = harmless.take(TEXT_MAX_CHARS).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Reads a profile's URL, with or without its scheme, and gives it as `https://host/path` without query, fragment or last
/// slash. `None` for what is no page of a site, such as `n/a` or a bare user name.
pub(crate) fn profile_url(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > TEXT_MAX_CHARS {
        return None;
    }
    let absolute = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&absolute).ok()?;
    let is_public = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let host = url.host_str()?;
    Domain::parse(host).ok()?;
    let path = url.path().trim_end_matches('/');
    (is_public && !path.is_empty()).then(|| format!("https://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_control_characters_are_dropped() {
        assert_eq!(clean("  Acme\u{0} Inc\u{7f}\r\n"), Some("Acme Inc".into()));
        assert_eq!(clean("Jane\nDoe"), Some("Jane Doe".into()));
        assert_eq!(clean(" \u{0}\t "), None);
        assert_eq!(clean(""), None);
    }

    #[test]
    fn text_is_cut_at_512_characters_not_bytes() {
        assert_eq!(clean(&"é".repeat(1_000_000)).unwrap(), "é".repeat(512));
    }

    #[test]
    fn s3_52_a_profile_url_has_one_form_however_it_is_typed() {
        let typed = ["https://www.linkedin.com/in/jane", "www.LinkedIn.com/in/jane/", "http://www.linkedin.com/in/jane?trk=x#about"];
        for text in typed {
            assert_eq!(profile_url(text).as_deref(), Some("https://www.linkedin.com/in/jane"), "{text}");
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
            "http://10.0.0.1/a",
            "ftp://x.com/a",
        ];
        for text in typed.into_iter().chain([long.as_str()]) {
            assert_eq!(profile_url(text), None, "{text}");
        }
    }
}
