//! `undecided`: where leads go for now while several tracks are possible, as it is written.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use super::check::Checker;
use crate::route::{Track, Undecided, UndecidedRule};

/// One track for all, or rules and the track of the others.
#[derive(Debug)]
pub(super) enum UndecidedSection {
    All(Track),
    By(Listed),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) rules: Vec<WaitingSection>,
    otherwise: Track,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitingSection {
    pub(super) when: Spanned<String>,
    to: Track,
    because: String,
}

impl<'de> Deserialize<'de> for UndecidedSection {
    // By hand, because serde's untagged enums forget the line and say nothing about what is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TrackOrRules)
    }
}

struct TrackOrRules;

impl<'de> Visitor<'de> for TrackOrRules {
    type Value = UndecidedSection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a track, or {rules: [{when: …, to: sdr_queue, because: …}], otherwise: self_serve}")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        Track::deserialize(StrDeserializer::new(word)).map(UndecidedSection::All)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Listed::deserialize(MapAccessDeserializer::new(map)).map(UndecidedSection::By)
    }
}

impl Checker {
    pub(super) fn undecided(&mut self, file: &str, section: UndecidedSection) -> Undecided {
        let listed = match section {
            UndecidedSection::All(track) => return track.into(),
            UndecidedSection::By(listed) => listed,
        };
        let rule = |rule: WaitingSection| {
            let when = self.condition_on_signup(file, &rule.when, "the track of undecided leads")?;
            Some(UndecidedRule { when, to: rule.to, because: rule.because })
        };
        Undecided { rules: listed.rules.into_iter().filter_map(rule).collect(), otherwise: listed.otherwise }
    }
}

#[cfg(test)]
mod tests {
    use crate::condition::View;
    use crate::config::tests::{config, facts, findings};
    use crate::route::Track;
    use crate::value::Value;

    const BY_ARRIVAL: &str = "route:
  rules: [{when: company.headcount > 10, to: ae_queue, because: large}]
  otherwise: self_serve
  undecided:
    rules:
      - {when: signup.arrival == \"demo_request\", to: sdr_queue, because: asked}
      - {when: product == \"enterprise\", to: review, because: large}
    otherwise: self_serve
";

    #[test]
    fn the_first_rule_that_holds_says_where_a_lead_waits() {
        let config = config(BY_ARRIVAL, "");
        let track = |known: &[(&str, Value)]| config.route.undecided.track(&View::of(&facts(&config, known)));
        let demo = ("signup.arrival", Value::text("demo_request"));
        let enterprise = ("product", Value::text("enterprise"));
        assert_eq!(track(&[]), Track::SelfServe);
        assert_eq!(track(std::slice::from_ref(&enterprise)), Track::Review);
        assert_eq!(track(&[enterprise, demo]), Track::SdrQueue);
    }

    #[test]
    fn where_a_lead_waits_hangs_on_nothing_that_is_learned_on_the_way() {
        assert_eq!(findings(BY_ARRIVAL, ""), []);
        for (from, to, said) in [
            ("product == \"enterprise\"", "company.hiring", "the track of undecided leads is chosen by what the signup itself says"),
            ("product == \"enterprise\"", "product == \"a\" && product == \"b\"", "`product == \"a\" && product == \"b\"` never holds"),
            ("    otherwise: self_serve\n", "", "the key `otherwise` is missing"),
            (
                "{when: signup.arrival == \"demo_request\", to: sdr_queue, because: asked}",
                "{to: sdr_queue, because: x}",
                "the key `when` is missing",
            ),
            ("to: review", "to: sales", "sales_assist"),
        ] {
            let found = findings(&BY_ARRIVAL.replace(from, to), "");
            assert!(matches!(found.as_slice(), [finding] if finding.line > 1 && finding.message.contains(said)), "{to}: {found:?}");
        }
        let found = findings("route: {rules: [], otherwise: review, undecided: [review]}\n", "");
        assert!(found[0].message.contains("a track, or {rules:"), "{found:?}");
    }
}
