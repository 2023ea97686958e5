//! `eligibility`: which records are looked up at all (S0-23, S0-27, S0-28, S0-106).

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::check::{Checker, line};
use crate::eligibility::{Eligibility, Exclusion, Minimum};
use crate::schema::{Entity, nearest};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EligibilitySection {
    #[serde(default)]
    entities: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    needs: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    exclude: Vec<ExclusionSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExclusionSection {
    segment: Spanned<String>,
    #[serde(default)]
    entities: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    because: Option<String>,
}

impl Checker {
    pub(super) fn eligibility(&mut self, file: &str, section: EligibilitySection) -> Eligibility {
        let needs = match section.needs {
            None => vec![Minimum::Email, Minimum::CompanyDomain],
            Some(written) => self.words(file, "eligibility.needs", &written, &Minimum::ALL, Minimum::as_str),
        };
        let entities = self.entities(file, "eligibility.entities", section.entities);
        let mut exclude: Vec<Exclusion> = Vec::new();
        for written in section.exclude {
            if exclude.iter().any(|earlier| earlier.segment == written.segment.value) {
                let message =
                    format!("eligibility.exclude: segment `{}` stands twice; write all its entities at once", written.segment.value);
                self.find(file, line(&written.segment), message);
            }
            exclude.extend(self.exclusion(file, written));
        }
        Eligibility { entities, needs, exclude }
    }

    fn exclusion(&mut self, file: &str, written: ExclusionSection) -> Option<Exclusion> {
        let entities = self.entities(file, "eligibility.exclude", written.entities);
        let path = format!("segment.{}", written.segment.value);
        let Some(when) = self.schema.named(&path).map(|condition| condition.as_ref().clone()) else {
            let message = format!("eligibility.exclude: {}", self.schema.no_such_field(&path));
            self.find(file, line(&written.segment), message);
            return None;
        };
        if when.reads_score() {
            let message = format!("eligibility.exclude: `{path}` reads the score, which does not exist yet when a lookup is planned");
            self.find(file, line(&written.segment), message);
        }
        Some(Exclusion { segment: written.segment.value, when, entities, because: written.because })
    }

    /// Kinds of record; all where none are written.
    fn entities(&mut self, file: &str, place: &str, written: Option<Spanned<Vec<Spanned<String>>>>) -> Vec<Entity> {
        let Some(written) = written else { return Entity::ALL.to_vec() };
        if written.value.is_empty() {
            let message =
                format!("{place}: an empty list of entities; write one or more of contact, account, lead, or leave it out for all");
            self.find(file, line(&written), message);
        }
        self.words(file, place, &written.value, &Entity::ALL, Entity::as_str)
    }

    /// Words out of a closed list, each once.
    pub(super) fn words<T: Copy + PartialEq>(
        &mut self,
        file: &str,
        place: &str,
        written: &[Spanned<String>],
        all: &[T],
        word_of: fn(T) -> &'static str,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for word in written {
            match all.iter().find(|one| word_of(**one) == word.value) {
                Some(one) if found.contains(one) => {
                    self.find(file, line(word), format!("{place}: `{}` stands twice; write it once", word.value))
                }
                Some(one) => found.push(*one),
                None => {
                    let known: Vec<&str> = all.iter().map(|one| word_of(*one)).collect();
                    let advice = match nearest(&word.value, known.iter().copied()) {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => format!("write one or more of: {}", known.join(", ")),
                    };
                    self.find(file, line(word), format!("{place}: there is no `{}`; {advice}", word.value));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::condition::View;
    use crate::config::Config;
    use crate::config::tests::{assert_found, config, facts, findings};
    use crate::credits::Trigger;
    use crate::eligibility::{Eligibility, Ineligible, Minimum};
    use crate::identity::{KeyKind, LookupKey};
    use crate::schema::{Entity, FieldClass};
    use crate::value::Value;

    const SECTION: &str = "segments:
  competitors: company.domain in (\"rival.example\")
  personal: email.kind == \"personal\"
eligibility:
  exclude:
    - {segment: competitors, because: they read our pages}
    - {segment: personal, entities: [account]}
";

    fn key(kind: KeyKind) -> LookupKey {
        LookupKey { kind, value: "x".into() }
    }

    fn check(config: &Config, trigger: Trigger, class: FieldClass, view: &View<'_>, keys: &[LookupKey]) -> Result<(), Ineligible> {
        config.eligibility.admits(trigger, class, view)?;
        config.eligibility.has_enough(trigger, view, keys)
    }

    fn refusal(config: &Config, class: FieldClass, known: &[(&str, &str)], keys: &[LookupKey]) -> Option<String> {
        let known: Vec<(&str, Value)> = known.iter().map(|(path, text)| (*path, Value::text(*text))).collect();
        check(config, Trigger::Auto, class, &View::of(&facts(config, &known)), keys).err().map(|why| why.to_string())
    }

    #[test]
    fn without_the_section_everything_is_looked_up() {
        assert_eq!(config("", "").eligibility, Eligibility::default());
        for class in [FieldClass::Person, FieldClass::Company, FieldClass::Phone, FieldClass::Check] {
            assert_eq!(refusal(&config("", ""), class, &[], &[]), None);
        }
    }

    #[test]
    fn s0_27_a_lookup_needs_an_email_address_or_a_company_domain() {
        for config in [config("eligibility: {}\n", ""), config("", "eligibility: {}\n")] {
            let said = Some("a lookup needs an email address or a company domain".to_owned());
            assert_eq!(refusal(&config, FieldClass::Person, &[], &[]), said);
            assert_eq!(refusal(&config, FieldClass::Person, &[("contact.linkedin_url", "x")], &[key(KeyKind::SocialUrl)]), said);
            for kind in [KeyKind::BusinessEmail, KeyKind::PersonalEmail, KeyKind::Email, KeyKind::Domain] {
                assert_eq!(refusal(&config, FieldClass::Person, &[], &[key(kind)]), None, "{kind:?}");
            }
            assert_eq!(refusal(&config, FieldClass::Person, &[("company.domain", "acme.io")], &[]), None, "learned on the way");
        }
        let named = config("eligibility: {needs: [company_name]}\n", "");
        assert_eq!(refusal(&named, FieldClass::Company, &[], &[key(KeyKind::CompanyName)]), None);
        assert_eq!(refusal(&named, FieldClass::Company, &[], &[key(KeyKind::Email)]), Some("a lookup needs a company name".to_owned()));
        assert_eq!(refusal(&config("eligibility: {needs: []}\n", ""), FieldClass::Company, &[], &[]), None);
    }

    #[test]
    fn s0_23_only_the_chosen_kinds_of_record_are_looked_up() {
        let config = config("eligibility: {entities: [contact], needs: []}\n", "");
        let said =
            [FieldClass::Person, FieldClass::Phone, FieldClass::Company, FieldClass::Check].map(|class| refusal(&config, class, &[], &[]));
        let no = |word: &str| Some(format!("{word} are not looked up"));
        assert_eq!(said, [None, None, no("accounts"), no("leads")]);
    }

    #[test]
    fn s0_28_and_s0_106_an_excluded_segment_is_not_looked_up_and_the_reason_is_said() {
        let (config, email) = (config(SECTION, ""), [key(KeyKind::Email)]);
        let rival = [("company.domain", "rival.example")];
        let said = Some("the segment `competitors` is not looked up: they read our pages".to_owned());
        assert_eq!(refusal(&config, FieldClass::Company, &rival, &email), said);
        assert_eq!(refusal(&config, FieldClass::Person, &rival, &email), said);
        assert_eq!(refusal(&config, FieldClass::Company, &[("company.domain", "acme.io")], &email), None);
        assert_eq!(refusal(&config, FieldClass::Company, &[], &email), None, "not known to be a competitor");
    }

    #[test]
    fn x_15_a_personal_address_excludes_the_account_and_not_the_person() {
        let (config, email) = (config(SECTION, ""), [key(KeyKind::PersonalEmail)]);
        let personal = [("email.kind", "personal")];
        let said = Some("the segment `personal` is not looked up".to_owned());
        assert_eq!(refusal(&config, FieldClass::Company, &personal, &email), said);
        assert_eq!(refusal(&config, FieldClass::Person, &personal, &email), None);
    }

    #[test]
    fn x_27_somebody_who_asks_by_hand_passes() {
        let config = config(&format!("{SECTION}  entities: [lead]\n"), "");
        let known = facts(&config, &[("company.domain", Value::text("rival.example"))]);
        let asked = |trigger| check(&config, trigger, FieldClass::Company, &View::of(&known), &[]);
        assert_eq!(asked(Trigger::Auto), Err(Ineligible::Entity { entity: Entity::Account }));
        assert_eq!(asked(Trigger::Manual), Ok(()));
    }

    #[test]
    fn the_reason_is_stored_as_it_was() {
        for reason in [
            Ineligible::Entity { entity: Entity::Account },
            Ineligible::TooLittle { needs: vec![Minimum::Email] },
            Ineligible::Excluded { segment: "competitors".into(), because: None },
        ] {
            let stored = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<Ineligible>(&stored).unwrap(), reason, "{stored}");
        }
    }

    #[test]
    fn mistakes_in_eligibility_are_found() {
        let excluded = |line: &str| format!("segments: {{rivals: phone.valid, hot: score > 5}}\neligibility:\n  exclude:\n    - {line}\n");
        assert_found(&[
            ("eligibility: {entities: [acount]}\n", 0, "eligibility.entities: there is no `acount`; did you mean `account`?"),
            (
                "eligibility: {entities: []}\n",
                0,
                "eligibility.entities: an empty list of entities; write one or more of contact, account, lead, or leave it out for all",
            ),
            (
                "eligibility: {needs: [fax]}\n",
                0,
                "eligibility.needs: there is no `fax`; write one or more of: email, company_domain, company_name, profile_url, company_linkedin_url",
            ),
            ("eligibility: {needs: [email, email]}\n", 0, "eligibility.needs: `email` stands twice; write it once"),
            (&excluded("{segment: rival}"), 3, "eligibility.exclude: there is no segment `segment.rival`; did you mean `segment.rivals`?"),
            (
                &excluded("{segment: rivals, entities: [person]}"),
                3,
                "eligibility.exclude: there is no `person`; write one or more of: contact, account, lead",
            ),
            (
                &excluded("{segment: hot}"),
                3,
                "eligibility.exclude: `segment.hot` reads the score, which does not exist yet when a lookup is planned",
            ),
            (
                &excluded("{segment: rivals}\n    - {segment: rivals}"),
                4,
                "eligibility.exclude: segment `rivals` stands twice; write all its entities at once",
            ),
        ]);
        let found = findings("eligibility: {exclud: []}\n", "");
        assert!(matches!(found.as_slice(), [finding] if finding.line == 4 && finding.message.contains("exclud")), "{found:?}");
    }
}
