use comfy_table::{Table, presets};

/// A table without lines, as all commands print it.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}
