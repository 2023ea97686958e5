//! docs/configuration.md says what the code does: its table of confidences and its list of fields are read here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::confidence::{Trust, UsualAge};
use domain::config::{Draft, Sources};
use domain::decide::{Evidence, decide};
use domain::decision::Outcome;
use domain::merge::merge;
use domain::observation::{Basis, Observation};
use domain::plan::Catalogue;
use domain::route::Track;
use domain::schema::{Field, FieldKind, Schema};
use domain::units::{BasisPoints, Millis, Timestamp};
use domain::value::Value;

const DOCUMENT: &str = include_str!("../../../docs/configuration.md");
const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const HEADCOUNT: Field = Field::known("company.headcount");

/// `a 8500 0, b 8000 0` → two observations of one value, and the reliability of their sources.
fn observations(cell: &str, value: i64, trust: &mut Trust) -> Vec<Observation> {
    let mut seen = Vec::new();
    for (nth, said) in cell.split(',').map(str::trim).filter(|said| !said.is_empty()).enumerate() {
        let words: Vec<&str> = said.split(' ').collect();
        let source = format!("{}{nth}-{value}", words[0]);
        trust.reliability.insert(source.clone(), BasisPoints::new(words[1].parse().unwrap()));
        seen.push(Observation {
            field: HEADCOUNT,
            value: Value::number(value),
            source,
            family: words[0].to_owned(),
            observed_at: NOW.before(Millis::days(words[2].parse().unwrap())),
            stated: BasisPoints::ONE,
            basis: Basis::Stated,
        });
    }
    seen
}

#[test]
fn the_worked_table_of_confidences_holds() {
    let rows = rows("| the best value is stated by |");
    assert!(rows.len() >= 8);
    for row in rows {
        let mut trust = Trust::default();
        let mut seen = observations(row[1], 200, &mut trust);
        seen.extend(observations(row[2], 9000, &mut trust));
        let fact = merge(&seen, &Schema::default(), &trust, NOW)[&HEADCOUNT].clone();
        assert_eq!((fact.value, fact.confidence.get()), (Value::number(200), row[3].parse().unwrap()), "{} against {}", row[1], row[2]);
    }
}

/// The cells of the table that begins with this heading, by row.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let table = DOCUMENT.split(heading).nth(1).unwrap();
    table.lines().skip(2).take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect()).collect()
}

/// `` `company.headcount` 200 `` → the field and its value.
fn written(cell: &str) -> (Field, Value) {
    let (path, text) = cell.strip_prefix('`').unwrap().split_once("` ").unwrap();
    let schema = Schema::default();
    let field = schema.field(path).unwrap();
    let value = match schema.kind_of(&field).0 {
        FieldKind::Number => Value::number(text.parse().unwrap()),
        FieldKind::Bool => Value::Bool(text.parse().unwrap()),
        _ => Value::text(text),
    };
    assert!(value.fits(schema.kind_of(&field).0), "{cell}");
    (field, value)
}

#[test]
fn s0_86_s0_87_the_worked_table_of_checks_holds() {
    let rows = rows("| the value | is stated by | known besides | confidence |");
    assert!(rows.len() >= 14);
    for row in rows {
        let mut trust = Trust::default();
        let (field, value) = written(row[1]);
        let mut seen = observations(row[2], 0, &mut trust);
        for observation in &mut seen {
            (observation.field, observation.value) = (field.clone(), value.clone());
        }
        let mut besides = observations("x 8000 0", 1, &mut trust);
        (besides[0].field, besides[0].value) = written(row[3]);
        seen.extend(besides);
        let fact = merge(&seen, &Schema::default(), &trust, NOW)[&field].clone();
        assert_eq!(fact.confidence.get(), row[4].parse::<u16>().unwrap(), "{} by {} beside {}", row[1], row[2], row[3]);
    }
}

