use std::collections::BTreeMap;
use std::net::SocketAddr;

use domain::priority::Priority;
use domain::run::Run;
use domain::signup::{RunId, Signup};
use domain::units::{Millis, Timestamp};
use dynoxide::Database;
use pipeline::ports::{Claim, ClaimRequest, Lease, Runs};
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};
use serde_json::{Value, json};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
pub(crate) const LEASE: Millis = Millis::seconds(30);

/// An empty database of its own, with the tables in it.
pub(crate) struct Fresh {
    pub(crate) store: DynamoStore,
    pub(crate) aws: Aws,
    pub(crate) tables: TableNames,
    database: Database,
}

pub(crate) async fn fresh() -> Fresh {
    behind(async |endpoint| endpoint).await
}

/// The same with something between the store and the database: `between` is told where the database is and says where to go instead.
pub(crate) async fn behind(between: impl AsyncFnOnce(SocketAddr) -> SocketAddr) -> Fresh {
    let database = Database::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    let aws = Aws::local(&format!("http://{}", between(address).await)).await.unwrap();
    let tables = aws.create_tables("test").await.unwrap();
    Fresh { store: aws.store(tables.clone(), DEFAULT_WORKSPACE), aws, tables, database }
}

impl Fresh {
    /// The same tables as another process sees them.
    pub(crate) fn of_another_process(&self) -> DynamoStore {
        self.aws.store(self.tables.clone(), DEFAULT_WORKSPACE)
    }

    /// Every item of a table, as the database has it.
    pub(crate) fn items(&self, table: Table) -> Vec<BTreeMap<String, Value>> {
        let request = serde_json::from_value(json!({ "TableName": self.tables.name_of(table) })).unwrap();
        let answer = serde_json::to_value(self.database.scan(request).unwrap()).unwrap();
        serde_json::from_value(answer["Items"].clone()).unwrap()
    }

    /// Breaks an item from outside, as a bug or a person at a console would.
    pub(crate) fn overwrite(&self, table: Table, item: &BTreeMap<String, Value>) {
        let request = serde_json::from_value(json!({ "TableName": self.tables.name_of(table), "Item": item })).unwrap();
        self.database.put_item(request).unwrap();
    }
}

pub(crate) fn run_id(letter: char) -> RunId {
    RunId::parse(&letter.to_string().repeat(43)).unwrap()
}

pub(crate) fn claim(letter: char, nonce: &str, now: Timestamp) -> ClaimRequest {
    let signup = Signup { issuer: "signup".into(), delivery: letter.to_string(), ..Signup::default() };
    let run = Run::begin(run_id(letter), signup, Priority::High, START, "0123456789abcdef");
    ClaimRequest { run, payload_hash: "p".into(), nonce: nonce.into(), now, lease_until: now.after(LEASE) }
}

pub(crate) async fn take(store: &DynamoStore, letter: char, nonce: &str, now: Timestamp) -> (Lease, Run) {
    match store.claim_run(&claim(letter, nonce, now)).await.unwrap() {
        Claim::Mine(lease, run) => (lease, *run),
        other => unreachable!("expected the run, got {other:?}"),
    }
}
