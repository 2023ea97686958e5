//! `freshness`: the name of a preset, or a preset with lifetimes of one's own and of segments (X-02, S0-103).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use super::check::{Checker, line};
use crate::freshness::{Freshness, FreshnessTable, Lifetimes, SegmentFreshness};
use crate::units::Millis;

/// The preset where a table names none.
const DEFAULT: &str = "signup";

#[derive(Debug)]
pub(super) enum FreshnessSection {
    Preset(String),
    Table(Box<TableSection>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSection {
    #[serde(default)]
    preset: Option<Spanned<String>>,
    #[serde(default)]
    person: Option<Spanned<Millis>>,
    #[serde(default)]
    company: Option<Spanned<Millis>>,
    #[serde(default)]
    phone: Option<Spanned<Millis>>,
    #[serde(default)]
    check: Option<Spanned<Millis>>,
    #[serde(default)]
    no_match: Option<Spanned<Millis>>,
    #[serde(default)]
    segments: BTreeMap<String, Spanned<LifetimesSection>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifetimesSection {
    #[serde(default)]
    person: Option<Spanned<Millis>>,
    #[serde(default)]
    company: Option<Spanned<Millis>>,
    #[serde(default)]
    phone: Option<Spanned<Millis>>,
    #[serde(default)]
    check: Option<Spanned<Millis>>,
    #[serde(default)]
    no_match: Option<Spanned<Millis>>,
}

impl<'de> Deserialize<'de> for FreshnessSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

/// Keeps the lines within the table, which an untagged enum would lose.
struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = FreshnessSection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a freshness preset (signup or crm) or a table of lifetimes, such as {preset: crm, person: 45d}")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(FreshnessSection::Preset(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let table = TableSection::deserialize(MapAccessDeserializer::new(map))?;
        Ok(FreshnessSection::Table(Box::new(table)))
    }
}

impl Checker {
    pub(super) fn freshness(&mut self, file: &str, section: Spanned<FreshnessSection>) -> FreshnessTable {
        let at = line(&section);
        let table = match section.value {
            FreshnessSection::Preset(name) => return FreshnessTable::new(&name, self.freshness_preset(file, at, &name)),
            FreshnessSection::Table(table) => *table,
        };
        let (name, at) = table.preset.map_or((DEFAULT.to_owned(), at), |written| (written.value.clone(), line(&written)));
        let preset = self.freshness_preset(file, at, &name);
        let TableSection { person, company, phone, check, no_match, .. } = table;
        let own = self.lifetimes(file, "freshness", LifetimesSection { person, company, phone, check, no_match });
        let segments = table.segments.into_iter().filter_map(|(name, section)| self.segment_freshness(file, name, section)).collect();
        FreshnessTable { own, segments, ..FreshnessTable::new(&name, preset) }
    }

    fn freshness_preset(&mut self, file: &str, at: u64, name: &str) -> Freshness {
        Freshness::preset(name).unwrap_or_else(|| {
            self.find(file, at, format!("there is no freshness preset `{name}`; write signup or crm"));
            Freshness::SIGNUP
        })
    }

    fn segment_freshness(&mut self, file: &str, name: String, section: Spanned<LifetimesSection>) -> Option<SegmentFreshness> {
        let (path, at) = (format!("segment.{name}"), line(&section));
        let lifetimes = self.lifetimes(file, &format!("freshness.segments.{name}"), section.value);
        if lifetimes == Lifetimes::default() {
            self.find(file, at, format!("freshness.segments.{name} says nothing; write for example {{company: 30d}}"));
        }
        let Some(when) = self.schema.named(&path).map(|condition| condition.as_ref().clone()) else {
            let message = format!("freshness.segments: {}", self.schema.no_such_field(&path));
            self.find(file, at, message);
            return None;
        };
        if when.reads_score() {
            self.find(file, at, format!("freshness.segments: `{path}` reads the score, which does not exist yet when a lookup is planned"));
        }
        Some(SegmentFreshness { segment: name, when, lifetimes })
    }

