//! What `config check` says of a configuration that is well formed and can still never do what it says: mistakes that are seeded
//! into the bundled files, and harmless changes of which nothing is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod harmless;
mod never;
mod oracle;
mod order;
mod plan;
mod table;

use domain::config::{Draft, Finding, Sources};
use domain::credits::Price;
use domain::plan::{Catalogue, Operation};
use domain::schema::{FieldClass, Schema};
use domain::units::{Credits, Millis};
use serde_json::Value;

const MAIN: &str = "millrace.yaml";
const SIGNUP: &str = "presets/signup.yaml";
const SEED: &str = "presets/seed.yaml";
const PLG: &str = "presets/plg.yaml";
const FILES: [(&str, &str); 4] = [
    (MAIN, include_str!("../../../../config/millrace.yaml")),
    (SIGNUP, include_str!("../../../../config/presets/signup.yaml")),
    (SEED, include_str!("../../../../config/presets/seed.yaml")),
    (PLG, include_str!("../../../../config/presets/plg.yaml")),
];
const CONNECTORS: [&str; 7] = [
    include_str!("../../../../config/connectors/crustdata.company.yaml"),
    include_str!("../../../../config/connectors/crustdata.person.yaml"),
    include_str!("../../../../config/connectors/dns.address.yaml"),
    include_str!("../../../../config/connectors/dns.yaml"),
    include_str!("../../../../config/connectors/email.yaml"),
    include_str!("../../../../config/connectors/rdap.yaml"),
    include_str!("../../../../config/connectors/website.yaml"),
];

/// What the lint reads of a bundled connector: a built-in one tells what its first examples expect.
fn operation(text: &str) -> Operation {
    let document: Value = serde_saphyr::from_str(text).unwrap();
    let word = |name: &str| document[name].as_str().map(str::to_owned);
    let provider = word("provider").unwrap();
    let name = word("operation").map_or_else(|| provider.clone(), |operation| format!("{provider}.{operation}"));
    let mapped = document["reply"]["fields"].as_object();
    let expected = document["examples"].as_array().unwrap().iter().filter_map(|example| example["expect"].as_object());
    let fields = mapped.map_or_else(|| expected.flat_map(|fields| fields.keys()).collect::<Vec<_>>(), |fields| fields.keys().collect());
    let per_hit = document["price"]["per_hit"].as_i64().map_or(Credits::ZERO, Credits::whole);
    Operation {
        name,
        family: provider.clone(),
        provider,
        keys: vec![],
        supplies: fields.into_iter().map(|path| Schema::default().field(path).unwrap()).collect(),
        inferred: vec![],
        price: Price { per_hit, ..Price::default() },
        class: FieldClass::Company,
        timeout: Millis::seconds(1),
        batch: None,
    }
}

fn catalogue() -> Catalogue {
    CONNECTORS.map(operation).into_iter().map(|operation| (operation.name.clone(), operation)).collect()
}

type Edit<'a> = (&'a str, &'a str, &'a str);

fn edited(edits: &[Edit<'_>]) -> Sources {
    let mut files: Vec<(String, String)> = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    for (file, from, to) in edits {
        let (_, text) = files.iter_mut().find(|(path, _)| path == file).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replacen(from, to, 1);
    }
    Sources::new(files)
}

fn findings(edits: &[Edit<'_>]) -> Vec<Finding> {
    let sources = edited(edits);
    let checked = Draft::read(&sources).and_then(|draft| draft.check(catalogue()));
    checked.err().map(|findings| findings.0).unwrap_or_default()
}

/// The line in which `text` begins after the edits.
fn line_of(edits: &[Edit<'_>], file: &str, text: &str) -> u64 {
    let sources = edited(edits);
    let (before, _) = sources.text(file).unwrap().split_once(text).unwrap_or_else(|| panic!("{file} has no `{text}`"));
    u64::try_from(before.matches('\n').count()).unwrap() + 1
}

/// Each edit gives one finding, in the line where the text that it replaces begins or so many lines below.
fn assert_found(cases: &[(Edit<'_>, u64, &str)]) {
    for (edit, below, said) in cases {
        let (file, from, to) = edit;
        assert_eq!(findings(&[*edit]), [Finding::new(file, line_of(&[], file, from) + below, *said)], "{file}: {from} -> {to}");
    }
}

const ASKED: &str = "    - {when: 'signup.arrival in (\"contact_sales\", \"demo_request\")', to: sdr_queue, because: asked for sales}\n";
const SIXTY: &str = "    - {when: score >= 60, to: ae_queue, because: scored 60 or more}\n";

/// A further route rule of the preset `signup` behind its last one, and the line where it stands.
fn last_route(rule: &str) -> (Vec<Finding>, u64) {
    let to = format!("{SIXTY}    - {rule}\n");
    let edits = [(SIGNUP, SIXTY, to.as_str())];
    (findings(&edits), line_of(&[], SIGNUP, SIXTY) + 1)
}
