//! docs/configuration.md says what the code does: every line of its blocks of conditions and templates is tried here.

use domain::condition::{Condition, Truth, View};
use domain::merge::Facts;
use domain::schema::{Field, Schema};
use domain::template::{Hole, Template};
use domain::value::Value;

use crate::facts;

const DOCUMENT: &str = include_str!("../../../../docs/configuration.md");

/// What a line `known:` states, for the lines after it.
#[derive(Default)]
struct Record {
    known: Facts,
    open: Vec<Field>,
    score: Option<(i64, i64)>,
}

impl Record {
    /// `company.headcount = 200; score = 55…75; could come: contact.phone`
    fn parse(line: &str) -> Self {
        let mut record = Self::default();
        let mut known = Vec::new();
        for part in line.split(';').map(str::trim) {
            if let Some(path) = part.strip_prefix("could come: ") {
                record.open.push(Schema::default().field(path).unwrap());
                continue;
            }
            let (path, value) = part.split_once(" = ").unwrap_or_else(|| panic!("`{part}` states nothing"));
            match value.split_once('…') {
                Some((low, high)) => record.score = Some((low.parse().unwrap(), high.parse().unwrap())),
                None => known.push((path, Value::of_json(&serde_json::from_str(value).unwrap()).unwrap())),
            }
        }
        record.known = facts(known);
        record
    }

    fn view(&self) -> View<'_> {
        let view = View::of(&self.known).with_open(self.open.iter().cloned());
        self.score.map_or(view.clone(), |(low, high)| view.with_score(low, high))
    }
}

/// The lines of the blocks with this tag: the record, what is written, and what is said to come of it.
fn lines(tag: &str) -> Vec<(Record, &'static str, &'static str)> {
    let mut lines = Vec::new();
    for block in DOCUMENT.split(&format!("```{tag}\n")).skip(1) {
        let mut known = "";
        for line in block.lines().take_while(|line| *line != "```") {
            match line.strip_prefix("known: ") {
                Some(stated) => known = stated,
                None => {
                    let (written, outcome) = line.split_once('→').unwrap_or_else(|| panic!("`{line}` says no outcome"));
                    lines.push((Record::parse(known), written.trim(), outcome.trim()));
                }
            }
        }
    }
    lines
}

fn assert_refused(written: &str, outcome: &str, error: &str) {
    let said = outcome.strip_prefix("refused: ").unwrap_or_else(|| panic!("`{written}` is refused: {error}"));
    assert!(error.contains(said), "`{written}`: {error}");
}

#[test]
fn the_conditions_of_the_guide_answer_as_it_says() {
    let lines = lines("conditions");
    assert!(lines.len() >= 30, "{} lines", lines.len());
    for (record, written, outcome) in lines {
        match Condition::parse(written, &Schema::default()) {
            Ok(condition) => {
                let answer = match condition.evaluate(&record.view()) {
                    Truth::True => "true",
                    Truth::False => "false",
                    Truth::Unknown => "unknown",
                };
                assert_eq!(answer, outcome, "`{written}`");
            }
            Err(error) => assert_refused(written, outcome, &error.to_string()),
        }
    }
}

#[test]
fn the_templates_of_the_guide_fill_as_it_says() {
    let lines = lines("templates");
    assert!(lines.len() >= 5, "{} lines", lines.len());
    for (record, written, outcome) in lines {
        let value = |hole: &Hole| match hole {
            Hole::Field(field) => record.view().value(field).map(ToString::to_string),
            Hole::Name(_) => None,
        };
        match Template::parse(written, &Schema::default(), &[]) {
            Ok(template) => assert_eq!(template.fill(value).as_deref().unwrap_or("left out"), outcome, "`{written}`"),
            Err(error) => assert_refused(written, outcome, &error),
        }
    }
}
