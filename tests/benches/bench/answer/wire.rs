//! The queue between the functions: a send takes its time, a message travels, and the function is invoked with it alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::units::Millis;
use pipeline::ports::{DeadLetter, Queue, QueueError, QueueName, Received};
use tokio::sync::mpsc;

use super::dice::{Dice, HOP, SEND};
use crate::world::World;

/// A message under way.
struct Travelling {
    queue: QueueName,
    body: String,
    after: Duration,
}

/// Messages in virtual time. Lambda receives them, so nobody else can.
pub(crate) struct Wire {
    dice: Arc<Dice>,
    sent: mpsc::UnboundedSender<Travelling>,
}

/// The other end.
pub(crate) struct Arrivals(mpsc::UnboundedReceiver<Travelling>);

/// Why invocations failed on their message.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Vec<String>>);

impl Failures {
    /// No invocation may have failed.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.first() {
            None => Ok(()),
            Some(first) => anyhow::bail!("{} invocations failed on their message, the first: {first}", failures.len()),
        }
    }

    fn add(&self, error: &anyhow::Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
    }
}

pub(crate) fn wire(dice: Arc<Dice>) -> (Arc<Wire>, Arrivals) {
    let (sent, arrivals) = mpsc::unbounded_channel();
    (Arc::new(Wire { dice, sent }), Arrivals(arrivals))
}

impl Arrivals {
    /// Invokes the lookups until the sender is gone. Whoever waits for an answer waits for no write to the CRM, so those are dropped.
    pub(crate) async fn deliver(mut self, world: Arc<World>, failures: Arc<Failures>) {
        let mut next = 0_u64;
        while let Some(Travelling { queue, body, after }) = self.0.recv().await {
            if queue == QueueName::Writeback {
                continue;
            }
            next += 1;
            let (world, failures, id) = (Arc::clone(&world), Arc::clone(&failures), format!("m{next}"));
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                if let Err(error) = world.invoke(queue, &id, &body).await {
                    failures.add(&error);
                }
            });
        }
    }
}

#[async_trait]
impl Queue for Wire {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        tokio::time::sleep(self.dice.draw(SEND)).await;
        let after = delay.to_std() + self.dice.draw(HOP);
        // Nobody listens where only the accept is measured.
        drop(self.sent.send(Travelling { queue, body: body.to_owned(), after }));
        Ok(())
    }

    async fn receive(&self, _queue: QueueName, _max: usize, _visibility: Millis) -> Result<Vec<Received>, QueueError> {
        Ok(Vec::new())
    }

    async fn delete(&self, _queue: QueueName, _receipt: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead_letters(&self, _queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(Vec::new())
    }

    async fn delete_dead_letter(&self, _queue: QueueName, _receipt: &str) -> Result<(), QueueError> {
        Ok(())
    }
}
