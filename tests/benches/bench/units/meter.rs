//! A proxy in front of the tables and queues that counts what each request would be billed as. It counts from the items before and
//! after a write, since `DynamoDB` bills refused writes too and says nothing of them, and compares with what the database says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use platform::{PARTITION_KEY, SORT_KEY};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::rules::{Item, TRANSACTION, index_units, read_units, size, write_units};

const DYNAMODB: &str = "DynamoDB_20120810";
/// SQS counts a body in pieces of this size.
const SQS_PIECE_BYTES: usize = 64 * 1024;
/// Requests that are sent side by side have all arrived after this time.
const SIDE_BY_SIDE: Duration = Duration::from_millis(25);

/// One request and what it is billed as.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metered {
    pub(crate) operation: String,
    /// The keys of the items, without whose they are.
    pub(crate) items: String,
    pub(crate) write: u64,
    pub(crate) read: f64,
    pub(crate) sqs: u64,
    /// Whether a condition did not hold.
    pub(crate) refused: bool,
    /// How many requests it had to wait for, one after the other, and itself.
    pub(crate) depth: u32,
}

/// Counts everything that goes through it, until it is dropped.
pub(crate) struct Meter {
    url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    to: String,
    http: reqwest::Client,
    log: Mutex<Log>,
    /// One request at a time, so that the images before and after a write are its own.
    turn: tokio::sync::Mutex<()>,
    /// Whether each request waits for those beside it, so that its depth is right.
    waits: bool,
}

#[derive(Default)]
struct Log {
    done: Vec<Metered>,
    broken: Option<String>,
}

