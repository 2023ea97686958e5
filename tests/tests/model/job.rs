//! What a worker does: one of the real step functions, brought by recorded answers to where it stands.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use domain::units::{Millis, Timestamp};
use intake::{Keys, KeysUnavailable, WebhookSecret};
use pipeline::enrich::{Desks, Enrich};
use pipeline::messages::from_body;
use pipeline::ports::{Queue as _, QueueName};
use pipeline::sweep::Sweep;
use pipeline::write_back::WriteBack;

use crate::ports::Ports;
use crate::setup::{Setup, secret};
use crate::wire::{Answer, Request, Wire};

/// The time an invocation has.
const TIME_LEFT: Millis = Millis::seconds(60);

/// What a worker works on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// The sender posts this signup.
    Accept(usize),
    /// A message was received.
    Message(QueueName, Arc<str>, usize),
    /// The schedule fired.
    Sweep,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accept(signup) => write!(f, "accept signup {signup}"),
            Self::Message(queue, _, signup) => write!(f, "{} of signup {signup}", queue.as_str()),
            Self::Sweep => write!(f, "sweep"),
        }
    }
}

/// A task in the hands of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) worker: usize,
    /// How many jobs the worker had before.
    pub(crate) life: u32,
    /// The receipt of its message; 0 without one.
    pub(crate) receipt: u32,
    pub(crate) begun: Timestamp,
}

/// What happened to a job so far.
#[derive(Clone)]
pub(crate) enum Event {
    /// The request in this slot was answered.
    Answered(usize, Answer),
    /// It became this late.
    Late(Timestamp),
}

/// Where a job stands.
pub(crate) struct Outcome {
    pub(crate) requests: Vec<Request>,
    pub(crate) is_done: bool,
}

impl Job {
    /// Runs the step function from its beginning, with the answers that it had.
    pub(crate) fn replay(&self, setup: &Arc<Setup>, events: &[Event]) -> Outcome {
        let wire = Arc::new(Wire::new(self.worker, self.life, self.receipt, self.begun, setup.broken));
        let mut work: Pin<Box<dyn Future<Output = ()>>> =
            Box::pin(tokio::task::unconstrained(self.clone().work(setup.clone(), wire.clone())));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut is_done = poll(&mut work);
            let mut now = self.begun;
            for event in events {
                match event {
                    Event::Answered(slot, answer) => wire.answer(*slot, answer.clone()),
                    Event::Late(at) => {
                        tokio::time::advance(at.since(now).to_std()).await;
                        now = *at;
                        wire.set_now(now);
                    }
                }
                is_done = poll(&mut work);
            }
            Outcome { requests: wire.waiting(), is_done }
        })
    }

    async fn work(self, setup: Arc<Setup>, wire: Arc<Wire>) {
        let run = if let Task::Message(_, _, signup) = self.task { Some(signup) } else { None };
        let ports = Ports { wire, run };
        match &self.task {
            Task::Accept(signup) => accept(&setup, ports, *signup, self.begun).await,
            Task::Message(QueueName::Writeback, body, _) => {
                if write_back(&setup, &ports).work(&from_body(body).unwrap(), TIME_LEFT).await.is_ok() {
                    self.delete(&ports).await;
                }
            }
            Task::Message(_, body, _) => {
                if enrich(&setup, &ports).work(&from_body(body).unwrap(), TIME_LEFT).await.is_ok() {
                    self.delete(&ports).await;
                }
            }
            // What a tick could not do, the next one does.
            Task::Sweep => drop(sweep(&setup, &ports).tick().await),
        }
    }

    /// A message that cannot be deleted comes again.
    async fn delete(&self, ports: &Ports) {
        let _ = ports.delete(QueueName::Writeback, &self.receipt.to_string()).await;
    }
}

fn poll(work: &mut Pin<Box<dyn Future<Output = ()>>>) -> bool {
    work.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
}

/// The sender has its answer in a step of its own: what it hears is not what happened.
async fn accept(setup: &Arc<Setup>, ports: Ports, signup: usize, now: Timestamp) {
    let port = Arc::new(ports.clone());
    let app = signup_webhook::App {
        keys: Arc::new(FormKeys),
        queue: port.clone(),
        store: port.clone(),
        clock: port.wire.clone(),
        hash_key: setup.key.clone(),
    };
    let request = serde_json::from_value(setup.request(signup, now)).unwrap();
    let response = signup_webhook::handle(&app, request).await;
    if response.status_code == 202 {
        ports.wire.ask("answer", None, move |shared| shared.accepted[signup] = true).await;
    } else {
        assert_eq!(response.status_code, 503, "the sender comes again only after a 503");
    }
    let put_off = ports.wire.put_off.lock().unwrap().send.take();
    if let Some(send) = put_off {
        ports.wire.ask("send", None, move |shared| drop(send(shared))).await;
    }
}

struct FormKeys;

#[async_trait]
impl Keys for FormKeys {
    async fn webhook_secrets(&self, _: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        Ok(vec![secret()])
    }
}

fn enrich(setup: &Setup, ports: &Ports) -> Enrich {
    let port = Arc::new(ports.clone());
    Enrich {
        store: port.clone(),
        queue: port.clone(),
        provider: port.clone(),
        clock: port.wire.clone(),
        entropy: port.wire.clone(),
        config: setup.config.clone(),
        key: setup.key.clone(),
        versions: None,
        desks: Desks::default(),
    }
}

fn write_back(setup: &Setup, ports: &Ports) -> WriteBack {
    let port = Arc::new(ports.clone());
    let (clock, entropy) = (port.wire.clone(), port.wire.clone());
    WriteBack { store: port.clone(), queue: port.clone(), crm: port.clone(), clock, entropy, config: setup.config.clone() }
}

fn sweep(setup: &Setup, ports: &Ports) -> Sweep {
    Sweep { store: Arc::new(ports.clone()), clock: ports.wire.clone(), config: setup.config.clone() }
}
