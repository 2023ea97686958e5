//! The section `verticals`: which companies do not produce which fields (S3-75).

use super::check::{Checker, line};
use super::document::VerticalSection;
use crate::condition::Condition;
use crate::schema::Field;
use crate::vertical::Vertical;

impl Checker {
    pub(super) fn verticals(&mut self, file: &str, sections: Vec<VerticalSection>) -> Vec<Vertical> {
        sections.into_iter().filter_map(|section| self.vertical(file, section)).collect()
    }

    fn vertical(&mut self, file: &str, section: VerticalSection) -> Option<Vertical> {
        let when = self.rule_condition(file, &section.when);
        if section.lacks.value.is_empty() {
            let message = "this vertical lacks nothing; write the fields that its companies do not produce, or drop it";
            self.find(file, line(&section.lacks), message.to_owned());
        }
        let read = when.as_ref().map(Condition::fields).unwrap_or_default();
        let mut lacks: Vec<Field> = Vec::new();
        for written in &section.lacks.value {
            let Some(field) = self.field(file, written) else { continue };
            if read.contains(&field) {
                let message = format!("`{field}` cannot be lacking where `when` reads it; drop it here, or write another condition");
                self.find(file, line(written), message);
            }
            if lacks.contains(&field) {
                self.find(file, line(written), format!("`{field}` is named twice; once is enough"));
            }
            lacks.push(field);
        }
        Some(Vertical { when: when?, lacks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Draft, Finding, Findings, Sources};
    use crate::decide::{Evidence, decide};
    use crate::merge::merge;
    use crate::observation::{Basis, Observation};
    use crate::plan::Catalogue;
    use crate::units::{BasisPoints, Timestamp};
    use crate::value::Value;

    const PRESET: &str = "
freshness: signup
verticals:
  - {when: company.industry == \"law\", lacks: [company.tech_stack]}
steps: []
score:
  - {when: company.funding_stage == \"series_a\", points: 30, because: funded}
route: {rules: [], otherwise: self_serve, undecided: self_serve}
";

    /// A configuration whose section `verticals` stands in lines 4 and after of the main file.
    fn config(verticals: &str) -> Result<Config, Findings> {
        let main = format!("version: 1\npreset: small\ncredits: {{allocation: 10}}\n{verticals}\n");
        let files = [("millrace.yaml", main), ("presets/small.yaml", PRESET.to_owned())];
        Draft::read(&Sources::new(files.map(|(path, text)| (path.to_owned(), text))))?.check(Catalogue::new())
    }

    fn mistakes(verticals: &str) -> Vec<Finding> {
        config(verticals).unwrap_err().0
    }

    #[test]
    fn the_main_files_verticals_replace_the_presets() {
        let lacks = |verticals| config(verticals).unwrap().verticals[0].lacks[0].to_string();
        assert_eq!(lacks(""), "company.tech_stack");
        assert_eq!(lacks("verticals: [{when: company.industry == \"law\", lacks: [company.size]}]"), "company.headcount_range");
        assert_eq!(config("verticals: []").unwrap().verticals, []);
    }

    #[test]
    fn s3_75_mistakes_in_verticals_are_found_with_their_line() {
        let cases = [
            (
                "{when: company.industry == \"law\", lacks: [company.tech_stak]}",
                "`company.tech_stak` is not a field; did you mean `company.tech_stack`?",
            ),
            (
                "{when: company.industry == \"law\", lacks: []}",
                "this vertical lacks nothing; write the fields that its companies do not produce, or drop it",
            ),
            (
                "{when: company.industry == \"law\", lacks: [company.industry]}",
                "`company.industry` cannot be lacking where `when` reads it; drop it here, or write another condition",
            ),
            ("{when: company.industry == \"law\", lacks: [company.crm, account.crm]}", "`company.crm` is named twice; once is enough"),
            ("{when: score > 5, lacks: [company.crm]}", "the score can be read by routes and steps only: here it does not exist yet"),
        ];
        for (section, said) in cases {
            assert_eq!(mistakes(&format!("verticals:\n  - {section}")), [Finding::new("millrace.yaml", 5, said)], "{section}");
        }
    }
    /// Why the funding stage is absent, in the words of the decision, for a company of this industry.
    fn why_absent(industry: Option<&str>, stated: u16) -> String {
        let config = config("verticals: [{when: company.industry == \"restaurants\", lacks: [company.funding_stage]}]").unwrap();
        let now = Timestamp::from_millis(0);
        let said = industry.map(|industry| Observation {
            field: Field::known("company.industry"),
            value: Value::text(industry),
            source: "registry".to_owned(),
            family: "registry".to_owned(),
            observed_at: now,
            stated: BasisPoints::new(stated),
            basis: Basis::Stated,
        });
        let facts = merge(said.as_slice(), &config.schema, &config.trust, now);
        let evidence = Evidence { facts: &facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: now };
        decide(&config, &evidence, 1, now).absence_words(&Field::known("company.funding_stage"))
    }

    #[test]
    fn s3_75_the_decision_says_that_the_vertical_does_not_produce_the_data() {
        assert_eq!(why_absent(Some("restaurants"), 10_000), "company.funding_stage: not produced in this vertical");
        assert_eq!(why_absent(Some("software"), 10_000), "company.funding_stage: nobody was asked");
        assert_eq!(why_absent(None, 0), "company.funding_stage: nobody was asked", "a new company lacks nothing");
        assert_eq!(why_absent(Some("restaurants"), 5000), "company.funding_stage: nobody was asked", "not sure enough of the vertical");
    }
}