#[test]
fn every_field_is_documented() {
    for field in Schema::default().fields() {
        assert!(DOCUMENT.contains(&format!("`{}` (", field.path)), "{} is missing in docs/configuration.md", field.path);
    }
}

/// The YAML of a section, up to the next one.
fn yaml_of(section: &str) -> String {
    let text = DOCUMENT.split(&format!("\n## {section}\n")).nth(1).unwrap_or_else(|| panic!("no section {section}"));
    let text = text.split("\n## ").next().unwrap();
    let blocks: String = text.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty(), "{section} has no example");
    blocks
}

#[test]
fn the_examples_of_segments_audiences_eligibility_sets_freshness_and_rules_have_no_mistakes() {
    let sections = ["Segments", "Audiences", "Eligibility", "Score sets and tiers", "Freshness", "Rules"].map(yaml_of).join("\n");
    let main = format!("version: 1\npreset: small\ncredits: {{allocation: 1000}}\n{sections}");
    let preset = "freshness: signup\nsteps: []\nscore: []\nroute: {rules: [], otherwise: self_serve, undecided: self_serve}\n";
    let sources = Sources::new([("millrace.yaml".to_owned(), main.clone()), ("presets/small.yaml".to_owned(), preset.to_owned())]);
    let config =
        Draft::read(&sources).and_then(|draft| draft.check(Catalogue::new())).unwrap_or_else(|findings| panic!("{findings}\n{main}"));
    assert_eq!((config.audiences.len(), config.sets.len(), config.rules.len()), (1, 1, 2));
    assert_eq!(config.freshness_table.preset, "crm");
    assert_eq!(config.eligibility.exclude.len(), 2);
}

/// The YAML below this heading.
fn example(heading: &str) -> &'static str {
    let section = DOCUMENT.split(heading).nth(1).unwrap();
    section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap()
}

#[test]
fn s4_46_the_risk_stack_rejects_reviews_and_routes_as_it_says() {
    let preset = format!("{}freshness: signup\nsteps: []\nscore: []\n", example("### A risk stack"));
    let main = "version: 1\npreset: risk\ncredits: {allocation: 1}\n".to_owned();
    let sources = Sources::new([("millrace.yaml".to_owned(), main), ("presets/risk.yaml".to_owned(), preset)]);
    let config = Draft::read(&sources).unwrap().check(Catalogue::new()).unwrap();
    let decided = |path: &'static str, value: Value| {
        let said = Observation {
            field: Field::known(path),
            value,
            source: "vendor".into(),
            family: "vendor".into(),
            observed_at: NOW,
            stated: BasisPoints::ONE,
            basis: Basis::Stated,
        };
        let facts = merge(&[said], &config.schema, &config.trust, NOW);
        let decision =
            decide(&config, &Evidence { facts: &facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: NOW }, 1, NOW);
        (decision.outcome, decision.route.track)
    };
    for (path, value, outcome, track) in [
        ("fraud.risk_score", Value::number(81), Outcome::Rejected, Track::Verification),
        ("fraud.risk_score", Value::number(80), Outcome::Routed, Track::SelfServe),
        ("litigation.history", Value::Bool(true), Outcome::Routed, Track::Review),
        ("litigation.history", Value::Bool(false), Outcome::Routed, Track::SelfServe),
        ("customer.previous", Value::Bool(true), Outcome::Routed, Track::SalesAssist),
    ] {
        assert_eq!(decided(path, value.clone()), (outcome, track), "{path} {value}");
    }
}

#[test]
fn s3_74_the_table_of_plausible_ages_is_the_default() {
    let written: Vec<UsualAge> = example("`[]` finds all plausible")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- {headcount: ")?.strip_suffix('}')?.split_once(", days: "))
        .map(|(headcount, days)| UsualAge { headcount: headcount.parse().unwrap(), days: days.parse().unwrap() })
        .collect();
    assert_eq!(written, Trust::default().domain_age);
}
