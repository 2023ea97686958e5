//! Segments and audiences: conditions with a name, defined in any order and compiled once (S0-28, S1-05).

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::check::{Checker, line};
use super::document::AudienceSection;
use crate::condition::{Condition, NAMES_DEPTH_MAX};
use crate::coverage::{Audience, Channel};
use crate::schema::nearest;

/// The conditions of one file by their path, such as `segment.enterprise`.
type Written<'a> = BTreeMap<String, &'a Spanned<String>>;

/// The main file's audiences and those of the preset that it does not replace, in order of their name.
pub(super) fn joined(mut main: Vec<Audience>, preset: Vec<Audience>) -> Vec<Audience> {
    for audience in preset {
        if !main.iter().any(|own| own.name == audience.name) {
            main.push(audience);
        }
    }
    main.sort_by(|a, b| a.name.cmp(&b.name));
    main
}

impl Checker {
    /// Names the conditions of one file in the schema. What the main file defines stays, also against a preset.
    pub(super) fn names(
        &mut self,
        file: &str,
        segments: BTreeMap<String, Spanned<String>>,
        audiences: BTreeMap<String, AudienceSection>,
    ) -> Vec<Audience> {
        let of_segments = segments.iter().map(|(name, when)| (format!("segment.{name}"), when));
        let of_audiences = audiences.iter().map(|(name, section)| (format!("audience.{name}"), &section.when));
        let written: Written<'_> = of_segments.chain(of_audiences).collect();
        let replaced: Vec<&Spanned<String>> =
            written.iter().filter(|(path, _)| self.schema.named(path).is_some()).map(|(_, when)| *when).collect();
        for (path, when) in &written {
            self.check_name(file, path, line(when));
            self.define(file, &written, path, &mut Vec::new());
        }
        for when in replaced {
            self.condition(file, when);
        }
        audiences.into_iter().filter_map(|(name, section)| self.audience(file, name, section)).collect()
    }

    fn check_name(&mut self, file: &str, path: &str, at: u64) {
        let (_, name) = path.split_once('.').unwrap_or_default();
        let is_word = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_word {
            let message = format!("`{name}` cannot be read as `{path}`; begin with a letter and write lower-case words joined by _");
            self.find(file, at, message);
        }
    }

    /// Compiles what a condition names before the condition itself. `chain` is how one came here.
    fn define(&mut self, file: &str, written: &Written<'_>, path: &str, chain: &mut Vec<String>) {
        let Some(when) = written.get(path).filter(|_| self.schema.named(path).is_none()) else { return };
        if let Some(start) = chain.iter().position(|above| above == path) {
            let circle = chain[start..].join(" → ");
            self.find(file, line(when), format!("`{path}` names itself: {circle} → {path}; write one of them without the others"));
            return self.never(path);
        }
        if chain.len() > NAMES_DEPTH_MAX {
            let message = format!("`{path}` is named more than {NAMES_DEPTH_MAX} deep: {}; write the innermost out", chain.join(" → "));
            self.find(file, line(when), message);
            return self.never(path);
        }
        chain.push(path.to_owned());
        for named in Condition::names_in(&when.value) {
            self.define(file, written, &named, chain);
        }
        chain.pop();
        if self.schema.named(path).is_some() {
            return;
        }
        match self.condition(file, when) {
            Some(condition) => self.schema.name(path, condition),
            None => self.never(path),
        }
    }

    /// Lets what names a broken condition be checked all the same, so that one mistake is said once.
    fn never(&mut self, path: &str) {
        if let Ok(never) = Condition::parse("false", &self.schema) {
            self.schema.name(path, never);
        }
    }

    fn audience(&mut self, file: &str, name: String, section: AudienceSection) -> Option<Audience> {
        if section.requires.value.is_empty() {
            let message = format!("audience `{name}` requires nothing; write one or more of: {}", words());
            self.find(file, line(&section.requires), message);
        }
        let mut requires = Vec::new();
        for written in &section.requires.value {
            match Channel::parse(&written.value) {
                Some(channel) if requires.contains(&channel) => {
                    self.find(file, line(written), format!("audience `{name}` requires `{}` twice; write it once", written.value));
                }
                Some(channel) => requires.push(channel),
                None => {
                    let advice = match nearest(&written.value, Channel::ALL.map(Channel::as_str)) {
                        Some(word) => format!("did you mean `{word}`?"),
                        None => format!("write one or more of: {}", words()),
                    };
                    self.find(file, line(written), format!("there is no channel `{}`; {advice}", written.value));
                }
            }
        }
        requires.sort_unstable();
        let when = self.schema.named(&format!("audience.{name}"))?.as_ref().clone();
        Some(Audience { name, when, requires })
    }
}

