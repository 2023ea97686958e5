//! One endpoint that plays `DynamoDB`, SQS and Secrets Manager, as `AWS_ENDPOINT_URL` points at it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Clock, QueueName};
use platform::{Aws, Function, QueueUrls, Table, TableNames};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::sqs::{self, Sqs};

const JSON: [(&str, &str); 1] = [("content-type", "application/x-amz-json-1.0")];
/// How the names of the tables begin.
const TABLE_PREFIX: &str = "test";

/// The three services on loopback, with empty tables and queues; they end when this is dropped.
pub struct AwsEndpoint {
    url: String,
    database: Database,
    aws: Aws,
    tables: TableNames,
    shared: Arc<Shared>,
    _servers: JoinSet<()>,
}

struct Shared {
    database_url: String,
    http: reqwest::Client,
    sqs: Sqs,
    secrets: Mutex<Vec<(String, String)>>,
    requests: Mutex<Vec<(String, Value)>>,
    failing: Mutex<Option<String>>,
}

impl AwsEndpoint {
    /// Starts the services with these secrets, each an id and its text: first that of the webhooks, then that of the vendors,
    /// as in `template.yaml`. A message received more than `receives_max` times goes to the dead letters.
    ///
    /// # Errors
    /// When no port can be had, or the tables cannot be created.
    pub async fn start<I, T>(clock: Arc<dyn Clock>, receives_max: u32, secrets: I) -> io::Result<Self>
    where
        I: IntoIterator<Item = (T, String)>,
        T: Into<String>,
    {
        let (at_database, at_endpoint) = (TcpListener::bind(("127.0.0.1", 0)).await?, TcpListener::bind(("127.0.0.1", 0)).await?);
        let url_of = |listener: &TcpListener| listener.local_addr().map(|address| format!("http://{address}"));
        let (database_url, url) = (url_of(&at_database)?, url_of(&at_endpoint)?);
        let database = Database::memory().map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            database_url: database_url.clone(),
            http: platform::http_client().map_err(io::Error::other)?.no_proxy().build().map_err(io::Error::other)?,
            sqs: Sqs::new(clock, receives_max),
            secrets: Mutex::new(secrets.into_iter().map(|(id, text)| (id.into(), text)).collect()),
            requests: Mutex::default(),
            failing: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut servers = JoinSet::new();
        servers.spawn(dynoxide::server::serve_on(at_database, database.clone()));
        servers.spawn(async move { drop(axum::serve(at_endpoint, router).await) });
        let tables =
            Aws::local(&database_url).await.map_err(io::Error::other)?.create_tables(TABLE_PREFIX).await.map_err(io::Error::other)?;
        let aws = Aws::local(&url).await.map_err(io::Error::other)?;
        Ok(Self { url, aws, database, tables, shared, _servers: servers })
    }

    /// The value of `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to these services.
    #[must_use]
    pub fn connect(&self) -> Aws {
        self.aws.clone()
    }

    /// The names of the tables.
    #[must_use]
    pub fn tables(&self) -> TableNames {
        self.tables.clone()
    }

    /// The queues themselves.
    #[must_use]
    pub fn queue(&self) -> &MemoryQueue {
        &self.shared.sqs.queue
    }

    /// The addresses of the queues and of their dead letters.
    #[must_use]
    pub fn queue_urls(&self) -> QueueUrls {
        QueueUrls::new(QueueName::ALL.map(|queue| (queue, sqs::url(&self.url, queue))))
            .with_dead_letters(QueueName::ALL.map(|queue| (queue, sqs::dead_letter_url(&self.url, queue))))
    }

    /// The variables that a function does not start without, and no others: those of its environment in `template.yaml`.
    #[must_use]
    pub fn variables(&self, function: Function) -> BTreeMap<String, String> {
        let tables = Table::ALL.map(|table| (table.variable(), self.tables.name_of(table).to_owned()));
        let queues = QueueName::ALL.map(|queue| (QueueUrls::variable(queue), sqs::url(&self.url, queue)));
        let secrets = self.secrets_of(function).join(",");
        let mut all: BTreeMap<&str, String> = tables.into_iter().chain(queues).chain([("SECRETS_ID", secrets)]).collect();
        function.required().into_iter().filter_map(|name| Some((name.to_owned(), all.remove(name)?))).collect()
    }

    /// The ids of the secrets that a function may read in `template.yaml`: the function that the world reaches has no vendor's key.
    fn secrets_of(&self, function: Function) -> Vec<String> {
        let (skipped, most) = match function {
            Function::SignupWebhook => (0, 1),
            Function::ProviderLookup => (0, 2),
            Function::CrmWriteback => (1, 1),
            Function::ScoreRoute | Function::ScheduledRefresh => (0, 0),
        };
        locked(&self.shared.secrets).iter().skip(skipped).take(most).map(|(id, _)| id.clone()).collect()
    }

