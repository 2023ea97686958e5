//! Facts out of one page of HTML. A page tells what it mentions; what it does not mention stays unknown.

use domain::identity::Domain;
use domain::schema::Field;
use domain::value::Value;
use url::Url;

use super::markup::Markup;
use super::tools;
use super::{CMS, DESCRIPTION, FACEBOOK, LINKEDIN, NAME, SOC2, SSO, TWITTER};
use crate::normalise::{single_spaced, word};

/// Longer names are slogans.
const NAME_MAX_CHARS: usize = 80;
const DESCRIPTION_MAX_CHARS: usize = 500;
/// What stands between the parts of a title.
const TITLE_BREAKS: &[&str] = &[" | ", " - ", " – ", " — ", " · ", ": "];

/// What the page says, in order of its fields.
pub(super) fn read(html: &str, domain: &Domain) -> Vec<(Field, Value)> {
    let page = Markup::read(html);
    let mut facts: Vec<(Field, Value)> = Vec::new();
    let texts = [
        (NAME, name(&page, domain)),
        (DESCRIPTION, meta(&page, "description").map(|text| text.chars().take(DESCRIPTION_MAX_CHARS).collect())),
        (CMS, meta(&page, "generator").and_then(|text| generator(&text))),
    ];
    facts.extend(texts.into_iter().filter_map(|(field, text)| Some((field, Value::text(text?)))));
    facts.extend(profiles(&page));
    facts.extend(tools::found(&page.scripts));
    let mentions = mentions(&page);
    let security = [(SSO, mentions.sso), (SOC2, mentions.soc2)];
    facts.extend(security.into_iter().filter(|(_, is_mentioned)| *is_mentioned).map(|(field, _)| (field, Value::Bool(true))));
    facts
}

/// A `<meta>` by its name or property, whatever their case.
fn meta(page: &Markup, name: &str) -> Option<String> {
    let (_, content) = page.metas.iter().find(|(given, _)| given.eq_ignore_ascii_case(name))?;
    readable(content)
}

/// Text with single blanks; `None` when it is empty or was written in an encoding that we do not read.
fn readable(text: &str) -> Option<String> {
    let text = single_spaced(text).into_owned();
    (!text.is_empty() && !text.contains('\u{fffd}')).then_some(text)
}

fn name(page: &Markup, domain: &Domain) -> Option<String> {
    let name = meta(page, "og:site_name").or_else(|| title_part(page, domain))?;
    (name.chars().count() <= NAME_MAX_CHARS).then_some(name)
}

