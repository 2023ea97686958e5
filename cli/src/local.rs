//! Where the tables of `cargo dev` are.

use anyhow::{Result, bail};

/// The tables of `cargo dev`.
pub(crate) const LOCAL_TABLES: &str = "http://127.0.0.1:7701";

/// The address of local tables, as `--local` takes it.
pub(crate) fn tables_at(written: &str) -> Result<String> {
    let rest = written.strip_prefix("http://").or_else(|| written.strip_prefix("https://"));
    if rest.is_none_or(str::is_empty) {
        bail!("`{written}` is no address; write for example {LOCAL_TABLES}");
    }
    Ok(written.to_owned())
}

/// What to look at when there is no answer.
pub(crate) fn is_it_up(local: &str) -> String {
    format!("is `cargo dev` up, and are its tables at {local}? They listen on the port after that of the webhooks; it prints both")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_refused_with_an_example() {
        assert_eq!(tables_at("http://127.0.0.1:9001").unwrap(), "http://127.0.0.1:9001");
        for written in ["127.0.0.1:7701", "foo", "", "http://"] {
            let why = tables_at(written).unwrap_err().to_string();
            assert!(why.contains(LOCAL_TABLES), "{why}");
        }
    }
}
