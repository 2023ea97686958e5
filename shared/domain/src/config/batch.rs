//! Steps whose calls wait for those of other runs, to go out as one request (S4-33).

use serde_saphyr::Spanned;

use super::check::{Checker, line};
use crate::plan::{Batch, BatchTerms, Operation};
use crate::units::Millis;

/// A batch of fewer is none.
const SIZE_LEAST: u32 = 2;

impl Checker {
    /// How a step's calls go out together; at least one of its providers has to take that.
    pub(super) fn batch(&mut self, file: &str, step: &str, written: &Spanned<Batch>, providers: &[String]) -> Batch {
        let Batch { size, wait } = written.value;
        let mut find = |message: String| self.findings.push(super::Finding::new(file, line(written), message));
        if size < SIZE_LEAST {
            find(format!("step `{step}`: a batch of {size} is no batch; write {SIZE_LEAST} or more, or drop `batch`"));
        }
        let operations: Vec<&Operation> = providers.iter().filter_map(|name| self.catalogue.get(name)).collect();
        let longest = operations.iter().filter(|operation| operation.batch.is_some()).map(|operation| operation.timeout).max();
        let most = Millis(self.background.0 - longest.unwrap_or(Millis(0)).0);
        if wait <= Millis(0) || wait > most {
            find(format!(
                "step `{step}`: a wait of {wait} is of no use, for all of a run is to end within `deadlines.background`, {}, and the call itself may take {}; write more than 0ms and at most {most}, such as 2s",
                self.background,
                longest.unwrap_or(Millis(0))
            ));
        }
        let terms = operations.iter().filter_map(|operation| Some((operation.name.as_str(), operation.batch.as_ref()?)));
        for (name, BatchTerms { at_least, .. }) in terms.clone().filter(|(_, terms)| size < terms.at_least) {
            find(format!(
                "step `{step}`: `{name}` takes no batch of fewer than {at_least}, so each call goes out by itself after its wait; write `size: {at_least}` or more"
            ));
        }
        match terms.max_by_key(|(_, terms)| terms.most) {
            None if !operations.is_empty() => {
                let able: Vec<&str> =
                    self.catalogue.values().filter(|known| known.batch.is_some()).map(|known| known.name.as_str()).collect();
                let known =
                    if able.is_empty() { "no connector has one".to_owned() } else { format!("these have one: {}", able.join(", ")) };
                find(format!("no provider of step `{step}` has a batch form; {known}; write it into the connector, or drop `batch`"));
            }
            Some((name, BatchTerms { most, .. })) if size > *most => {
                find(format!("step `{step}`: `{name}` takes at most {most} in one request; write `size: {most}` or less"));
            }
            _ => {}
        }
        written.value
    }
}
