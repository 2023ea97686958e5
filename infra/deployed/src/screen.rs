//! What a person sees: one line a step, with a spinner while it lasts and its time when it is done.
#![expect(clippy::print_stdout, reason = "this is the program's output")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Where steps are shown.
pub(crate) struct Screen;

impl Screen {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Shows a step while it lasts.
    pub(crate) async fn step<T>(&self, name: &str, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.set_message(format!("{name}: {what}"));
        spinner.enable_steady_tick(Duration::from_millis(120));
        let start = Instant::now();
        let done = work.await;
        spinner.finish_and_clear();
        let mark = if done.is_ok() { "ok  " } else { "FAIL" };
        println!("{mark} {name:<13}{what} ({:.1} s)", start.elapsed().as_secs_f64());
        done.with_context(|| format!("step `{name}`"))
    }

    /// Says something beside the steps.
    pub(crate) fn note(&self, text: &str) {
        println!("{text}");
    }
}
