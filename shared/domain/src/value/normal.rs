//! Normal forms: when two sources that write differently say the same (DESIGN §4).

use crate::identity::{Email, Phone};
use crate::schema::FieldKind;

/// The normal form of a text for a field of this kind. Diacritics stay as they are: `José` and `Jose` may be two people.
pub(super) fn of_text(text: &str, kind: FieldKind) -> String {
    match kind {
        FieldKind::CompanyName => company_name(text),
        FieldKind::Title => title(text),
        FieldKind::Url => url(text),
        FieldKind::Domain => domain(text),
        FieldKind::Email => Email::parse(text).map_or_else(|_| fold(text), |email| email.expose().to_owned()),
        FieldKind::Phone => Phone::parse(text).map_or_else(|_| fold(text), |phone| phone.expose().to_owned()),
        FieldKind::Date => day(text),
        FieldKind::Word => word(text),
        FieldKind::Text | FieldKind::Number | FieldKind::Bool | FieldKind::List => fold(text),
    }
}

/// Lower case, single spaces.
pub(crate) fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What a company is by law, as the end of its name says it.
#[rustfmt::skip] // one form a line would say no more
const LEGAL_FORMS: &[&str] = &[
    "a/s", "ab", "ag", "aps", "asa", "bhd", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated",
    "kg", "kgaa", "limited", "llc", "llp", "lp", "ltd", "ltda", "nv", "ohg", "oy", "oyj", "pbc", "plc", "pllc", "pte", "pty",
    "pvt", "sa", "sarl", "sas", "sdn", "se", "sl", "spa", "srl", "sro", "ug",
];

/// `Acme GmbH & Co. KG` is `acme`: legal forms at the end do not count, however many there are.
fn company_name(name: &str) -> String {
    let folded = fold(&name.replace(',', " ").replace('.', "").replace('&', " and "));
    let mut words: Vec<&str> = folded.split(' ').collect();
    let mut is_shortened = drop_spelt_form(&mut words);
    while let [_, .., last] = words.as_slice() {
        // What joined a form to the name goes with it: `Miller & Co`.
        if !LEGAL_FORMS.contains(last) && (*last != "and" || !is_shortened) {
            break;
        }
        is_shortened = true;
        words.pop();
    }
    words.join(" ")
}

/// Drops a form that is written letter by letter, `B. V.`; says whether there was one.
fn drop_spelt_form(words: &mut Vec<&str>) -> bool {
    let letters = words.iter().rev().take_while(|word| word.chars().count() == 1).count();
    let (name, spelt) = words.split_at(words.len() - letters);
    let is_form = letters > 1 && !name.is_empty() && LEGAL_FORMS.contains(&spelt.concat().as_str());
    if is_form {
        words.truncate(words.len() - letters);
    }
    is_form
}

/// Other words for the same in a job title.
const TITLE_WORDS: &[(&str, &str)] = &[
    ("dir", "director"),
    ("engr", "engineer"),
    ("jr", "junior"),
    ("mgr", "manager"),
    ("snr", "senior"),
    ("sr", "senior"),
    ("cofounder", "co founder"),
];

/// Words of a title that say nothing: `VP of Engineering` is `VP, Engineering`.
const TITLE_FILLERS: &[&str] = &["and", "of", "the"];

/// Phrases of a title, longest first, after the single words were replaced.
const TITLE_PHRASES: &[(&str, &str)] = &[
    ("chief information security officer", "ciso"),
    ("chief human resources officer", "chro"),
    ("chief executive officer", "ceo"),
    ("chief financial officer", "cfo"),
    ("chief information officer", "cio"),
    ("chief marketing officer", "cmo"),
    ("chief operating officer", "coo"),
    ("chief product officer", "cpo"),
    ("chief revenue officer", "cro"),
    ("chief technical officer", "cto"),
    ("chief technology officer", "cto"),
    ("executive vice president", "evp"),
    ("senior vice president", "svp"),
    ("executive vp", "evp"),
    ("senior vp", "svp"),
    ("vice president", "vp"),
];