impl Meter {
    /// Starts in front of `to`. It tells depths only if it `waits`, which takes longer.
    pub(crate) async fn start(to: &str, waits: bool) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let http = platform::http_client()?.no_proxy().build()?;
        let shared = Arc::new(Shared { to: to.to_owned(), http, log: Mutex::default(), turn: tokio::sync::Mutex::default(), waits });
        let router = Router::new().fallback(pass_on).with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { url, shared, _server: server })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was asked since the last time.
    ///
    /// # Errors
    /// When something could not be counted, or the database counted otherwise.
    pub(crate) fn take(&self) -> anyhow::Result<Vec<Metered>> {
        let mut log = self.shared.log();
        if let Some(broken) = log.broken.take() {
            anyhow::bail!(broken);
        }
        Ok(std::mem::take(&mut log.done))
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn dynamodb(&self, operation: &str, headers: &HeaderMap, mut request: Value) -> anyhow::Result<(Response, Metered)> {
        let touched = touched(operation, &request)?;
        let before = self.images(headers, &touched).await?;
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let (status, answer) = self.ask(headers, &format!("{DYNAMODB}.{operation}"), &request).await?;
        let after = self.images(headers, &touched).await?;
        let mut metered = Metered { operation: operation.to_owned(), items: words(&touched), ..Metered::default() };
        metered.refused = status != StatusCode::OK;
        match operation {
            "GetItem" => {
                ensure!(request["ConsistentRead"] == true, "a read that is not consistent");
                metered.read = read_units(before.first().and_then(Option::as_ref).map_or(0, size));
            }
            "Query" => metered.read = read_units_of_query(&request, &answer),
            _ => metered.write = written(operation, &touched, &before, &after, metered.refused),
        }
        let said = said(&answer);
        let counted = metered.read + f64::from(u32::try_from(metered.write)?);
        ensure!(
            metered.refused || (said - counted).abs() < 1e-9,
            "{operation} of {}: counted {counted}, the database says {said}",
            metered.items
        );
        Ok(((status, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response(), metered))
    }

    async fn images(&self, headers: &HeaderMap, touched: &[Touched]) -> anyhow::Result<Vec<Option<Item>>> {
        let mut images = Vec::new();
        for touched in touched {
            let request = json!({"TableName": touched.table, "Key": touched.key, "ConsistentRead": true});
            let (_, answer) = self.ask(headers, &format!("{DYNAMODB}.GetItem"), &request).await?;
            images.push(answer["Item"].as_object().cloned());
        }
        Ok(images)
    }

    async fn ask(&self, headers: &HeaderMap, target: &str, request: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let mut call = self.http.post(&self.to).header("x-amz-target", target).body(request.to_string());
        for name in ["content-type", "x-amz-date", "authorization"] {
            if let Some(value) = headers.get(name) {
                call = call.header(name, value);
            }
        }
        let answer = call.send().await?;
        Ok((answer.status(), serde_json::from_slice(&answer.bytes().await?)?))
    }
}

async fn pass_on(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let deepest = shared.log().done.iter().map(|done| done.depth).max().unwrap_or_default();
    if shared.waits {
        tokio::time::sleep(SIDE_BY_SIDE).await;
    }
    let _turn = shared.turn.lock().await;
    match metered(&shared, &headers, &body).await {
        Ok((answer, metered)) => {
            shared.log().done.push(Metered { depth: deepest + 1, ..metered });
            answer
        }
        Err(error) => {
            shared.log().broken = Some(format!("{error:#}"));
            (StatusCode::BAD_REQUEST, error.to_string()).into_response()
        }
    }
}

async fn metered(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<(Response, Metered)> {
    let target = headers.get("x-amz-target").context("a request without a target")?.to_str()?.to_owned();
    let (service, operation) = target.split_once('.').context("a target without a service")?;
    let request: Value = serde_json::from_slice(body)?;
    if service == DYNAMODB {
        return shared.dynamodb(operation, headers, request).await;
    }
    let items = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned();
    let (status, answer) = shared.ask(headers, &target, &request).await?;
    let answer = answer.to_string();
    let sqs = body.len().max(answer.len()).div_ceil(SQS_PIECE_BYTES) as u64;
    let metered = Metered { operation: operation.to_owned(), items, sqs, ..Metered::default() };
    Ok(((status, [("content-type", "application/x-amz-json-1.0")], answer).into_response(), metered))
}

/// An item that a request reads, writes or checks.
struct Touched {
    table: String,
    key: Value,
    /// The whole item where the request brings it.
    item: Option<Item>,
}

fn touched(operation: &str, request: &Value) -> anyhow::Result<Vec<Touched>> {
    let of = |part: &Value| {
        let item = part["Item"].as_object().cloned();
        let key =
            item.as_ref().map_or_else(|| part["Key"].clone(), |item| json!({PARTITION_KEY: item[PARTITION_KEY], SORT_KEY: item[SORT_KEY]}));
        Touched { table: part["TableName"].as_str().unwrap_or_default().to_owned(), key, item }
    };
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" => Ok(vec![of(request)]),
        "Query" => Ok(Vec::new()),
        "TransactWriteItems" => {
            let parts = request["TransactItems"].as_array().into_iter().flatten();
            Ok(parts.filter_map(|part| part.as_object()?.values().next()).map(of).collect())
        }
        other => anyhow::bail!("the meter does not know what {other} costs"),
    }
}

/// A refused write costs as much as the larger of what stands there and what was to be written; for an update only the first is known.
fn written(operation: &str, touched: &[Touched], before: &[Option<Item>], after: &[Option<Item>], refused: bool) -> u64 {
    let factor = if operation == "TransactWriteItems" { TRANSACTION } else { 1 };
    let images = touched.iter().zip(before).zip(after);
    let units = images.map(|((touched, before), after)| {
        let (before, after) = (before.as_ref(), after.as_ref());
        let written = if refused { touched.item.as_ref() } else { after };
        factor * write_units(before, written) + index_units(before, after)
    });
    units.sum()
}

fn read_units_of_query(request: &Value, answer: &Value) -> f64 {
    let items = answer["Items"].as_array().into_iter().flatten();
    let bytes = items.filter_map(Value::as_object).map(size).sum();
    let consistent = read_units(bytes);
    if request["ConsistentRead"] == true { consistent } else { consistent / 2.0 }
}

/// What the database says that it consumed, in all tables and indexes.
fn said(answer: &Value) -> f64 {
    let units = |consumed: &Value| consumed["CapacityUnits"].as_f64().unwrap_or_default();
    match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(units).sum(),
        one => units(one),
    }
}

/// The kinds of the items: `RUN`, `REC` …, from keys such as `default#RUN#<run>`.
fn words(touched: &[Touched]) -> String {
    let kind = |touched: &Touched| {
        let text = |name: &str| touched.key[name]["S"].as_str().unwrap_or_default().to_owned();
        let (partition, sort) = (text(PARTITION_KEY), text(SORT_KEY));
        let kind = if sort.starts_with("OUT#") { "OUT" } else { partition.split('#').nth(1).unwrap_or_default() };
        kind.to_owned()
    };
    touched.iter().map(kind).collect::<Vec<_>>().join(" ")
}
