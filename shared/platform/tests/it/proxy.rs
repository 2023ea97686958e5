//! Stands between the store and the database and spoils answers: the request took effect, and its sender hears otherwise.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::database::{Fresh, behind};

const JSON: [(&str, &str); 1] = [("content-type", "application/x-amz-json-1.0")];

/// How an answer is spoiled.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The reply is lost; the sender sees an internal error.
    LostReply,
    /// The sender is told that its transaction collided with another.
    Collision,
    /// The sender is told that its plain write fell into somebody's transaction.
    InTransaction,
}

/// The answers to spoil, in order; all others go through.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    pub(crate) fn next(&self, faults: &[Fault]) {
        self.0.lock().unwrap().extend(faults);
    }

    /// How many are still to come.
    pub(crate) fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// What somebody else does just before the next plain update reaches the database.
#[derive(Clone, Default)]
pub(crate) struct Meanwhile(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl Meanwhile {
    pub(crate) fn set(&self, work: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::pin(work));
    }
}

/// Transactions that overlap: all touch the one balance, so the later one is cancelled as `DynamoDB` does it.
#[derive(Clone, Default)]
pub(crate) struct Crossings {
    in_flight: Arc<AtomicUsize>,
    cancelled: Arc<AtomicUsize>,
}

impl Crossings {
    /// How many were cancelled.
    pub(crate) fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Default)]
struct Proxy {
    database: Option<SocketAddr>,
    faults: Faults,
    meanwhile: Meanwhile,
    crossings: Option<Crossings>,
}

pub(crate) async fn fresh_with_faults() -> (Fresh, Faults) {
    let faults = Faults::default();
    (fresh_behind(Proxy { faults: faults.clone(), ..Proxy::default() }).await, faults)
}

pub(crate) async fn fresh_with_a_colleague() -> (Fresh, Meanwhile) {
    let meanwhile = Meanwhile::default();
    (fresh_behind(Proxy { meanwhile: meanwhile.clone(), ..Proxy::default() }).await, meanwhile)
}

/// A database that cancels transactions which overlap; the one behind it takes them one by one.
pub(crate) async fn fresh_with_crossings() -> (Fresh, Crossings) {
    let crossings = Crossings::default();
    (fresh_behind(Proxy { crossings: Some(crossings.clone()), ..Proxy::default() }).await, crossings)
}

async fn fresh_behind(proxy: Proxy) -> Fresh {
    behind(async |database| start(Proxy { database: Some(database), ..proxy }).await).await
}

async fn start(proxy: Proxy) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(pass_on).with_state(proxy);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn pass_on(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response {
    let is_transaction = headers.get("x-amz-target").is_some_and(|target| target.as_bytes().ends_with(b".TransactWriteItems"));
    let Some(crossings) = proxy.crossings.clone().filter(|_| is_transaction) else { return exchange(proxy, headers, body).await };
    let is_crossed = crossings.in_flight.fetch_add(1, Ordering::SeqCst) > 0;
    let answer = if is_crossed {
        crossings.cancelled.fetch_add(1, Ordering::SeqCst);
        collision().into_response()
    } else {
        exchange(proxy, headers, body).await
    };
    crossings.in_flight.fetch_sub(1, Ordering::SeqCst);
    answer
}

fn collision() -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
    let reasons = r#","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]"#;
    (StatusCode::BAD_REQUEST, JSON, error("TransactionCanceledException", reasons))
}

async fn exchange(proxy: Proxy, headers: HeaderMap, body: Bytes) -> Response {
    if headers.get("x-amz-target").is_some_and(|target| target.as_bytes().ends_with(b".UpdateItem")) {
        let work = proxy.meanwhile.0.lock().unwrap().take();
        if let Some(work) = work {
            work.await;
        }
    }
    let (status, answer) = ask(proxy.database.unwrap(), &headers, &body).await;
    let fault = proxy.faults.0.lock().unwrap().pop_front();
    let (status, answer) = match fault {
        None => (status, answer),
        Some(Fault::LostReply) => (StatusCode::INTERNAL_SERVER_ERROR, error("InternalServerError", "")),
        Some(Fault::InTransaction) => (StatusCode::BAD_REQUEST, error("TransactionConflictException", "")),
        Some(Fault::Collision) => return collision().into_response(),
    };
    (status, JSON, answer).into_response()
}

fn error(code: &str, more: &str) -> Vec<u8> {
    format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"spoiled"{more}}}"#).into_bytes()
}

/// One HTTP/1.1 exchange on a connection of its own.
async fn ask(database: SocketAddr, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Vec<u8>) {
    let mut request = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers.iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "content-length")) {
        request.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    request.push_str("\r\n");
    let mut connection = TcpStream::connect(database).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse::<u16>().unwrap();
    (StatusCode::from_u16(status).unwrap(), answer[head_end + 4..].to_vec())
}