    /// The requests so far: operation and body.
    #[must_use]
    pub fn requests(&self) -> Vec<(String, Value)> {
        locked(&self.shared.requests).clone()
    }

    /// From now on, every request that holds this text has an internal error for an answer and no effect.
    pub fn fail_requests_with(&self, text: &str) {
        *locked(&self.shared.failing) = Some(text.to_owned());
    }

    /// Ends what [`Self::fail_requests_with`] began.
    pub fn recover(&self) {
        *locked(&self.shared.failing) = None;
    }

    /// Every item of a table, as the database has it.
    ///
    /// # Errors
    /// Passes on what the database says.
    pub fn items(&self, table: Table) -> io::Result<Vec<BTreeMap<String, Value>>> {
        let request = serde_json::from_value(json!({ "TableName": self.tables.name_of(table) }))?;
        let answer = serde_json::to_value(self.database.scan(request).map_err(io::Error::other)?)?;
        Ok(serde_json::from_value(answer.get("Items").cloned().unwrap_or_default())?)
    }

    /// Puts an item there as it is, whatever stood under its key.
    ///
    /// # Errors
    /// As [`Self::items`].
    pub fn overwrite(&self, table: Table, item: &BTreeMap<String, Value>) -> io::Result<()> {
        let request = serde_json::from_value(json!({ "TableName": self.tables.name_of(table), "Item": item }))?;
        self.database.put_item(request).map(drop).map_err(io::Error::other)
    }

    /// The messages that were put aside: the id under which, and why.
    ///
    /// # Errors
    /// As [`Self::items`].
    pub fn poison(&self) -> io::Result<Vec<(String, String)>> {
        let items = self.items(Table::Leads)?;
        let text = |item: &BTreeMap<String, Value>, name: &str| item.get(name)?.get("S")?.as_str().map(str::to_owned);
        let is_poison = |item: &&BTreeMap<String, Value>| text(item, "pk").is_some_and(|key| key.contains("#POISON#"));
        Ok(items.iter().filter(is_poison).filter_map(|item| Some((text(item, "sk")?, text(item, "why")?))).collect())
    }
}

impl Shared {
    fn fails(&self, body: &[u8]) -> bool {
        let failing = locked(&self.failing);
        failing.as_ref().is_some_and(|text| String::from_utf8_lossy(body).contains(text))
    }

    /// Reads or replaces a secret; `None` for another operation or an unknown secret.
    fn secret(&self, operation: &str, request: &Value) -> Option<Value> {
        let id = request.get("SecretId")?.as_str()?;
        let mut secrets = locked(&self.secrets);
        let (_, text) = secrets.iter_mut().find(|(known, _)| known == id)?;
        match operation {
            "GetSecretValue" => Some(json!({ "Name": id, "SecretString": text })),
            "PutSecretValue" => {
                request.get("SecretString")?.as_str()?.clone_into(text);
                Some(json!({ "Name": id }))
            }
            _ => None,
        }
    }

    /// Passes a request on as it is.
    async fn ask_database(&self, headers: &HeaderMap, body: Bytes) -> reqwest::Result<Response> {
        let mut request = self.http.post(&self.database_url).body(body);
        for name in ["content-type", "x-amz-target", "x-amz-date", "authorization"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await?;
        Ok((answer.status(), JSON, answer.bytes().await?).into_response())
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.rsplit_once('.').unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    locked(&shared.requests).push((operation.to_owned(), request.clone()));
    if shared.fails(&body) {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
    }
    let answer = match service {
        "DynamoDB_20120810" => return shared.ask_database(&headers, body).await.unwrap_or_else(|_| error(StatusCode::BAD_GATEWAY, "Gone")),
        "AmazonSQS" => match shared.sqs.answer(operation, &request).await {
            Ok(answer) => Some(answer),
            Err(refusal) => return refused(refusal),
        },
        "secretsmanager" => shared.secret(operation, &request),
        _ => None,
    };
    match answer {
        Some(answer) => (JSON, answer.to_string()).into_response(),
        None => error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
    }
}

/// SQS names the error of its older protocol in a header, and SDKs go by that.
fn refused(sqs::Refusal { code, shape }: sqs::Refusal) -> Response {
    let header = [("x-amzn-query-error", format!("{code};Sender"))];
    (header, error(StatusCode::BAD_REQUEST, shape)).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, JSON, json!({ "__type": code }).to_string()).into_response()
}

/// A panic elsewhere leaves these as they were between two requests.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
