//! Score sets by product or source, and the tiers of the score (S3-15, S2-65).

use serde_saphyr::Spanned;

use super::check::{Checker, line};
use super::document::{SetSection, TierSection};
use crate::condition::Condition;
use crate::schema::Field;
use crate::score::ScoreSet;
use crate::tier::{Band, Tiers};

/// What a signup says of itself besides `signup.*`: known from its first moment or never.
const OF_THE_SIGNUP: &[&str] = &["product", "source.type"];

impl Checker {
    pub(super) fn sets(&mut self, file: &str, sections: Vec<SetSection>) -> Vec<ScoreSet> {
        let mut sets: Vec<ScoreSet> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for section in sections {
            if names.contains(&section.name.value) {
                let message = format!("there are two sets named `{}`; give each its own name", section.name.value);
                self.find(file, line(&section.name), message);
            }
            names.push(section.name.value.clone());
            sets.extend(self.set(file, section));
        }
        sets
    }

    fn set(&mut self, file: &str, section: SetSection) -> Option<ScoreSet> {
        if section.score.is_none() && section.route.is_none() {
            let message = format!("set `{}` changes nothing; write `score`, `route` or both", section.name.value);
            self.find(file, line(&section.name), message);
        }
        let score = section.score.map(|rules| self.score(file, rules));
        let route = section.route.map(|rules| self.route(file, rules));
        let when = self.condition_on_signup(file, &section.when, "a set")?;
        Some(ScoreSet { name: section.name.value, when, score, route })
    }

    /// A condition that reads only what the signup itself says.
    pub(super) fn condition_on_signup(&mut self, file: &str, written: &Spanned<String>, what: &str) -> Option<Condition> {
        let when = self.rule_condition(file, written)?;
        for field in when.fields().iter().filter(|field| !is_of_the_signup(field)) {
            let message = format!(
                "{what} is chosen by what the signup itself says, so that it never changes on the way; `{field}` is learned later: \
                 read product, source.type or signup.*, or write a rule that reads `{field}`"
            );
            self.find(file, line(written), message);
        }
        Some(when)
    }

    pub(super) fn tiers(&mut self, file: &str, sections: Vec<TierSection>) -> Tiers {
        let mut bands: Vec<Band> = Vec::new();
        for section in &sections {
            let (name, from) = (&section.name.value, section.from.value);
            if !(0..=100).contains(&from) {
                let message = format!("tier `{name}` begins at {from}; a score is between 0 and 100");
                self.find(file, line(&section.from), message);
            }
            if let Some(other) = bands.iter().find(|band| band.from == from) {
                let message = format!("the tiers `{}` and `{name}` both begin at {from}; give each its own points", other.name);
                self.find(file, line(&section.from), message);
            }
            if bands.iter().any(|band| band.name == *name) {
                self.find(file, line(&section.name), format!("there are two tiers named `{name}`; give each its own name"));
            }
            bands.push(Band { name: name.clone(), from });
        }
        let lowest = sections.iter().min_by_key(|section| section.from.value);
        if let Some(lowest) = lowest.filter(|lowest| lowest.from.value > 0) {
            let message = format!("a score below {} has no tier; let the lowest begin with `from: 0`", lowest.from.value);
            self.find(file, line(&lowest.from), message);
        }
        Tiers::new(bands)
    }
}

fn is_of_the_signup(field: &Field) -> bool {
    OF_THE_SIGNUP.contains(&field.as_str()) || field.as_str().starts_with("signup.")
}

#[cfg(test)]
mod tests {
    use crate::condition::View;
    use crate::config::tests::{assert_found, config, facts, findings};
    use crate::decide::{Evidence, decide};
    use crate::decision::Decision;
    use crate::route::Track;
    use crate::schema::Field;
    use crate::score::Interval;
    use crate::units::Timestamp;
    use crate::value::Value;

    const SETS: &str = "sets:
  - name: enterprise_product
    when: product == \"enterprise\"
    score: [{when: company.headcount >= 1000, points: 100, because: an enterprise}]
    route: {rules: [{when: score >= 50, to: sales_assist, because: big}], otherwise: sdr_queue, undecided: review}
  - name: partners
    when: signup.source == \"partner\" || source.type == \"exclusive\"
    score: [{when: phone.valid, points: 5, because: reachable}]
";

    #[test]
    fn s3_15_the_first_set_that_holds_is_used_and_else_the_default() {
        for config in [config(SETS, ""), config("", SETS)] {
            let chosen = |known: &[(&str, Value)]| {
                let known = facts(&config, known);
                let (score, route, name) = config.set_for(&View::of(&known));
                (score[0].points, route.otherwise, name.map(str::to_owned))
            };
            assert_eq!(chosen(&[]), (30, Track::SelfServe, None));
            assert_eq!(chosen(&[("product", Value::text("starter"))]), (30, Track::SelfServe, None));
            let enterprise = ("product", Value::text("enterprise"));
            let partner = ("signup.source", Value::text("partner"));
            let of_partners = (5, Track::SelfServe, Some("partners".to_owned()));
            assert_eq!(chosen(std::slice::from_ref(&partner)), of_partners, "the default routing rules, where a set has none");
            assert_eq!(chosen(&[enterprise, partner]), (100, Track::SdrQueue, Some("enterprise_product".to_owned())));
            let read: Vec<String> = config.decision_fields().iter().map(ToString::to_string).collect();
            assert_eq!(read, ["company.headcount", "phone.valid", "product", "signup.source", "source.type"]);
        }
    }

