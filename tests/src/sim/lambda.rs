use std::sync::Arc;
use std::time::Duration;

use domain::units::Millis;
use futures::future::join_all;
use pipeline::enrich::Enrich;
use pipeline::messages::from_body;
use pipeline::ports::{Queue, QueueName, Received};
use pipeline::sweep::Sweep;
use pipeline::work::Retry;
use pipeline::write_back::WriteBack;
use tokio::sync::Notify;

/// An invocation's time.
const INVOCATION: Millis = Millis::seconds(60);
/// How long a received message is hidden.
pub(super) const VISIBILITY: Millis = Millis::seconds(360);

/// Kills the worker that it belongs to: a hook rings it and never returns.
#[derive(Clone, Default)]
pub struct Crash(Arc<Notify>);

impl Crash {
    /// The worker dies here; never returns.
    pub async fn now<T>(&self) -> T {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// A process that works off batches as Lambda hands them out, with ports of its own.
pub struct Worker {
    /// The use case behind the lookup queues.
    pub enrich: Enrich,
    /// The use case behind the write-back queue.
    pub write_back: WriteBack,
    /// The use case behind the schedule.
    pub sweep: Sweep,
    pub(super) queue: Arc<dyn Queue>,
    pub(super) crash: Crash,
}

impl Worker {
    /// Receives up to `most` messages.
    pub async fn receive(&self, queue: QueueName, most: usize) -> Vec<Received> {
        self.queue.receive(queue, most, VISIBILITY).await.unwrap_or_default()
    }

    /// Works on a batch at the same time and deletes what ended well; the messages that must come again, all of them after a crash.
    pub async fn invoke(&self, queue: QueueName, batch: Vec<Received>) -> Vec<Received> {
        let work = async {
            let works = batch.iter().map(|message| tokio::time::timeout(time_to_work(), self.one(queue, &message.body)));
            let mut failed = Vec::new();
            for (ended, message) in join_all(works).await.into_iter().zip(&batch) {
                match ended {
                    Ok(Ok(())) => drop(self.queue.delete(queue, &message.receipt).await),
                    _ => failed.push(message.clone()),
                }
            }
            failed
        };
        tokio::select! {
            biased;
            () = self.crash.0.notified() => batch.clone(),
            failed = work => failed,
        }
    }

    /// One tick of the schedule.
    pub async fn tick(&self) {
        tokio::select! {
            biased;
            () = self.crash.0.notified() => {}
            _ = self.sweep.tick() => {}
        }
    }

    async fn one(&self, queue: QueueName, body: &str) -> Result<(), Retry> {
        if queue == QueueName::Writeback {
            return self.write_back.work(&from_body(body)?, INVOCATION).await.map(drop);
        }
        self.enrich.work(&from_body(body)?, INVOCATION).await.map(drop)
    }
}

const fn time_to_work() -> Duration {
    Duration::from_millis(INVOCATION.0.unsigned_abs() - 300)
}
