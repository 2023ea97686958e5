use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::signup::RunId;
use domain::units::Millis;
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::{DeadLetter, Queue, QueueError, QueueName, Received};

use super::ground::Ground;
use super::weakness::Weakness;

/// The queues, with somebody who counts each run's messages (I4).
pub(super) struct AuditedQueue {
    pub(super) ground: Arc<Ground>,
    pub(super) weakness: Option<Weakness>,
    receipts: Mutex<BTreeMap<String, RunId>>,
}

impl AuditedQueue {
    pub(super) const fn new(ground: Arc<Ground>, weakness: Option<Weakness>) -> Self {
        Self { ground, weakness, receipts: Mutex::new(BTreeMap::new()) }
    }

    fn receipts(&self) -> MutexGuard<'_, BTreeMap<String, RunId>> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_of(&self, queue: QueueName, body: &str) -> Option<(RunId, LookupMessage)> {
        let message = matches!(queue, QueueName::Lookup(_)).then(|| from_body::<LookupMessage>(body).ok())??;
        Some((message.signup.run_id(&self.ground.key), message))
    }

    /// What a copy is sent for goes first: a crash in between loses it.
    async fn delete_before_copy(&self, queue: QueueName, body: &str) -> Result<(), QueueError> {
        let Some((run, _)) = self.run_of(queue, body).filter(|(_, message)| message.copies > 0) else { return Ok(()) };
        let receipts: Vec<String> = self.receipts().iter().filter(|(_, of)| **of == run).map(|(receipt, _)| receipt.clone()).collect();
        for receipt in receipts {
            self.delete(queue, &receipt).await?;
        }
        tokio::time::sleep(Millis(20).to_std()).await;
        Ok(())
    }
}

#[async_trait]
impl Queue for AuditedQueue {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        if self.weakness == Some(Weakness::DeleteBeforeCopy) {
            self.delete_before_copy(queue, body).await?;
        }
        self.ground.queue.send(queue, body, delay).await?;
        if let Some((run, _)) = self.run_of(queue, body) {
            self.ground.message(&run, 1);
        }
        Ok(())
    }

    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        let received = self.ground.queue.receive(queue, max, visibility).await?;
        for message in &received {
            if let Some((run, _)) = self.run_of(queue, &message.body) {
                self.receipts().insert(message.receipt.clone(), run);
            }
        }
        Ok(received)
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let before = self.ground.queue.waiting(queue);
        self.ground.queue.delete(queue, receipt).await?;
        let run = self.receipts().remove(receipt);
        if let (Some(run), true) = (run, self.ground.queue.waiting(queue) < before) {
            self.ground.message(&run, -1);
        }
        Ok(())
    }

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        self.ground.queue.dead_letters(queue).await
    }

    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.ground.queue.delete_dead_letter(queue, receipt).await
    }
}
