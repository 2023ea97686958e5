//! What the functions log, kept by run: `cargo dev` shows nothing that production logs would not say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// One log line: its fields as text, the sentence under `message`.
pub type Line = BTreeMap<&'static str, String>;

/// The lines of all runs so far.
#[derive(Clone, Default)]
pub struct Journal {
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Journal {
    /// The runs whose messages came to an end, in order; a repeated delivery stands twice.
    #[must_use]
    pub fn ended(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = lines.iter().filter(|line| line.get("stage").is_some_and(|stage| stage == "lookup") && line.contains_key("outcome"));
        ended.filter_map(|line| line.get("run").cloned()).collect()
    }

    /// The lines of one run and stage, in order.
    #[must_use]
    pub fn of(&self, run: &str, stage: &str) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let of_run = lines.iter().filter(|line| line.get("run").is_some_and(|id| id == run));
        of_run.filter(|line| line.get("stage").is_some_and(|name| name == stage)).cloned().collect()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields(Line::new());
        event.record(&mut fields);
        if fields.0.contains_key("stage") {
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(fields.0);
        }
    }
}

struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