/// The part of the title that the domain is named after, else the first.
fn title_part(page: &Markup, domain: &Domain) -> Option<String> {
    let title = readable(page.title.as_ref()?)?;
    let mut parts = vec![title.as_str()];
    for separator in TITLE_BREAKS {
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    let label = domain.as_str().split('.').next().unwrap_or_default().replace('-', "");
    let is_label = |part: &&&str| word(part).is_some_and(|folded| folded.replace('_', "").contains(&label));
    let part = parts.iter().find(is_label).or_else(|| parts.first())?;
    readable(part)
}

/// `WordPress 6.4.2` is `wordpress`.
fn generator(text: &str) -> Option<String> {
    let is_version = |part: &str| part.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = text.split([' ', ';', ',', '(']).take_while(|part| !is_version(part)).take(3).collect();
    word(&words.join(" "))
}

/// Links to the company's own profiles.
fn profiles(page: &Markup) -> Vec<(Field, Value)> {
    let links: Vec<Url> = page.links.iter().filter_map(|link| Url::parse(link).ok()).collect();
    let find = |is_profile: fn(&str, &[&str]) -> bool| {
        links.iter().find_map(|link| {
            let host = link.domain()?.trim_start_matches("www.");
            let segments: Vec<&str> = link.path().split('/').filter(|segment| !segment.is_empty()).collect();
            let is_plain = matches!(link.scheme(), "http" | "https") && link.username().is_empty();
            (is_plain && is_profile(host, &segments)).then(|| format!("https://{host}/{}", segments.join("/")))
        })
    };
    let found = [(LINKEDIN, find(is_linkedin)), (TWITTER, find(is_twitter)), (FACEBOOK, find(is_facebook))];
    found.into_iter().filter_map(|(field, url)| Some((field, Value::text(url?)))).collect()
}

fn is_linkedin(host: &str, path: &[&str]) -> bool {
    (host == "linkedin.com" || host.ends_with(".linkedin.com")) && matches!(path, ["company" | "showcase" | "school", _])
}

fn is_twitter(host: &str, path: &[&str]) -> bool {
    let is_page = |name: &str| !matches!(name, "share" | "intent" | "home" | "search" | "hashtag" | "i");
    matches!(host, "twitter.com" | "x.com" | "mobile.twitter.com") && matches!(path, [name] if is_page(name))
}

fn is_facebook(host: &str, path: &[&str]) -> bool {
    let is_page = |name: &str| !matches!(name, "sharer" | "sharer.php" | "dialog" | "tr" | "plugins" | "login");
    matches!(host, "facebook.com" | "m.facebook.com") && matches!(path, [name] if is_page(name))
}

#[derive(Default)]
struct Mentions {
    sso: bool,
    soc2: bool,
}

/// What the page's text mentions.
fn mentions(page: &Markup) -> Mentions {
    let folded = word(&page.text).unwrap_or_default();
    let has = |phrase: &str| format!("_{folded}_").contains(&format!("_{phrase}_"));
    Mentions { sso: has("sso") || has("saml") || has("single_sign_on"), soc2: has("soc_2") || has("soc2") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(html: &str) -> Vec<(String, String)> {
        let domain = Domain::parse("acme.io").unwrap();
        read(html, &domain).into_iter().map(|(field, value)| (field.to_string(), value.to_string())).collect()
    }

    fn fact(html: &str, field: &str) -> Option<String> {
        facts(html).into_iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    #[test]
    fn s3_71_an_empty_page_tells_nothing() {
        for html in ["", "<html></html>", "<title> </title><meta name=description content=''>", "\u{0}\u{1}<<<>>>"] {
            assert_eq!(facts(html), [], "{html}");
        }
    }

    #[test]
    fn the_name_is_the_part_of_the_title_that_the_domain_is_named_after() {
        assert_eq!(fact("<title>The best anvils | Acme</title>", "company.name").as_deref(), Some("Acme"));
        assert_eq!(fact("<title>Home - Anvils</title>", "company.name").as_deref(), Some("Home"));
        let both = "<title>Acme: Anvils</title><meta property='og:site_name' content='Acme Works'>";
        assert_eq!(fact(both, "company.name").as_deref(), Some("Acme Works"));
    }

    #[test]
    fn share_buttons_and_people_are_no_company_profiles() {
        let shares = "<a href='https://twitter.com/intent/tweet'>t</a><a href='https://www.facebook.com/sharer/sharer.php?u=x'>f</a>\
                      <a href='https://www.linkedin.com/in/jane'>l</a><a href='https://notlinkedin.com/company/x'>x</a>";
        assert_eq!(facts(shares), []);
        let own = "<a href='http://www.linkedin.com/company/acme/?trk=x'>l</a>";
        assert_eq!(fact(own, "company.linkedin_url").as_deref(), Some("https://linkedin.com/company/acme"));
    }

    #[test]
    fn security_is_true_or_unknown_never_false() {
        assert_eq!(fact("<p>We support SAML.</p>", "company.sso").as_deref(), Some("true"));
        assert_eq!(fact("<p>SOC&nbsp;2 Type II</p>", "company.soc2").as_deref(), Some("true"));
        assert_eq!(facts("<p>An association, professors</p><script>let sso = 'SOC 2'</script>"), []);
    }

    #[test]
    fn versions_do_not_belong_to_a_cms() {
        assert_eq!(fact("<meta name=generator content='WordPress 6.4.2; ad'>", "company.cms").as_deref(), Some("wordpress"));
    }

    #[test]
    fn scripts_tell_of_tools_by_kind_and_never_of_a_whole_tech_stack() {
        let html = "<script src='https://cdn.segment.com/a.js'></script><script src='//js.stripe.com/v3/'></script>\
                    <script src='https://widget.intercom.io/w'></script><script src='//js.hs-scripts.com/1.js'></script>\
                    <script src='https://eu.posthog.com/p.js'></script><script src='https://static.zdassets.com/z.js'></script>";
        let expected =
            [("company.analytics", "posthog, segment"), ("company.helpdesk", "intercom"), ("company.marketing_automation", "hubspot")];
        assert_eq!(facts(html), expected.map(|(field, value)| (field.to_owned(), value.to_owned())));
        assert!(facts("<script src='https://js.stripe.com/v3/'></script>").is_empty());
        assert!(crate::builtin::website::SUPPLIES.iter().all(|field| field.as_str() != "company.tech_stack"));
    }

    #[test]
    fn text_in_another_encoding_is_not_taken() {
        let html = String::from_utf8_lossy(b"<title>M\xfcller</title>").into_owned();
        assert_eq!(facts(&html), []);
    }
}
