//! Transactions: one token for all attempts, so that a repeated one takes effect once; collisions are tried again.

use std::time::Duration;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use pipeline::ports::{Entropy as _, StoreError};
use rand::Rng as _;

use super::item::Item;
use super::{DynamoStore, unavailable};
use crate::clock::OsEntropy;

/// Overlapping transactions cancel each other; this many tries pass before we say that the store is busy.
const TRIES: u32 = 8;
/// The longest pause after the first collision; it doubles with each further one.
const FIRST_PAUSE_MS: u64 = 8;
const LONGEST_PAUSE_MS: u64 = 250;

/// What became of a transaction.
#[derive(Debug, PartialEq)]
pub(super) enum Transacted {
    /// All of it took effect.
    Done,
    /// Nothing took effect; for each item, in order, whether its condition failed: then the item as it stands, where that was asked
    /// for and there is one.
    Refused(Vec<Option<Item>>),
}

impl DynamoStore {
    /// Carries out all of `items` or nothing. The token is random and not derived from the content: a second call with
    /// the same content is a second wish, and has to learn that the first one took effect.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
        let token = OsEntropy.name();
        let mut pauses = Pauses::default();
        loop {
            let request = self.client.transact_write_items().set_transact_items(Some(items.clone())).client_request_token(&token);
            let Err(error) = request.send().await else { return Ok(Transacted::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
                return Err(unavailable("TransactWriteItems", &error));
            };
            let reasons = cancelled.cancellation_reasons();
            if reasons.iter().any(condition_failed) {
                let failed = |reason: &CancellationReason| condition_failed(reason).then(|| reason.item.clone().unwrap_or_default());
                return Ok(Transacted::Refused(reasons.iter().map(failed).collect()));
            }
            if let Some(code) = reasons.iter().filter_map(CancellationReason::code).find(|code| !passes_by_itself(code)) {
                return Err(StoreError::Unavailable(format!("TransactWriteItems: {code}")));
            }
            if !pauses.pause().await {
                return Err(StoreError::Unavailable(format!("TransactWriteItems: collided {TRIES} times")));
            }
        }
    }
}

/// The pauses after collisions, each about twice as long as the one before.
#[derive(Default)]
pub(super) struct Pauses {
    taken: u32,
}

impl Pauses {
    /// Waits; false, at once, when it was tried often enough.
    pub(super) async fn pause(&mut self) -> bool {
        self.taken += 1;
        if self.taken >= TRIES {
            return false;
        }
        tokio::time::sleep(jitter((FIRST_PAUSE_MS << (self.taken - 1)).min(LONGEST_PAUSE_MS))).await;
        true
    }
}

/// A pause of any length up to `longest_ms`: those that collided must not meet again.
fn jitter(longest_ms: u64) -> Duration {
    Duration::from_millis(rand::rng().random_range(0..=longest_ms))
}

fn condition_failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn passes_by_itself(code: &str) -> bool {
    matches!(code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
}

pub(super) fn put_in_transaction(table: &str, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.table_name(table).build().map_err(|error| not_built(&error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

pub(super) fn not_built(error: &BuildError) -> StoreError {
    StoreError::Unavailable(format!("TransactWriteItems: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_collided_pause_for_different_times_and_none_too_long() {
        let pauses: Vec<Duration> = (0..64).map(|_| jitter(LONGEST_PAUSE_MS)).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(LONGEST_PAUSE_MS)));
    }

    #[test]
    fn what_no_further_try_would_mend_is_not_tried_again() {
        for code in ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(passes_by_itself(code), "{code}");
        }
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "DuplicateItem"] {
            assert!(!passes_by_itself(code), "{code}");
        }
    }
}
