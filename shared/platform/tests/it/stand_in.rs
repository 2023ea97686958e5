//! A server that speaks the JSON protocol of SQS and Secrets Manager in front of queues in memory.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::units::{Millis, Timestamp};
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Clock, Queue, QueueName};
use platform::{Aws, QueueUrls};
use serde_json::{Value, json};

use crate::database::START;

/// A clock that stands still until it is moved.
#[derive(Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn pass(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        START.after(Millis(self.0.load(Ordering::SeqCst)))
    }
}

#[derive(Clone)]
pub(crate) struct StandIn {
    queue: MemoryQueue,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl StandIn {
    /// The requests so far: operation and body.
    pub(crate) fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) async fn start(clock: Arc<dyn Clock>, receives_max: u32) -> (Aws, StandIn) {
    let stand_in = StandIn { queue: MemoryQueue::new(clock, receives_max), requests: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer).with_state(stand_in.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (Aws::local(&endpoint).await, stand_in)
}

pub(crate) fn urls() -> QueueUrls {
    let url = |queue: QueueName, tail: &str| (queue, format!("http://127.0.0.1/000000000000/{}{tail}", queue.as_str()));
    QueueUrls::new(QueueName::ALL.map(|queue| url(queue, ""))).with_dead_letters(QueueName::ALL.map(|queue| url(queue, "-dlq")))
}

async fn answer(State(stand_in): State<StandIn>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
    let request: Value = serde_json::from_slice(&body).unwrap();
    stand_in.requests.lock().unwrap().push((operation.clone(), request.clone()));
    let answer = match operation.as_str() {
        "GetSecretValue" if request["SecretId"] == "millrace" => json!({ "Name": "millrace", "SecretString": "{\"api_key\":\"one\"}" }),
        "SendMessage" => send(&stand_in.queue, &request).await,
        "ReceiveMessage" => receive(&stand_in.queue, &request).await,
        "DeleteMessage" => delete(&stand_in.queue, &request).await,
        _ => return (StatusCode::BAD_REQUEST, json!({ "__type": "ResourceNotFoundException" }).to_string()).into_response(),
    };
    ([("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

fn name_of(request: &Value) -> (QueueName, bool) {
    let name = request["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
    let (name, is_dead) = name.strip_suffix("-dlq").map_or((name, false), |name| (name, true));
    (QueueName::ALL.into_iter().find(|queue| queue.as_str() == name).unwrap(), is_dead)
}

async fn send(queue: &MemoryQueue, request: &Value) -> Value {
    let body = request["MessageBody"].as_str().unwrap();
    queue.send(name_of(request).0, body, Millis::seconds(request["DelaySeconds"].as_i64().unwrap())).await.unwrap();
    json!({ "MessageId": "m" })
}

async fn receive(queue: &MemoryQueue, request: &Value) -> Value {
    let (name, is_dead) = name_of(request);
    if is_dead {
        let letters = queue.dead_letters(name).await.unwrap();
        let message = |(index, body): (usize, String)| json!({ "MessageId": format!("d{index}"), "ReceiptHandle": "r", "Body": body });
        return json!({ "Messages": letters.into_iter().enumerate().map(message).collect::<Vec<Value>>() });
    }
    let most = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
    let received = queue.receive(name, most, Millis::seconds(request["VisibilityTimeout"].as_i64().unwrap())).await.unwrap();
    let message = |message: pipeline::ports::Received| {
        let attributes = json!({ "ApproximateReceiveCount": message.receive_count.to_string() });
        json!({ "MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body, "Attributes": attributes })
    };
    json!({ "Messages": received.into_iter().map(message).collect::<Vec<Value>>() })
}

async fn delete(queue: &MemoryQueue, request: &Value) -> Value {
    queue.delete(name_of(request).0, request["ReceiptHandle"].as_str().unwrap()).await.unwrap();
    json!({})
}
