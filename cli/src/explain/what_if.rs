//! What would be decided if something were known, or were otherwise.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, anyhow};
use domain::config::Config;
use domain::decision::Decision;
use domain::run::Run;
use domain::what_if::{Supposed, WhatIf, what_if};
use serde_json::{Map, Value, json};

use super::text::interval;
use crate::table::table;

/// What is supposed, and the configuration that decides.
pub(super) struct Question {
    supposed: Vec<Supposed>,
    config: Config,
}

/// Both decisions.
pub(super) struct Answer<'a> {
    run: &'a Run,
    question: &'a Question,
    what_if: WhatIf,
}

impl Question {
    pub(super) fn read(written: &[String], config: Config) -> Result<Self> {
        let supposed: Result<Vec<Supposed>, String> = written.iter().map(|text| Supposed::parse(text, &config.schema)).collect();
        Ok(Self { supposed: supposed.map_err(|wrong| anyhow!("{wrong}"))?, config })
    }

    pub(super) fn answer<'a>(&'a self, run: &'a Run) -> Result<Answer<'a>> {
        let what_if = what_if(run, &self.config, &self.supposed).context("nothing is decided about it yet")?;
        Ok(Answer { run, question: self, what_if })
    }
}

impl Answer<'_> {
    pub(super) fn json(&self) -> Value {
        let supposed: Map<String, Value> = self.question.supposed.iter().map(|one| (one.field.to_string(), json!(one.value))).collect();
        json!({
            "run": self.run.id,
            "pinned": self.run.config,
            "config": self.question.config.hash,
            "what_if": supposed,
            "before": self.what_if.before,
            "after": self.what_if.after,
        })
    }

    pub(super) fn text(&self) -> String {
        let WhatIf { before, after } = &self.what_if;
        let mut text = format!("run {}, configuration {}\n", self.run.id, self.question.config.hash);
        if self.run.config != self.question.config.hash {
            let _ = writeln!(text, "  it was decided under {}: both columns are by the configuration given here", self.run.config);
        }
        for one in &self.question.supposed {
            let _ = writeln!(text, "  what if {} were {}", one.field, one.value);
        }
        let mut rows = table(&["", "before", "after"]);
        rows.add_row(["score".to_owned(), interval(before), interval(after)]);
        rows.add_row(["route".to_owned(), route(before), route(after)]);
        rows.add_row(["gate", before.gate.verdict.as_str(), after.gate.verdict.as_str()]);
        rows.add_row(["outcome", before.outcome.as_str(), after.outcome.as_str()]);
        let _ = writeln!(text, "\n{rows}\n\nreasons, - for those that fall away and + for those that come");
        for reason in changes(&before.because(), &after.because()) {
            let _ = writeln!(text, "  {reason}");
        }
        if before == after {
            text.push_str("\nnothing changes\n");
        }
        text.trim_end().to_owned()
    }
}

fn route(decision: &Decision) -> String {
    let provisional = if decision.route.provisional { ", provisional" } else { "" };
    format!("{}{provisional}", decision.route.track.as_str())
}

/// What falls away, then all that holds afterwards.
fn changes(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|reason| !after.contains(reason)).map(|reason| format!("- {reason}"));
    let stand = after.iter().map(|reason| format!("{} {reason}", if before.contains(reason) { ' ' } else { '+' }));
    gone.chain(stand).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_fall_away_come_first_and_new_ones_are_marked() {
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(changes(&words(&["a", "b"]), &words(&["b", "c"])), ["- a", "  b", "+ c"]);
    }
}
