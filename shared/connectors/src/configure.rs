//! The configuration as a whole: rules and connectors, checked against each other.

use domain::config::{Config, Draft, Finding, Findings, Sources};
use domain::plan::Catalogue;
use domain::schema::Schema;

use crate::load::{Connectors, load, load_without_examples};

/// Reads connectors and rules out of the files of one configuration.
///
/// # Errors
/// Every mistake that was found. Mistakes in connectors hide those in the rules that name them.
pub fn configure(sources: &Sources) -> Result<(Config, Connectors), Findings> {
    put_together(sources, load, |draft, catalogue| draft.check(catalogue))
}

/// As [`configure`], for a function: without the recorded examples, which are the connectors' tests and a fifth of what reading
/// the configuration costs every new process (ADR 0007), and without the lint, which `config check` has done before.
///
/// # Errors
/// As [`configure`].
pub fn configure_for_use(sources: &Sources) -> Result<(Config, Connectors), Findings> {
    put_together(sources, load_without_examples, |draft, catalogue| draft.check_for_use(catalogue))
}

type Check = fn(Draft<'_>, Catalogue) -> Result<Config, Findings>;
type Load = fn(&Sources, &Schema) -> Result<Connectors, Vec<Finding>>;

fn put_together(sources: &Sources, load: Load, check: Check) -> Result<(Config, Connectors), Findings> {
    let draft = Draft::read(sources)?;
    let connectors = load(sources, draft.schema()).map_err(Findings)?;
    let config = check(draft, connectors.catalogue())?;
    Ok((config, connectors))
}