/// `Vice President, Engineering` is `vp engineering`; the order of the words stays.
pub(crate) fn title(text: &str) -> String {
    let lower = text.to_lowercase().replace('.', "");
    let words = lower.split(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#')).filter(|word| !word.is_empty());
    let known = words.filter(|word| !TITLE_FILLERS.contains(word));
    let written_out = known.map(|word| TITLE_WORDS.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| *long));
    // Spaces at both ends keep the phrases to whole words.
    let mut folded = format!(" {} ", written_out.collect::<Vec<_>>().join(" "));
    for (phrase, short) in TITLE_PHRASES {
        if folded.contains(phrase) {
            folded = folded.replace(&format!(" {phrase} "), &format!(" {short} "));
        }
    }
    let folded = folded.trim();
    if folded.is_empty() { fold(text) } else { folded.to_owned() }
}

/// Parameters of an address that say where a visitor came from and not which page it is.
const TRACKING: &[&str] = &["fbclid", "gclid", "igshid", "mc_cid", "mc_eid", "msclkid", "originalsubdomain", "ref", "trk", "trkinfo"];

/// Without scheme, `www.`, usual port, last slash, fragment and tracking; what else is asked stays, in order.
fn url(url: &str) -> String {
    let folded = fold(url);
    let rest = folded.split_once("://").map_or(folded.as_str(), |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let (page, query) = rest.split_once('?').unwrap_or((rest, ""));
    let page = page.strip_prefix("www.").unwrap_or(page);
    let (host, path) = page.split_at(page.find('/').unwrap_or(page.len()));
    let host = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host);
    let is_tracking = |name: &str| name.starts_with("utm_") || TRACKING.contains(&name);
    let mut asked: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(name_of(pair))).collect();
    asked.sort_unstable();
    let page = format!("{host}{}", path.trim_end_matches('/'));
    if asked.is_empty() { page } else { format!("{page}?{}", asked.join("&")) }
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// The exact host in ASCII form, without `www.`: `careers.acme.io` is not `acme.io`.
fn domain(text: &str) -> String {
    let folded = fold(text);
    let rest = folded.split_once("://").map_or(folded.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().trim().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    if host.contains(' ') {
        return folded; // no host
    }
    idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned())
}

/// The day of a date or time, as written: no clock of another place is reckoned with.
fn day(text: &str) -> String {
    let text = text.trim();
    if super::is_date(text) { text.chars().take(10).collect() } else { fold(text) }
}