    #[test]
    fn s3_15_x_16_and_s2_65_a_decision_carries_its_set_its_icp_score_and_its_tier() {
        let config = config(&format!("{SETS}tiers: [{{name: A, from: 80}}, {{name: B, from: 0}}]\n"), "");
        let decided = |known: &[(&str, Value)]| {
            let known = facts(&config, known);
            let evidence =
                Evidence { facts: &known, calls: &[], open: &[], paid_by: None, before: None, accepted_at: Timestamp::from_millis(0) };
            decide(&config, &evidence, 1, Timestamp::from_millis(5))
        };
        let enterprise = ("product", Value::text("enterprise"));
        let open = decided(std::slice::from_ref(&enterprise));
        assert_eq!((open.set.as_deref(), open.route.track, open.route.provisional), (Some("enterprise_product"), Track::Review, true));
        assert_eq!(open.tier.as_ref().unwrap().possible(), ["A", "B"]);
        assert_eq!(open.icp, Some(Interval { low: 0, high: 100 }));
        assert_eq!(open.absent.keys().map(Field::as_str).collect::<Vec<_>>(), ["company.headcount"], "what the set in use reads");
        let settled = decided(&[enterprise, ("company.headcount", Value::number(2000))]);
        assert_eq!((settled.route.track, settled.tier.as_ref().unwrap().known()), (Track::SalesAssist, Some("A")));
        let plain = decided(&[("company.headcount", Value::number(2000))]);
        assert_eq!((plain.set.as_deref(), plain.score.low, plain.route.track), (None, 30, Track::AeQueue));
        let stored = serde_json::to_value(&plain).unwrap();
        assert_eq!((stored.get("set"), &stored["tier"]), (None, &serde_json::json!(["B"])));
        assert_eq!(serde_json::from_value::<Decision>(stored).unwrap(), plain);
    }

    #[test]
    fn the_main_files_sets_and_tiers_replace_those_of_the_preset() {
        let config = config("sets: []\ntiers: [{name: X, from: 0}]\n", &format!("{SETS}tiers: [{{name: A, from: 0}}]\n"));
        assert!(config.sets.is_empty());
        assert_eq!(config.tiers.bands()[0].name, "X");
    }

    #[test]
    fn s3_15_mistakes_in_sets_are_found() {
        let set = |inner: &str| format!("sets:\n  - name: one\n{inner}\n");
        let score = "    score: [{when: phone.valid, points: 5, because: x}]";
        let read_later = |field: &str| {
            format!(
                "a set is chosen by what the signup itself says, so that it never changes on the way; `{field}` is learned later: read \
                 product, source.type or signup.*, or write a rule that reads `{field}`"
            )
        };
        assert_found(&[
            (&set(&format!("    when: company.headcount > 5\n{score}")), 2, &read_later("company.headcount")),
            (
                &format!("{}segments: {{big: company.hiring}}\n", set(&format!("    when: segment.big\n{score}"))),
                2,
                &read_later("company.hiring"),
            ),
            (
                &set(&format!("    when: score > 5\n{score}")),
                2,
                "the score can be read by routes and steps only: here it does not exist yet",
            ),
            (&set("    when: has(product)"), 1, "set `one` changes nothing; write `score`, `route` or both"),
            (
                &format!("{}  - name: one\n    when: has(product)\n{score}\n", set(&format!("    when: has(product)\n{score}"))),
                4,
                "there are two sets named `one`; give each its own name",
            ),
            (
                &set("    when: has(product)\n    score: [{when: phone.vald, points: 5, because: x}]"),
                3,
                "`phone.vald` is not a field; did you mean `phone.valid`? (at column 1)",
            ),
        ]);
    }

    #[test]
    fn s2_65_mistakes_in_tiers_are_found() {
        assert_found(&[
            ("tiers:\n  - {name: A, from: 101}\n  - {name: B, from: 0}\n", 1, "tier `A` begins at 101; a score is between 0 and 100"),
            (
                "tiers:\n  - {name: A, from: 0}\n  - {name: B, from: 0}\n",
                2,
                "the tiers `A` and `B` both begin at 0; give each its own points",
            ),
            ("tiers:\n  - {name: A, from: 50}\n  - {name: A, from: 0}\n", 2, "there are two tiers named `A`; give each its own name"),
            (
                "tiers:\n  - {name: A, from: 80}\n  - {name: B, from: 20}\n",
                2,
                "a score below 20 has no tier; let the lowest begin with `from: 0`",
            ),
        ]);
        assert_eq!(findings("tiers: [{name: C, from: 0}, {name: A, from: 80}]\n", ""), []);
    }
}