    fn lifetimes(&mut self, file: &str, place: &str, section: LifetimesSection) -> Lifetimes {
        let mut lifetime = |name: &str, written: Option<Spanned<Millis>>| {
            let written = written?;
            if written.value == Millis(0) {
                let message = format!("{place}.{name}: nothing would ever be fresh, so all is paid for again; write for example 1h");
                self.find(file, line(&written), message);
            }
            Some(written.value)
        };
        Lifetimes {
            person: lifetime("person", section.person),
            company: lifetime("company", section.company),
            phone: lifetime("phone", section.phone),
            check: lifetime("check", section.check),
            no_match: lifetime("no_match", section.no_match),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::View;
    use crate::config::tests::{assert_found, config, facts, findings};
    use crate::schema::FieldClass;
    use crate::value::Value;

    const TABLE: &str = "segments: {strategic: company.headcount >= 1000}\nfreshness:\n  preset: crm\n  person: 45d\n  \
                         segments:\n    strategic: {company: 30d, person: 60d}\n";

    #[test]
    fn x_02_the_name_of_a_preset_is_enough_and_is_kept() {
        assert_eq!(config("", "").freshness_table.preset, "signup");
        let crm = config("freshness: crm\n", "");
        assert_eq!((crm.freshness, crm.freshness_table.preset.as_str()), (Freshness::CRM, "crm"));
        let own = config("freshness: {phone: 14d}\n", "");
        assert_eq!(own.freshness, Freshness { phone: Millis::days(14), ..Freshness::SIGNUP });
    }

    #[test]
    fn s0_103_a_strategic_account_is_looked_up_again_earlier_and_the_shortest_lifetime_wins() {
        let config = config(TABLE, "");
        assert_eq!(config.freshness, Freshness { person: Millis::days(45), ..Freshness::CRM });
        assert_eq!(config.freshness_table.in_force(&View::default(), None), config.freshness, "not known to be strategic");
        let known = facts(&config, &[("company.headcount", Value::number(2000))]);
        let strategic = config.freshness_table.in_force(&View::of(&known), None);
        assert_eq!(strategic.of(FieldClass::Company), Millis::days(30));
        assert_eq!(strategic.of(FieldClass::Person), Millis::days(45), "45 days are shorter than 60");
    }

    #[test]
    fn x_02_mistakes_in_freshness_are_found_in_their_line() {
        assert_found(&[
            ("freshness: weekly\n", 0, "there is no freshness preset `weekly`; write signup or crm"),
            ("freshness:\n  person: 5d\n  preset: cmr\n", 2, "there is no freshness preset `cmr`; write signup or crm"),
            (
                "freshness:\n  person: 5d\n  company: 0d\n",
                2,
                "freshness.company: nothing would ever be fresh, so all is paid for again; write for example 1h",
            ),
            (
                "segments: {big: phone.valid}\nfreshness:\n  segments:\n    bigg: {company: 30d}\n",
                3,
                "freshness.segments: there is no segment `segment.bigg`; did you mean `segment.big`?",
            ),
            (
                "segments: {big: phone.valid}\nfreshness:\n  segments:\n    big: {}\n",
                3,
                "freshness.segments.big says nothing; write for example {company: 30d}",
            ),
            (
                "segments: {hot: score > 5}\nfreshness:\n  segments:\n    hot: {company: 30d}\n",
                3,
                "freshness.segments: `segment.hot` reads the score, which does not exist yet when a lookup is planned",
            ),
        ]);
        for (written, said) in [
            ("freshness: {persn: 5d}\n", "persn"),
            ("freshness: {person: soon}\n", "`soon` is not a duration"),
            ("freshness: [crm]\n", "the name of a freshness preset"),
        ] {
            let found = findings(written, "");
            assert!(matches!(found.as_slice(), [finding] if finding.line == 4 && finding.message.contains(said)), "{written}: {found:?}");
        }
    }
}
