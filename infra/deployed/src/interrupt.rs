//! Ctrl-C, noticed whenever it comes.

use anyhow::{Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from the start, so that a Ctrl-C between two steps is not lost.
pub(crate) struct Interrupt(Signal);

impl Interrupt {
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?))
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn wait(&mut self) {
        self.0.recv().await;
    }

    /// Works until Ctrl-C, which drops the work and is an error.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.wait() => bail!("interrupted"),
        }
    }
}
