//! What a command prints.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use anyhow::{Context as _, Result};

/// Prints a line on standard output. Whoever stopped reading, as `head` does, has what they wanted: the rest is not printed, which
/// is no failure, and the command's work goes on.
pub(crate) fn say(line: impl Display) -> Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the output cannot be written"),
    }
}

/// Prints a line on standard error: what is no part of the answer. Whoever has closed it does not want it.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
