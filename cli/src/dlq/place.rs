//! Where the letters are: among the dead letters of a stack's queues, and in its leads table.

use anyhow::Result;
use pipeline::dead_letters::{Letter, read_dead, read_put_aside};
use pipeline::ports::{Clock as _, QueueName};
use platform::{SystemClock, Table};

use crate::stack::Stack;

/// The tables that a command about letters reaches; of queues it reaches all.
pub(super) const TABLES: [Table; 1] = [Table::Leads];

impl Stack {
    /// The letters, oldest first: those of one queue or of all, and of what was put aside the last `days` days.
    pub(super) async fn letters(&self, only: Option<QueueName>, days: u16) -> Result<Vec<Letter>> {
        let mut letters = match &self.queue {
            Some(queue) => {
                let names = only.map_or(QueueName::ALL.to_vec(), |queue| vec![queue]);
                self.asked(read_dead(queue, &names).await)?
            }
            None => Vec::new(),
        };
        let aside = self.asked(read_put_aside(&self.store, SystemClock.now(), days).await)?;
        letters.extend(aside.into_iter().filter(|letter| only.is_none() || letter.queue() == only));
        letters.sort_by_key(Letter::since);
        Ok(letters)
    }
}
