//! Where the counters are.

use anyhow::Result;
use platform::Table;

use crate::stack::{Stack, Which};

/// The output that names the table.
const CREDITS_OUTPUT: &str = "CreditsTable";

/// The stack's ledger.
pub(super) async fn ledger_of(which: &Which) -> Result<Stack> {
    which.connect(Table::Credits, CREDITS_OUTPUT).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_that_is_asked_for_is_in_the_template() {
        assert!(include_str!("../../../template.yaml").contains(&format!("\n  {CREDITS_OUTPUT}:\n    Description:")));
    }
}
