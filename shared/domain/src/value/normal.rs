//! Normal forms: when two sources that write differently say the same (DESIGN §4).

use std::borrow::Cow;

use crate::identity::{Email, Phone};
use crate::schema::FieldKind;

/// The normal form of a text for a field of this kind. Diacritics stay as they are: `José` and `Jose` may be two people.
pub(crate) fn of_text(text: &str, kind: FieldKind) -> Cow<'_, str> {
    match kind {
        FieldKind::CompanyName => Cow::Owned(company_name(text)),
        FieldKind::Title => Cow::Owned(title(text)),
        FieldKind::Url => Cow::Owned(url(text)),
        FieldKind::Domain => Cow::Owned(domain(text)),
        FieldKind::Email => Email::parse(text).map_or_else(|_| fold(text), |email| Cow::Owned(email.expose().to_owned())),
        FieldKind::Phone => Phone::parse(text).map_or_else(|_| fold(text), |phone| Cow::Owned(phone.expose().to_owned())),
        FieldKind::Date => day(text),
        FieldKind::Word => word(text),
        FieldKind::Text | FieldKind::Number | FieldKind::Bool | FieldKind::List => fold(text),
    }
}

/// Lower case, single spaces.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if is_folded(text) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    if folded.is_ascii() {
        folded.make_ascii_lowercase();
        return Cow::Owned(folded);
    }
    Cow::Owned(folded.to_lowercase())
}

/// Whether folding would leave a text as it is. Beyond ASCII that is not looked into.
fn is_folded(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        let is_other_blank = byte.is_ascii_whitespace() || byte == b'\x0b';
        if !byte.is_ascii() || byte.is_ascii_uppercase() || (is_other_blank && (byte != b' ' || before == b' ')) {
            return false;
        }
        before = byte;
    }
    before != b' ' || text.is_empty()
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
    let has_marks = name.contains([',', '.', '&']);
    let plain = if has_marks { Cow::Owned(name.replace(',', " ").replace('.', "").replace('&', " and ")) } else { Cow::Borrowed(name) };
    let folded = fold(&plain);
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

/// Phrases of a title behind the word that they end with, longer ones first, after the single words were replaced.
const TITLE_PHRASES: &[(&str, &[(&str, &str)])] = &[
    (
        "officer",
        &[
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
        ],
    ),
    ("president", &[("executive vice president", "evp"), ("senior vice president", "svp")]),
    ("vp", &[("executive vp", "evp"), ("senior vp", "svp")]),
    ("president", &[("vice president", "vp")]),
];

/// `Vice President, Engineering` is `vp engineering`; the order of the words stays.
pub(crate) fn title(text: &str) -> String {
    let lower = text.to_lowercase().replace('.', "");
    let words = lower.split(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#')).filter(|word| !word.is_empty());
    let known = words.filter(|word| !TITLE_FILLERS.contains(word));
    let written_out = known.map(|word| TITLE_WORDS.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| *long));
    // Spaces at both ends keep the phrases to whole words.
    let mut folded = String::from(" ");
    for word in written_out {
        folded.push_str(word);
        folded.push(' ');
    }
    let ending = TITLE_PHRASES.iter().filter(|(end, _)| lower.contains(end));
    for (phrase, short) in ending.flat_map(|(_, phrases)| *phrases) {
        if folded.contains(phrase) {
            folded = folded.replace(&format!(" {phrase} "), &format!(" {short} "));
        }
    }
    let folded = folded.trim();
    if folded.is_empty() { fold(text).into_owned() } else { folded.to_owned() }
}

/// Parameters of an address that say where a visitor came from and not which page it is.
const TRACKING: &[&str] = &["fbclid", "gclid", "igshid", "mc_cid", "mc_eid", "msclkid", "originalsubdomain", "ref", "trk", "trkinfo"];

/// Without scheme, `www.`, usual port, last slash, fragment and tracking; what else is asked stays, in order.
fn url(url: &str) -> String {
    let folded = fold(url);
    let rest = folded.split_once("://").map_or(&*folded, |(_, rest)| rest);
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
    let rest = folded.split_once("://").map_or(&*folded, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().trim().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    if host.contains(' ') {
        return folded.into_owned(); // no host
    }
    idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned())
}

/// The day of a date or time, as written: no clock of another place is reckoned with.
fn day(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if super::is_date(text) { Cow::Borrowed(text.get(..10).unwrap_or(text)) } else { fold(text) }
}

/// Ranges in one spelling: `50–200 employees` is `50-200`, `10,001+` is `10001+`; other words as they are.
fn word(text: &str) -> Cow<'_, str> {
    let folded = fold(text);
    if !folded.contains(|c: char| c.is_ascii_digit()) {
        return folded;
    }
    let range = folded.trim_end_matches(" employees").trim_end_matches(" people").replace(['–', '—'], "-").replace(" to ", "-");
    let range = range.replace(" or more", "+").replace([' ', ','], "");
    let is_range = range.contains(['-', '+']) && range.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'));
    if is_range { Cow::Owned(range) } else { folded }
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

    #[test]
    fn every_phrase_of_a_title_stands_behind_its_end() {
        assert!(TITLE_PHRASES.iter().all(|(end, phrases)| phrases.iter().all(|(phrase, _)| phrase.ends_with(end))));
    }

    /// The plain way: every phrase is looked for.
    fn title_by_all_phrases(text: &str) -> String {
        let lower = text.to_lowercase().replace('.', "");
        let words = lower.split(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#')).filter(|word| !word.is_empty());
        let known = words.filter(|word| !TITLE_FILLERS.contains(word));
        let long = known.map(|word| TITLE_WORDS.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| *long));
        let mut folded = format!(" {} ", long.collect::<Vec<_>>().join(" "));
        for (phrase, short) in TITLE_PHRASES.iter().flat_map(|(_, phrases)| *phrases) {
            folded = folded.replace(&format!(" {phrase} "), &format!(" {short} "));
        }
        if folded.trim().is_empty() { fold(text).into_owned() } else { folded.trim().to_owned() }
    }

    proptest! {
        #[test]
        fn phrases_that_a_title_cannot_hold_need_no_look(
            words in prop::collection::vec("senior|Sr\\.|executive|vice|president|V\\.P\\.|vp|chief|product|officer|of|Sales|\\PC{0,3}", 0..8),
        ) {
            let text = words.join(" ");
            prop_assert_eq!(title(&text), title_by_all_phrases(&text));
        }

        #[test]
        fn folding_makes_lower_case_and_single_spaces(text in prop_oneof!["[a-zA-Z \t\u{b}\u{1}É]{0,12}", ".*"]) {
            let folded = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            prop_assert_eq!(fold(&text), folded);
        }

        #[test]
        fn case_never_counts(text in "[A-Za-z0-9 .,&/?=:+@–-]{0,24}", kind in prop::sample::select(KINDS)) {
            let (upper, lower) = (text.to_ascii_uppercase(), text.to_ascii_lowercase());
            prop_assert_eq!(of_text(&upper, kind), of_text(&lower, kind));
        }

        #[test]
        fn no_text_makes_a_normal_form_panic(text in "\\PC{0,40}", kind in prop::sample::select(KINDS)) {
            prop_assert!(of_text(&text, kind).len() <= 8 * text.len() + 8, "nor grow without bound");
        }
    }
}
