//! What the tests of our functions' processes ask again and again.

use std::ffi::OsStr;
use std::io;

use serde_json::{Value, json};

use crate::{Function, Outcome, Started};

/// The answer that reports these records of a batch, and no others, as failed.
#[must_use]
pub fn failures(ids: &[&Value]) -> Outcome {
    Outcome::Answer(json!({ "batchItemFailures": ids.iter().map(|id| json!({ "itemIdentifier": id })).collect::<Vec<Value>>() }))
}

/// What a bootstrap says that does not start with these variables.
///
/// # Errors
/// When it starts after all, or cannot even be tried.
pub async fn failure_of<I, N, V>(bootstrap: &str, variables: I) -> io::Result<String>
where
    I: IntoIterator<Item = (N, V)>,
    N: AsRef<OsStr>,
    V: AsRef<OsStr>,
{
    match Function::start(bootstrap, variables).await?.started().await {
        Started::Failed(why) => Ok(why),
        Started::Ready => Err(io::Error::other("it started")),
    }
}

/// Ends the process and gives back its log.
///
/// # Errors
/// When the log shows something private, in whatever case, or has a line that is no JSON object.
pub async fn log_of(function: Function, private: &[&str]) -> io::Result<String> {
    let log = function.stop().await?;
    let lower = log.to_lowercase();
    if let Some(shown) = private.iter().find(|private| lower.contains(&private.to_lowercase())) {
        return Err(io::Error::other(format!("the log shows {shown}:\n{log}")));
    }
    let is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object());
    match log.lines().find(|line| !is_json(line)) {
        Some(line) => Err(io::Error::other(format!("no line of JSON: {line}"))),
        None => Ok(log),
    }
}
