//! First in line for the processors, so that what else runs on the machine is not measured.

use std::process::Command;

/// This process and those it starts run before all others while this lives.
pub(super) struct RealTime;

impl RealTime {
    /// `None` when the machine does not allow it: only root may, and not in every container.
    pub(super) fn begin() -> Option<Self> {
        change(&["--fifo"], "10").then_some(Self)
    }
}

impl Drop for RealTime {
    fn drop(&mut self) {
        change(&["--other"], "0");
    }
}

/// Changes all threads there are; new ones and children take after theirs.
fn change(policy: &[&str], priority: &str) -> bool {
    let id = std::process::id().to_string();
    let output = Command::new("chrt").arg("--all-tasks").args(policy).args(["--pid", priority, &id]).output();
    output.is_ok_and(|output| output.status.success())
}
