//! The Runtime API of Lambda, for one process: it hands out one event after the other and takes the answers.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:stand-in";

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function answered with this.
    Answer(Value),
    /// The function reported an error.
    Failed {
        /// Its kind, such as `Runtime.InitError`.
        error_type: String,
        /// Its text.
        message: String,
    },
}

/// A Runtime API on loopback; it ends when it is dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Event {
    id: String,
    deadline_ms: u128,
    payload: String,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    first_poll: watch::Sender<Option<Instant>>,
    init_error: watch::Sender<Option<Outcome>>,
    /// Whoever waits for an invocation's answer, by its id.
    waiting: Mutex<BTreeMap<String, oneshot::Sender<Outcome>>>,
    next_id: AtomicU64,
}

impl RuntimeApi {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            events: tokio::sync::Mutex::new(receiver),
            first_poll: watch::Sender::new(None),
            init_error: watch::Sender::new(None),
            waiting: Mutex::default(),
            next_id: AtomicU64::new(1),
        });
        let router = router(Arc::clone(&shared));
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, events: sender, shared, server })
    }

    /// Where it listens: the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process asks for its first event; says when that was.
    pub async fn first_poll(&self) -> Instant {
        seen(&self.shared.first_poll).await
    }

    /// Waits until the process reports that it could not start.
    pub async fn init_error(&self) -> Outcome {
        seen(&self.shared.init_error).await
    }

    /// Hands over an event with so much time left and waits for how it ends. Waits for ever for a process that is gone;
    /// [`crate::Function::invoke`] does not.
    pub async fn invoke(&self, payload: &Value, remaining: Duration) -> Outcome {
        let id = format!("00000000-0000-4000-8000-{:012}", self.shared.next_id.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        self.shared.waiting().insert(id.clone(), answer);
        // Neither end can be gone: this API holds the receiver, and keeps the sender until it is used.
        let _ = self.events.send(Event { id, deadline_ms: in_ms(remaining), payload: payload.to_string() });
        answered.await.unwrap_or_else(|_| failed("StandIn.Gone", "the Runtime API ended"))
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// A panic elsewhere leaves the map as it was between two of its operations.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, id: &str, outcome: Outcome) -> StatusCode {
        match self.waiting().remove(id) {
            Some(waiting) => {
                // Whoever waited may have given up.
                let _ = waiting.send(outcome);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(shared)
}

/// Answers when there is an event, as long as that takes.
async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.first_poll.send_if_modified(|seen| seen.is_none() && seen.replace(Instant::now()).is_none());
    let Some(event) = shared.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", event.id),
        ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", FUNCTION_ARN.to_owned()),
    ];
    (headers, event.payload).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    let outcome = match serde_json::from_slice(&body) {
        Ok(answer) => Outcome::Answer(answer),
        Err(_) => failed("StandIn.NotJson", &String::from_utf8_lossy(&body)),
    };
    taken(shared.end(&id, outcome))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    taken(shared.end(&id, reported(&body)))
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    shared.init_error.send_replace(Some(reported(&body)));
    taken(StatusCode::ACCEPTED)
}

fn taken(status: StatusCode) -> Response {
    let word = if status == StatusCode::ACCEPTED { "OK" } else { "InvalidRequestID" };
    (status, Json(json!({ "status": word }))).into_response()
}

/// Reads the error object of the Runtime API.
fn reported(body: &[u8]) -> Outcome {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    failed(text("errorType"), text("errorMessage"))
}

fn failed(error_type: &str, message: &str) -> Outcome {
    Outcome::Failed { error_type: error_type.to_owned(), message: message.to_owned() }
}

/// Waits for something that happens once.
async fn seen<T: Clone>(happening: &watch::Sender<Option<T>>) -> T {
    let mut changes = happening.subscribe();
    loop {
        if let Some(value) = changes.borrow_and_update().clone() {
            return value;
        }
        if changes.changed().await.is_err() {
            // The sender lives as long as the API that is borrowed here.
            std::future::pending::<()>().await;
        }
    }
}

/// The moment in so much time, in milliseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the deadline is compared with the clock of the machine by another process")]
fn in_ms(remaining: Duration) -> u128 {
    (SystemTime::now() + remaining).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
