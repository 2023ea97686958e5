use async_trait::async_trait;

use super::{StoreError, StoredRun};

/// All runs there are, for the operator's audit. It reads everything, so no function may ask for it, and it is not part of
/// [`super::Store`].
#[async_trait]
pub trait RunLog: Send + Sync {
    /// Shows every run once, in no order; one that cannot be read is shown as its error, and the others follow. A run that is
    /// written meanwhile is shown as it was or as it is.
    async fn each_run(&self, see: &mut (dyn FnMut(Result<StoredRun, StoreError>) + Send)) -> Result<(), StoreError>;
}