fn words() -> String {
    Channel::ALL.map(Channel::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::{Truth, View};
    use crate::config::Finding;
    use crate::config::tests::{assert_found, config, facts, findings};
    use crate::coverage::{Coverage, Status};
    use crate::schema::Field;
    use crate::value::Value;

    #[test]
    fn s0_28_a_segment_is_read_by_its_name_wherever_a_condition_stands() {
        let config = config(
            "segments:\n  strategic: segment.enterprise && not segment.competitors\n  enterprise: company.headcount >= 1000\n  \
             competitors: company.domain in (\"acme.io\", \"beta.dev\")\n\
             gate:\n  - {when: segment.competitors, verdict: reject, because: a competitor}\n",
            "",
        );
        let strategic = Condition::parse("segment.strategic", &config.schema).unwrap();
        let answer = |headcount: i64, domain: &str| {
            let known = facts(&config, &[("company.headcount", Value::number(headcount)), ("company.domain", Value::text(domain))]);
            strategic.evaluate(&View::of(&known))
        };
        assert_eq!(
            [answer(1000, "big.example"), answer(999, "big.example"), answer(1000, "ACME.io")],
            [Truth::True, Truth::False, Truth::False]
        );
        assert_eq!(strategic.evaluate(&View::default()), Truth::Unknown);
        let paths: Vec<String> = config.gate[0].when.fields().iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["company.domain"], "the fields of the segment are those of the condition");
    }

    #[test]
    fn a_segment_stands_alone_or_beside_true_and_false() {
        let config = config("segments: {big: company.headcount >= 1000}\n", "");
        let known = facts(&config, &[("company.headcount", Value::number(5))]);
        for (text, answer) in [
            ("segment.big", Truth::False),
            ("!segment.big", Truth::True),
            ("segment.big == true", Truth::False),
            ("segment.big = false", Truth::True),
            ("segment.big != true and company.headcount > 1", Truth::True),
            ("(segment.big) or segment.big != false", Truth::False),
        ] {
            let condition = Condition::parse(text, &config.schema).unwrap();
            assert_eq!(condition.evaluate(&View::of(&known)), answer, "{text}");
            assert_eq!(condition.evaluate(&View::default()), Truth::Unknown, "{text}");
        }
        for (text, said) in [
            ("segment.big > 5", "a segment or an audience is yes or no; write it alone, or after `not` (at column 15)"),
            ("has(segment.big)", "`segment.big` is not a field but yes or no; write it alone, or after `not` (at column 5)"),
            ("segment.bigg", "there is no segment `segment.bigg`; did you mean `segment.big`? (at column 1)"),
            ("segment.other", "define it under `segments:` or write one of: segment.big"),
            ("audience.big", "there is no audience `audience.big`; define it under `audiences:` (at column 1)"),
        ] {
            let error = Condition::parse(text, &config.schema).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn s0_28_a_segment_answers_as_its_condition_would_in_its_place(
            inner in prop::sample::select(vec![
                "company.headcount >= 100", "phone.valid || company.hiring", "!phone.valid", "has(contact.phone)", "score > 50", "true",
            ]),
            outer in prop::sample::select(vec![
                "@", "!@", "@ && company.headcount < 500", "company.hiring or not @", "(@ or phone.valid) and @", "has(company.name) || @",
            ]),
            headcount in prop::option::of(0i64..1000), valid in prop::option::of(any::<bool>()), hiring in prop::option::of(any::<bool>()),
            low in 0i64..60, more in 0i64..40,
        ) {
            let config = config(&format!("segments: {{one: '{inner}', two: segment.one}}\n"), "");
            let known: Vec<(&str, Value)> = [
                headcount.map(|count| ("company.headcount", Value::number(count))),
                valid.map(|valid| ("phone.valid", Value::Bool(valid))),
                hiring.map(|hiring| ("company.hiring", Value::Bool(hiring))),
            ].into_iter().flatten().collect();
            let known = facts(&config, &known);
            let view = View::of(&known).with_score(low, low + more).with_open([Field::known("contact.phone")]);
            let by_name = Condition::parse(&outer.replace('@', "segment.two"), &config.schema).unwrap();
            let in_place = Condition::parse(&outer.replace('@', &format!("({inner})")), &config.schema).unwrap();
            prop_assert_eq!(by_name.evaluate(&view), in_place.evaluate(&view));
            prop_assert_eq!(by_name.fields(), in_place.fields());
            prop_assert_eq!(by_name.missing(&view), in_place.missing(&view));
            prop_assert_eq!(by_name.reads_score(), in_place.reads_score());
        }
    }

    #[test]
    fn a_segment_that_reads_the_score_is_refused_where_there_is_none() {
        let written = "segments: {hot: score > 80}\ngate:\n  - {when: segment.hot, verdict: verify, because: hot}\n";
        assert_found(&[(written, 2, "the score can be read by routes and steps only: here it does not exist yet")]);
        assert_eq!(findings("segments: {hot: score > 80}\naudiences:\n  hot: {when: segment.hot, requires: [phone]}\n", ""), []);
    }

    #[test]
    fn mistakes_in_segments_are_found_in_their_line() {
        assert_found(&[
            (
                "segments:\n  a: segment.b\n  b: segment.c\n  c: not segment.a\n",
                1,
                "`segment.a` names itself: segment.a → segment.b → segment.c → segment.a; write one of them without the others",
            ),
            ("segments: {a: segment.a}\n", 0, "`segment.a` names itself: segment.a → segment.a; write one of them without the others"),
            (
                "segments:\n  big: company.headcont >= 1000\n  huge: segment.big\n",
                1,
                "`company.headcont` is not a field; did you mean `company.headcount`? (at column 1)",
            ),
            (
                "segments:\n  big: company.headcount >= 1000\n  huge: segment.bigg\n",
                2,
                "there is no segment `segment.bigg`; did you mean `segment.big`? (at column 1)",
            ),
            (
                "segments: {Big One: company.headcount >= 1000}\n",
                0,
                "`Big One` cannot be read as `segment.Big One`; begin with a letter and write lower-case words joined by _",
            ),
        ]);
        let twice = findings("segments:\n  big: company.headcount >= 1000\n  big: company.headcount >= 2000\n", "");
        assert!(matches!(twice.as_slice(), [Finding { line: 6, message, .. }] if message.contains("`big` is written twice")), "{twice:?}");
    }

    #[test]
    fn segments_that_name_each_other_too_deep_or_too_often_are_refused() {
        let chain = |count: usize| {
            let links: String = (1..=count).map(|n| format!("  s{n:02}: segment.s{:02}\n", n - 1)).collect();
            findings(&format!("segments:\n  s00: phone.valid\n{links}"), "")
        };
        assert_eq!(chain(NAMES_DEPTH_MAX), []);
        let found = chain(NAMES_DEPTH_MAX + 1);
        assert!(found.len() == 1 && found[0].message.contains("at most 10 deep"), "{found:?}");
        let doubled: String = (1..=10).map(|n| format!("  s{n:02}: segment.s{:02} && segment.s{:02}\n", n - 1, n - 1)).collect();
        let found = findings(&format!("segments:\n  s00: phone.valid\n{doubled}"), "");
        assert!(found.len() == 1 && found[0].message.contains("more than 1000 clauses; name fewer"), "{found:?}");
    }

    #[test]
    fn s1_05_an_audience_is_a_condition_and_what_it_requires() {
        let config = config(
            "segments: {big: company.headcount >= 1000}\naudiences:\n  outbound: {when: segment.big, requires: [linkedin_url, work_email]}\n",
            "audiences:\n  outbound: {when: phone.valid, requires: [phone]}\n  callers: {when: audience.outbound, requires: [phone]}\n",
        );
        let names: Vec<&str> = config.audiences.iter().map(|audience| audience.name.as_str()).collect();
        assert_eq!(names, ["callers", "outbound"], "the main file's `outbound` replaces the preset's");
        let known = facts(&config, &[("company.headcount", Value::number(2000))]);
        let coverage = Coverage::of(&config.audiences, &View::of(&known));
        assert_eq!(coverage.status, Some(Status::Empty));
        assert_eq!(coverage.required, [Channel::WorkEmail, Channel::Phone, Channel::LinkedinUrl]);
        let condition = Condition::parse("audience.callers", &config.schema).unwrap();
        assert_eq!(condition.evaluate(&View::of(&known)), Truth::True);
    }

    #[test]
    fn s1_08_mistakes_in_audiences_are_found() {
        let all = "work_email, personal_email, phone, linkedin_url";
        assert_found(&[
            ("audiences:\n  a: {when: 'true', requires: []}\n", 1, &format!("audience `a` requires nothing; write one or more of: {all}")),
            ("audiences:\n  a: {when: 'true', requires: [work_mail]}\n", 1, "there is no channel `work_mail`; did you mean `work_email`?"),
            ("audiences:\n  a: {when: 'true', requires: [fax]}\n", 1, &format!("there is no channel `fax`; write one or more of: {all}")),
            ("audiences:\n  a: {when: 'true', requires: [phone, phone]}\n", 1, "audience `a` requires `phone` twice; write it once"),
        ]);
        let broken = findings("audiences:\n  a: {when: segment.x, requires: [phone]}\n", "");
        assert_eq!(broken.len(), 1, "{broken:?}");
    }

    #[test]
    fn a_preset_names_the_main_files_segments_and_its_mistakes_are_found_also_where_they_are_replaced() {
        let main = "segments: {big: company.headcount >= 1000}\n";
        assert_eq!(
            findings(
                main,
                "segments: {huge: segment.big && company.headcount > 9000}\ngate: [{when: segment.huge, verdict: verify, because: x}]\n"
            ),
            []
        );
        let found = findings(main, "segments: {big: company.headcont > 5}\n");
        let said = "`company.headcont` is not a field; did you mean `company.headcount`? (at column 1)";
        assert_eq!(found, [Finding::new("presets/small.yaml", 10, said)]);
        assert_eq!(findings("gate: [{when: segment.huge, verdict: verify, because: x}]\n", "segments: {huge: phone.valid}\n"), []);
    }
}
