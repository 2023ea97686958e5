//! What is well formed and can still never do what it says (DESIGN §9): rules that no lead comes to, steps that nobody can pay for,
//! fields that nobody tells, a budget that leaves Critical nothing.
//!
//! A lint says what is certain and nothing else: where there is too much to look at, it says nothing.

mod money;
mod never;
mod order;
mod sheet;
mod supplied;
mod worlds;

use std::collections::BTreeSet;

use super::check::{Checker, parse};
use super::document::{Main, Preset};
use super::rules::PRESETS;
use super::{Config, Finding, MAIN_FILE, Sources};
use crate::plan::Catalogue;
use crate::schema::Schema;
use sheet::Sheet;

/// Looks at a configuration in which nothing is wrong by itself, and at the presets that are not in use, each alone. `fields` is the
/// schema without segments and audiences. The findings are in order of file and line.
pub(super) fn lint(sources: &Sources, fields: Schema, config: &Config) -> Vec<Finding> {
    let (Ok(main), Some(schema)) = (parse::<Main>(sources, MAIN_FILE), schema_of_main(sources, fields)) else { return Vec::new() };
    let chosen = format!("{PRESETS}{}.yaml", main.preset.value);
    let mut found = BTreeSet::new();
    for (file, _) in sources.below(PRESETS) {
        let Ok(preset) = parse::<Preset>(sources, file) else { continue };
        if file == chosen {
            let in_force = Sheet::of(&config.schema, Some(&main), file, &preset);
            found.extend(of_sheet(&in_force, &config.catalogue));
            found.extend(never::filters(&in_force, &main.rules));
            found.extend(money::findings(&in_force, &main.credits, config));
        } else {
            let schema = schema_of_preset(sources, file, schema.clone());
            found.extend(of_sheet(&Sheet::of(&schema, None, file, &preset), &config.catalogue));
        }
    }
    found.into_iter().collect()
}

/// The schema with the segments and audiences of the main file.
fn schema_of_main(sources: &Sources, fields: Schema) -> Option<Schema> {
    let main = parse::<Main>(sources, MAIN_FILE).ok()?;
    let mut checker = Checker::new(fields, Catalogue::new());
    checker.names(MAIN_FILE, main.segments, main.audiences);
    Some(checker.schema)
}

/// The same with those of a preset.
fn schema_of_preset(sources: &Sources, file: &str, of_main: Schema) -> Schema {
    let mut checker = Checker::new(of_main, Catalogue::new());
    if let Ok(preset) = parse::<Preset>(sources, file) {
        checker.names(file, preset.segments, preset.audiences);
    }
    checker.schema
}

fn of_sheet(sheet: &Sheet<'_>, catalogue: &Catalogue) -> Vec<Finding> {
    // A segment that never holds spoils every rule that names it; it is said once.
    let found = never::names(sheet);
    if !found.is_empty() {
        return found;
    }
    let mut found = never::rules(sheet);
    found.extend(order::routes(sheet));
    found.extend(order::sets(sheet));
    found.extend(supplied::findings(sheet, catalogue));
    found
}
