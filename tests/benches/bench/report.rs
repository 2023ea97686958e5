//! The rows that were measured, as one Markdown table and one JSON file.

use std::fmt::{self, Display};
use std::path::Path;

use serde_json::{Value, json};

use crate::row::{Row, Verdict};

const HEAD: [&str; 6] = ["row", "what", "value", "gate", "stretch", "verdict"];

/// What one measurement gives: rows, and what must be said about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn notes(&mut self, notes: impl IntoIterator<Item = String>) {
        self.notes.extend(notes);
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
    }

    /// Whether a gate failed, or a row that should have been measured was not.
    pub(crate) fn has_failed(&self) -> bool {
        self.rows.iter().any(|row| row.verdict() == Verdict::Fail)
    }

    /// Writes rows and notes as JSON.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let text = serde_json::to_string_pretty(&json!({"rows": rows, "notes": self.notes}))?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, text + "\n")?)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", HEAD.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(HEAD.len()))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.cells().map(|cell| cell.replace('|', "\\|")).join(" | "))?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}
