//! The configuration as a whole: rules and connectors, checked against each other.

use domain::config::{Config, Findings, Sources};

use crate::load::{Connectors, load};

/// Reads connectors and rules out of the files of one configuration.
///
/// # Errors
/// Every mistake that was found. Mistakes in connectors hide those in the rules that name them.
pub fn configure(sources: &Sources) -> Result<(Config, Connectors), Findings> {
    let schema = Config::schema(sources)?;
    let connectors = load(sources, &schema).map_err(Findings)?;
    let config = Config::check(sources, connectors.catalogue())?;
    Ok((config, connectors))
}