/// Ranges in one spelling: `50–200 employees` is `50-200`, `10,001+` is `10001+`; other words as they are.
fn word(text: &str) -> String {
    let folded = fold(text);
    if !folded.contains(|c: char| c.is_ascii_digit()) {
        return folded;
    }
    let range = folded.trim_end_matches(" employees").trim_end_matches(" people").replace(['–', '—'], "-").replace(" to ", "-");
    let range = range.replace(" or more", "+").replace([' ', ','], "");
    let is_range = range.contains(['-', '+']) && range.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'));
    if is_range { range } else { folded }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The kinds whose normal form is more than [`fold`].
    const KINDS: &[FieldKind] = &[
        FieldKind::CompanyName,
        FieldKind::Title,
        FieldKind::Url,
        FieldKind::Domain,
        FieldKind::Email,
        FieldKind::Phone,
        FieldKind::Date,
        FieldKind::Word,
    ];

    fn assert_same(kind: FieldKind, spellings: &[&str]) {
        for other in &spellings[1..] {
            assert_eq!(of_text(spellings[0], kind), of_text(other, kind), "{} and {other}", spellings[0]);
        }
    }

    fn assert_apart(kind: FieldKind, one: &str, other: &str) {
        assert_ne!(of_text(one, kind), of_text(other, kind), "{one} and {other}");
    }

    #[test]
    fn company_names_agree_without_their_legal_forms() {
        assert_same(FieldKind::CompanyName, &["Acme, Inc.", "ACME", "Acme,Inc", "acme Co., Ltd.", "Acme B. V.", "Acme GmbH & Co. KG"]);
        assert_same(FieldKind::CompanyName, &["Miller & Sons", "Miller and Sons Ltd", "Miller  AND Sons S.A."]);
        assert_same(FieldKind::CompanyName, &["Tiffany & Co.", "Tiffany and Company"]);
        assert_eq!(of_text("Co", FieldKind::CompanyName), "co", "a name is never folded away");
        assert_eq!(of_text("S. A.", FieldKind::CompanyName), "s a", "nor one of letters");
        assert_apart(FieldKind::CompanyName, "Café Noir", "Cafe Noir");
        assert_apart(FieldKind::CompanyName, "Inc Media", "Media");
    }

    #[test]
    fn titles_agree_whatever_the_fashion() {
        assert_same(FieldKind::Title, &["VP of Engineering", "vp engineering", "Vice President, Engineering", "V.P. Engineering"]);
        assert_same(FieldKind::Title, &["Sr. Vice-President of Sales", "SVP Sales", "Senior Vice President (Sales)"]);
        assert_same(FieldKind::Title, &["Co-Founder & CEO", "Cofounder / Chief Executive Officer", "Co Founder, CEO"]);
        assert_same(FieldKind::Title, &["Chief Technology Officer", "CTO", "Chief Technical Officer"]);
        assert_apart(FieldKind::Title, "Director of Sales", "Sales Director"); // the order of the words stays
        assert_apart(FieldKind::Title, "C++ Engineer", "C# Engineer");
        assert_eq!(of_text("The", FieldKind::Title), "the", "a title is never folded away");
    }

    #[test]
    fn addresses_agree_whatever_their_dress() {
        assert_same(
            FieldKind::Url,
            &["http://www.linkedin.com/in/Jane/?trk=x", "linkedin.com/in/jane", "https://linkedin.com:443/in/jane#top"],
        );
        assert_same(FieldKind::Url, &["acme.io/p?id=5&utm_source=x&a=1", "acme.io/p/?a=1&id=5"]);
        assert_apart(FieldKind::Url, "acme.io/p?id=5", "acme.io/p?id=6");
        assert_same(FieldKind::Domain, &["acme.io", "https://www.Acme.io/about", "acme.io.", "acme.io:443"]);
        assert_same(FieldKind::Domain, &["müller.example", "xn--mller-kva.example"]);
        assert_apart(FieldKind::Domain, "careers.acme.io", "acme.io");
        assert_same(FieldKind::Email, &["Jane@ACME.io", " jane@acme.io "]);
        assert_same(FieldKind::Phone, &["+1 (512) 555-0100", "+15125550100", "+1.512.555.0100"]);
    }

    #[test]
    fn s4_18_ranges_and_days_agree_in_any_spelling() {
        assert_same(FieldKind::Word, &["50-200", "50-200 employees", "50–200", "50 to 200 people", "50 - 200"]);
        assert_same(FieldKind::Word, &["10001+", "10,001+ employees", "10001 or more"]);
        assert_apart(FieldKind::Word, "51-200", "50-200");
        assert_apart(FieldKind::Word, "series_a", "series_b");
        assert_same(FieldKind::Date, &["2026-04-18", "2026-04-18T12:34:56Z", "2026-04-18 01:00"]);
        assert_apart(FieldKind::Date, "2026-04-18", "2026-04-19");
    }

    proptest! {
        #[test]
        fn case_never_counts(text in "[A-Za-z0-9 .,&/?=:+@–-]{0,24}", kind in prop::sample::select(KINDS)) {
            prop_assert_eq!(of_text(&text.to_ascii_uppercase(), kind), of_text(&text.to_ascii_lowercase(), kind));
        }

        #[test]
        fn no_text_makes_a_normal_form_panic(text in "\\PC{0,40}", kind in prop::sample::select(KINDS)) {
            prop_assert!(of_text(&text, kind).len() <= 8 * text.len() + 8, "nor grow without bound");
        }
    }
}
