//! What changes, file by file, when something else comes into force.

use std::collections::BTreeSet;

use anyhow::Result;
use domain::config::Sources;
use pipeline::ports::{InForce, Settings as _, StoreError};

use crate::stack::Stack;

/// A file that is not as in the version before.
#[derive(Debug, PartialEq, Eq)]
enum Change<'a> {
    Added(&'a str),
    Changed(&'a str),
    Removed(&'a str),
}

/// The files of what is in force or may be, or why nobody can read them.
pub(crate) type Files = Result<Sources, String>;

impl Stack {
    /// The files of a version, as far as they can be read: whoever wants another one in force is not stopped by a broken one.
    pub(crate) async fn files_of(&self, in_force: &InForce) -> Result<Files> {
        let Some(hash) = in_force.hash() else {
            return Ok(Err("what came with the functions stands in no table".to_owned()));
        };
        match self.store.version(hash).await {
            Ok(Some(sources)) => Ok(Ok(sources)),
            Ok(None) => Ok(Err(format!("version {hash} cannot be found"))),
            Err(error @ StoreError::Unavailable(_)) => self.asked(Err(error)),
            Err(error) => Ok(Err(format!("version {hash} cannot be read: {error}"))),
        }
    }
}

/// The files that change, a line each, or why that cannot be said.
pub(super) fn told(before: &Files, after: &Files) -> String {
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return format!("  which files change cannot be said: {why}"),
    };
    let lines: Vec<String> = changes(before, after).iter().map(Change::line).collect();
    if lines.is_empty() { "  no file changes".to_owned() } else { lines.join("\n") }
}

fn changes<'a>(before: &'a Sources, after: &'a Sources) -> Vec<Change<'a>> {
    let paths: BTreeSet<&str> = before.iter().chain(after.iter()).map(|(path, _)| path).collect();
    let change = |path| match (before.text(path), after.text(path)) {
        (None, _) => Some(Change::Added(path)),
        (_, None) => Some(Change::Removed(path)),
        (before, after) => (before != after).then_some(Change::Changed(path)),
    };
    paths.into_iter().filter_map(change).collect()
}

impl Change<'_> {
    fn line(&self) -> String {
        match self {
            Self::Added(path) => format!("  added    {path}"),
            Self::Changed(path) => format!("  changed  {path}"),
            Self::Removed(path) => format!("  removed  {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_came_went_or_changed_are_named_and_no_others() {
        let of = |files: &[(&str, &str)]| Sources::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        let before = of(&[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]);
        let after = of(&[("a.yaml", "1"), ("b.yaml", "2"), ("d.yaml", "1")]);
        assert_eq!(changes(&before, &after), [Change::Changed("b.yaml"), Change::Removed("c.yaml"), Change::Added("d.yaml")]);
        assert_eq!(changes(&before, &before), []);
    }
}
