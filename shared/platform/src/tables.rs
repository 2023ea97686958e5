//! The one definition of the tables: `template.yaml` is checked against it, local runs and tests create from it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    TimeToLiveSpecification,
};

/// The partition key of every table, a string that starts with the workspace's id.
pub const PARTITION_KEY: &str = "pk";
/// The sort key of every table, a string.
pub const SORT_KEY: &str = "sk";
/// The attribute by which `DynamoDB` cleans up, in seconds since the epoch. Nothing is decided by it.
pub const TTL_ATTRIBUTE: &str = "expires_at";
/// The one index: open reservations by the end of their time, for the sweeper. Sparse: what is resolved leaves it.
pub const OPEN_INDEX: &str = "open";
/// The index's partition key, a string; present while a reservation is open.
pub const OPEN_ATTRIBUTE: &str = "open";
/// The index's sort key, in milliseconds since the epoch.
pub const OPEN_UNTIL_ATTRIBUTE: &str = "open_until";

/// The tables there are (DESIGN §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Runs, windows, records, aliases, what was written where, turns, poison.
    Leads,
    /// Replies that were paid for.
    Cache,
    /// Counters and the ledger.
    Credits,
    /// Configuration versions and switches.
    Settings,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Leads, Self::Cache, Self::Credits, Self::Settings];

    /// How the table's name ends, after the prefix of the deployment.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Cache => "cache",
            Self::Credits => "credits",
            Self::Settings => "settings",
        }
    }

    /// The environment variable that holds the table's name.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Leads => "LEADS_TABLE",
            Self::Cache => "CACHE_TABLE",
            Self::Credits => "CREDITS_TABLE",
            Self::Settings => "SETTINGS_TABLE",
        }
    }
}

/// What the tables are called in this deployment. A table that has no name here cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames(BTreeMap<Table, String>);

impl TableNames {
    /// The names of some tables or all.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = (Table, String)>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The names under a prefix, as [`crate::Aws::create_tables`] makes them: `dev-leads`.
    #[must_use]
    pub fn prefixed(prefix: &str) -> Self {
        Self::new(Table::ALL.map(|table| (table, format!("{prefix}-{}", table.suffix()))))
    }

    /// The name of one table; empty, which the database refuses, when it was not given.
    #[must_use]
    pub fn name_of(&self, table: Table) -> &str {
        self.0.get(&table).map_or("", String::as_str)
    }
}

/// A table that could not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table {table} cannot be created: {why}")]
pub struct TablesNotCreated {
    /// The table's name.
    pub table: String,
    /// What the database said.
    pub why: String,
}

/// Creates the tables that are not there yet.
pub(crate) async fn create_tables(client: &Client, prefix: &str) -> Result<TableNames, TablesNotCreated> {
    let names = TableNames::prefixed(prefix);
    for table in Table::ALL {
        let name = names.name_of(table);
        create_table(client, table, name).await.map_err(|why| TablesNotCreated { table: name.to_owned(), why })?;
    }
    Ok(names)
}

async fn create_table(client: &Client, table: Table, name: &str) -> Result<(), String> {
    let request = describe_table(client, table, name).map_err(|error| error.to_string())?;
    if let Err(error) = request.send().await {
        let is_there = error.code() == Some("ResourceInUseException");
        return if is_there { Ok(()) } else { Err(words(error.code())) };
    }
    let expiry =
        TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL_ATTRIBUTE).build().map_err(|error| error.to_string())?;
    let cleaned = client.update_time_to_live().table_name(name).time_to_live_specification(expiry).send().await;
    cleaned.map(drop).map_err(|error| words(error.code()))
}

fn describe_table(client: &Client, table: Table, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, role) in [(PARTITION_KEY, KeyType::Hash), (SORT_KEY, KeyType::Range)] {
        let definition = AttributeDefinition::builder().attribute_name(attribute).attribute_type(ScalarAttributeType::S).build()?;
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(role).build()?;
        request = request.attribute_definitions(definition).key_schema(key);
    }
    if table == Table::Credits { index_of_open(request) } else { Ok(request) }
}

fn index_of_open(mut request: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, BuildError> {
    let only_keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let mut index = GlobalSecondaryIndex::builder().index_name(OPEN_INDEX).projection(only_keys);
    let parts = [(OPEN_ATTRIBUTE, KeyType::Hash, ScalarAttributeType::S), (OPEN_UNTIL_ATTRIBUTE, KeyType::Range, ScalarAttributeType::N)];
    for (attribute, role, kind) in parts {
        request = request.attribute_definitions(AttributeDefinition::builder().attribute_name(attribute).attribute_type(kind).build()?);
        index = index.key_schema(KeySchemaElement::builder().attribute_name(attribute).key_type(role).build()?);
    }
    Ok(request.global_secondary_indexes(index.build()?))
}

fn words(code: Option<&str>) -> String {
    code.unwrap_or("the database did not answer; check its endpoint").to_owned()
}
