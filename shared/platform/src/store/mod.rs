//! The ports of storage on `DynamoDB`. docs/data-model.md lists every key and who reads it.

mod books;
mod cache;
mod decided_runs;
mod item;
mod ledger;
mod outbox;
mod poison;
mod records;
mod run_log;
mod runs;
mod settings;
mod transaction;
mod windows;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, builders::PutItemFluentBuilder};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use pipeline::ports::StoreError;

use crate::tables::TableNames;
use item::{Item, Key};
use transaction::Pauses;

/// The workspace of a deployment that serves only one, as all do today.
pub const DEFAULT_WORKSPACE: &str = domain::config::WORKSPACE;

/// The store on `DynamoDB`: every verb of the ports is one request, a conditional one where it decides something. Clones take turns at
/// the ledger.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    tables: TableNames,
    workspace: String,
    /// Whose turn it is to write the month's balance.
    ledger: Arc<tokio::sync::Mutex<()>>,
}

/// What became of a conditional write.
enum Effect {
    /// It was written; the item as asked for by `ReturnValues`.
    Took(Item),
    /// The condition did not hold; the item as it stands, empty when there is none.
    Refused(Item),
}

impl DynamoStore {
    pub(crate) fn new(client: Client, tables: TableNames, workspace: &str) -> Self {
        Self { client, tables, workspace: workspace.to_owned(), ledger: Arc::default() }
    }

    /// The key of an item that stands alone under its partition key.
    fn key(&self, parts: &[&str]) -> Key {
        self.key_with(parts, "-")
    }

    /// A key whose partition starts with the workspace.
    fn key_with(&self, parts: &[&str], sort: &str) -> Key {
        Key { partition: format!("{}#{}", self.workspace, parts.join("#")), sort: sort.to_owned() }
    }

    /// Reads an item as the last write left it.
    async fn get(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(table).set_key(Some(key.attributes())).consistent_read(true);
        let answer = request.send().await.map_err(|error| unavailable("GetItem", &error))?;
        Ok(answer.item)
    }

    fn update(&self, table: &str, key: &Key) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(table).set_key(Some(key.attributes()))
    }

    fn put(&self, table: &str, item: Item) -> PutItemFluentBuilder {
        self.client.put_item().table_name(table).set_item(Some(item))
    }
}

async fn send_update(request: UpdateItemFluentBuilder) -> Result<Effect, StoreError> {
    let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match past_collisions(|| request.clone().send()).await {
        Ok(answer) => Ok(Effect::Took(answer.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => Ok(refused(refusal.item())),
            _ => Err(unavailable("UpdateItem", &error)),
        },
    }
}

async fn send_put(request: PutItemFluentBuilder) -> Result<Effect, StoreError> {
    let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match past_collisions(|| request.clone().send()).await {
        Ok(answer) => Ok(Effect::Took(answer.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => Ok(refused(refusal.item())),
            _ => Err(unavailable("PutItem", &error)),
        },
    }
}

/// An item in the middle of somebody's transaction refuses a plain write, which the SDK does not try again by itself.
async fn past_collisions<T, E, R, F>(send: impl Fn() -> F) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    let mut pauses = Pauses::default();
    loop {
        match send().await {
            Err(error) if error.code() == Some("TransactionConflictException") && pauses.pause().await => {}
            answer => return answer,
        }
    }
}

fn refused(item: Option<&Item>) -> Effect {
    Effect::Refused(item.cloned().unwrap_or_default())
}

/// Names the operation and the error's code only: messages of the database may repeat values.
fn unavailable<E: ProvideErrorMetadata, R>(operation: &str, error: &SdkError<E, R>) -> StoreError {
    StoreError::Unavailable(format!("{operation}: {}", crate::aws::failure_words(error)))
}
