//! No sample event lies about unused.

use std::collections::BTreeSet;
use std::path::Path;

use intake::sample::Sample;
use serde_json::Value;

use crate::{root, text_of};

/// Where sample events are used: the tests of the functions, those of the whole, and the tools around both.
const USERS: [&str; 3] = ["functions", "tests", "infra"];

fn read_sources(folder: &Path, texts: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read_sources(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// A test names a sample `provider-lookup.batch`, or `batch` where its helper puts the function's name before.
fn is_named(name: &str, sources: &[String]) -> bool {
    let Some((function, case)) = name.split_once('.') else { return false };
    let whole = format!("\"{name}\"");
    let in_helper = format!("\"{case}\"");
    let helper = format!("sample_event(&format!(\"{function}.");
    sources.iter().any(|text| text.contains(&whole) || (text.contains(&helper) && text.contains(&in_helper)))
}

fn unused(files: &BTreeSet<String>, expected: &Value, sources: &[String]) -> Vec<String> {
    let is_unused = |file: &&String| match Sample::case_of(file) {
        Some(case) => expected.get(case).is_none(),
        None => *file != "expected.json" && !is_named(file.trim_end_matches(".json"), sources),
    };
    files.iter().filter(is_unused).cloned().collect()
}

#[test]
fn every_sample_event_is_used() {
    let files: BTreeSet<String> =
        std::fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let expected: Value = serde_json::from_str(&text_of("events/expected.json")).unwrap();
    let mut sources = Vec::new();
    for user in USERS {
        for folder in std::fs::read_dir(root().join(user)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            let mut text = String::new();
            read_sources(&folder, &mut text);
            sources.push(text);
        }
    }
    assert_eq!(unused(&files, &expected, &sources), Vec::<String>::new());

    let more = ["signup-webhook.nobody-expects.json", "provider-lookup.nobody-names.json", "leftover.json"];
    let with_more = files.iter().cloned().chain(more.map(str::to_owned)).collect();
    assert_eq!(unused(&with_more, &expected, &sources), ["leftover.json", more[1], more[0]]);
    assert!(!unused(&files, &expected, &[]).is_empty());
}
