//! The configuration as it is shipped, with a third paid operation and credits for everybody.

use anyhow::{Context as _, ensure};
use connectors::{Connectors, configure_for_use};
use domain::config::{Config, MAIN_FILE, Sources};
use domain::plan::Until;

/// The third paid operation, which no preset has: what a company's site is built with, by domain, so that it is cached with the company.
pub(super) const SCAN: &str = "techscan.stack";

const SCAN_FILE: &str = "connectors/techscan.stack.yaml";
const SCAN_CONNECTOR: &str = r#"
provider: techscan
operation: stack
family: techscan
class: company
about: {primary_data: what a site is built with, coverage: the benches, resale: allowed}
request: {method: POST, base_url: "https://techscan.example", path: /stack, body: {}}
timeout: 5s
price: {per_hit: 1}
keys:
  domain: {body: {domain: "{{key}}"}}
reply:
  hit: [$.site]
  no_match: [$.nothing]
  fields:
    company.hosting: {path: $.hosting, as: word}
    company.cdn: {path: $.cdn, as: word}
    company.frameworks: {path: $.frameworks, as: words}
    company.cms: {path: $.cms, as: word}
"#;

const PRESET: &str = "presets/signup.yaml";
/// Asked between company and person, as the company is.
const SCAN_STEP: &str = "  - name: scan\n    wants: [company.hosting]\n    providers: [techscan.stack]\n";

/// Every limit of the credits is there, since each costs something, and nobody comes near it.
const CREDITS: [(&str, &str); 4] = [
    ("allocation: 10000\n", "allocation: 100000000\n"),
    ("day: 500\n", "day: 5000000\n"),
    ("week: 2500\n", "week: 25000000\n"),
    ("crustdata: 8000\n", "crustdata: 80000000\n"),
];

/// Reads and checks it.
pub(super) fn config() -> anyhow::Result<(Config, Connectors)> {
    let bundled = platform::bundled_config();
    let mut files: Vec<(String, String)> = bundled.below("").map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    for (path, text) in &mut files {
        if path == MAIN_FILE {
            for (shipped, ample) in CREDITS {
                ensure!(text.contains(shipped), "config/{MAIN_FILE} has no longer `{}`; bring world/config.rs up to date", shipped.trim());
                *text = text.replace(shipped, ample);
            }
        }
        if path == PRESET {
            let before_person = text.find("  - name: person\n").context("presets/signup.yaml has no longer a step `person`")?;
            text.insert_str(before_person, SCAN_STEP);
        }
    }
    files.push((SCAN_FILE.to_owned(), SCAN_CONNECTOR.to_owned()));
    let (mut config, connectors) = configure_for_use(&Sources::new(files))?;
    // The rows count what one call, two and three cost: none may be left out because the track is settled.
    config.plan.until = Until::Everything;
    Ok((config, connectors))
}
