//! docs/configuration.md says what the code does: its table of confidences and its list of fields are read here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::confidence::Trust;
use domain::merge::merge;
use domain::observation::{Basis, Observation};
use domain::schema::{Field, Schema};
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
    let table = DOCUMENT.split("| the best value is stated by |").nth(1).unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect()).collect();
    assert!(rows.len() >= 8);
    for row in rows {
        let mut trust = Trust::default();
        let mut seen = observations(row[1], 200, &mut trust);
        seen.extend(observations(row[2], 9000, &mut trust));
        let fact = merge(&seen, &Schema::default(), &trust, NOW)[&HEADCOUNT].clone();
        assert_eq!((fact.value, fact.confidence.get()), (Value::number(200), row[3].parse().unwrap()), "{} against {}", row[1], row[2]);
    }
}

#[test]
fn every_field_is_documented() {
    for field in Schema::default().fields() {
        assert!(DOCUMENT.contains(&format!("`{}` (", field.path)), "{} is missing in docs/configuration.md", field.path);
    }
}
