//! What the functions log, kept by run: `cargo dev` shows nothing that production logs would not say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// One log line: its fields as text, the sentence under `message`.
pub type Line = BTreeMap<&'static str, String>;

/// The lines of all runs so far.
#[derive(Clone, Default)]
pub struct Journal {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    by_run: BTreeMap<String, Vec<Line>>,
    /// The runs whose messages came to an end, and how often each had before.
    ended: Vec<(String, usize)>,
    /// What the sweeper said, which is about no run.
    refreshed: Vec<Line>,
}

impl Journal {
    /// How many messages of signups came to an end; a repeated delivery counts again.
    #[must_use]
    pub fn ends(&self) -> usize {
        self.state().ended.len()
    }

    /// The runs that came to an end after the first `seen`, in order, and how often each had before.
    #[must_use]
    pub fn ended_after(&self, seen: usize) -> Vec<(String, usize)> {
        self.state().ended.iter().skip(seen).cloned().collect()
    }

    /// What the sweeper said after its first `seen` lines.
    #[must_use]
    pub fn refreshed_after(&self, seen: usize) -> Vec<Line> {
        self.state().refreshed.iter().skip(seen).cloned().collect()
    }

    /// The lines of one run and stage, in order.
    #[must_use]
    pub fn of(&self, run: &str, stage: &str) -> Vec<Line> {
        let state = self.state();
        let lines = state.by_run.get(run).into_iter().flatten();
        lines.filter(|line| line.get("stage").is_some_and(|name| name == stage)).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the journal as it was between two lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a line says that the work on a signup's message is over.
pub(crate) fn is_end(line: &Line) -> bool {
    line.contains_key("outcome") && line.get("stage").is_some_and(|stage| stage == "lookup")
}

impl<S: tracing::Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields(Line::new());
        event.record(&mut fields);
        let line = fields.0;
        if line.get("stage").is_some_and(|stage| stage == "refresh") {
            self.state().refreshed.push(line);
            return;
        }
        let (Some(run), true) = (line.get("run").cloned(), line.contains_key("stage")) else { return };
        let mut state = self.state();
        if is_end(&line) {
            let earlier = state.by_run.get(&run).map_or(0, |lines| lines.iter().filter(|line| is_end(line)).count());
            state.ended.push((run.clone(), earlier));
        }
        state.by_run.entry(run).or_default().push(line);
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
