//! The queue of `cargo dev --data`: as the one in memory, in `SQLite`, synced before the sender gets its 2xx.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{Clock, DEAD_LETTERS_MOST, DeadLetter, Queue, QueueError, QueueName, Received};
use rusqlite::{Connection, params};

/// SQS delays a message by at most this much.
const LONGEST_DELAY: Millis = Millis::minutes(15);

/// Queues in one `SQLite` file.
pub(crate) struct DurableQueue {
    clock: Arc<dyn Clock>,
    receives_max: u32,
    connection: Mutex<Connection>,
}

/// Messages from before: also those that were being worked on when the process was killed, which come again when they are visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// How many.
    pub(crate) messages: u32,
    /// When the first of them comes.
    pub(crate) next: Timestamp,
}

impl DurableQueue {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// Passes on what `SQLite` says.
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>, receives_max: u32) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS messages (
                 id INTEGER PRIMARY KEY AUTOINCREMENT,
                 queue TEXT NOT NULL,
                 body TEXT NOT NULL,
                 visible_at INTEGER NOT NULL,
                 receive_count INTEGER NOT NULL DEFAULT 0,
                 dead INTEGER NOT NULL DEFAULT 0
             );
             CREATE INDEX IF NOT EXISTS visible ON messages (queue, dead, visible_at);",
        )?;
        Ok(Self { clock, receives_max, connection: Mutex::new(connection) })
    }

    /// What waits in the file.
    ///
    /// # Errors
    /// Passes on what `SQLite` says.
    pub(crate) fn waiting(&self) -> rusqlite::Result<Option<Waiting>> {
        let statement = "SELECT COUNT(*), MIN(visible_at) FROM messages WHERE dead = 0";
        let (messages, next): (u32, Option<i64>) = self.connection().query_row(statement, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(next.map(|next| Waiting { messages, next: Timestamp::from_millis(next) }))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the file as it was between two statements.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive_now(&self, queue: QueueName, max: usize, visibility: Millis) -> rusqlite::Result<Vec<Received>> {
        let now = self.clock.now().millis();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE messages SET dead = 1 WHERE queue = ?1 AND dead = 0 AND visible_at <= ?2 AND receive_count >= ?3",
            params![queue.as_str(), now, self.receives_max],
        )?;
        let received = {
            let mut statement = transaction.prepare_cached(
                "UPDATE messages SET receive_count = receive_count + 1, visible_at = ?1 WHERE id IN
                     (SELECT id FROM messages WHERE queue = ?2 AND dead = 0 AND visible_at <= ?3 ORDER BY id LIMIT ?4)
                 RETURNING id, body, receive_count",
            )?;
            let rows = statement.query_map(params![now + visibility.0, queue.as_str(), now, max], |row| {
                let (id, body, receive_count): (i64, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Received { id: format!("m{id}"), receipt: format!("{id}:{receive_count}"), body, receive_count })
            })?;
            rows.collect::<rusqlite::Result<Vec<Received>>>()?
        };
        transaction.commit()?;
        Ok(received)
    }

    fn delete_now(&self, receipt: &str) -> rusqlite::Result<()> {
        let Some((id, receive_count)) = receipt.split_once(':') else { return Ok(()) };
        let statement = "DELETE FROM messages WHERE id = ?1 AND receive_count = ?2 AND dead = 0";
        self.connection().execute(statement, params![id, receive_count]).map(drop)
    }

    fn dead_now(&self, queue: QueueName) -> rusqlite::Result<Vec<DeadLetter>> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT id, body, receive_count FROM messages WHERE queue = ?1 AND dead = 1 ORDER BY id LIMIT ?2")?;
        let letters = statement.query_map(params![queue.as_str(), DEAD_LETTERS_MOST], |row| {
            let (id, body, receive_count): (i64, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // The file does not keep when a message was sent.
            Ok(DeadLetter { id: format!("m{id}"), receipt: id.to_string(), body, receive_count, sent_at: None })
        })?;
        letters.collect()
    }

    fn delete_dead_now(&self, queue: QueueName, receipt: &str) -> rusqlite::Result<()> {
        let statement = "DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND dead = 1";
        self.connection().execute(statement, params![receipt, queue.as_str()]).map(drop)
    }
}

#[async_trait]
impl Queue for DurableQueue {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        let visible_at = self.clock.now().after(delay.min(LONGEST_DELAY)).millis();
        let statement = "INSERT INTO messages (queue, body, visible_at) VALUES (?1, ?2, ?3)";
        let sent = self.connection().execute(statement, params![queue.as_str(), body, visible_at]);
        sent.map(drop).map_err(|error| failed(queue, &error))
    }

    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        self.receive_now(queue, max, visibility).map_err(|error| failed(queue, &error))
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.delete_now(receipt).map_err(|error| failed(queue, &error))
    }

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        self.dead_now(queue).map_err(|error| failed(queue, &error))
    }

    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.delete_dead_now(queue, receipt).map_err(|error| failed(queue, &error))
    }
}

fn failed(queue: QueueName, error: &rusqlite::Error) -> QueueError {
    QueueError { queue: queue.as_str(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use pipeline::conformance;
    use pipeline::memory::TokioClock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_received_and_not_deleted_waits_until_it_is_visible_again() {
        let name = QueueName::Lookup(domain::priority::Priority::High);
        let clock = Arc::new(TokioClock::starting_at(conformance::START));
        let queue = DurableQueue::open(Path::new(":memory:"), clock, conformance::RECEIVES_MAX).unwrap();
        assert_eq!(queue.waiting().unwrap(), None);
        for delay in [Millis(0), Millis::minutes(10)] {
            queue.send(name, "a", delay).await.unwrap();
        }
        assert_eq!(queue.receive(name, 10, Millis::minutes(6)).await.unwrap().len(), 1);
        let next = conformance::START.after(Millis::minutes(6));
        assert_eq!(queue.waiting().unwrap(), Some(Waiting { messages: 2, next }));
    }

    async fn fresh() -> Arc<dyn Queue> {
        let clock = Arc::new(TokioClock::starting_at(conformance::START));
        Arc::new(DurableQueue::open(Path::new(":memory:"), clock, conformance::RECEIVES_MAX).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_durable_queue_behaves_like_sqs() {
        let pass = async |span: Millis| tokio::time::advance(span.to_std()).await;
        conformance::queue_suite(fresh, pass).await;
    }
}
