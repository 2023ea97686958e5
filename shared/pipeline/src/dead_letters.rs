//! What could not be worked off: the dead letters of the queues and the messages that functions put aside, and how a person
//! sends them again.

use domain::priority::Priority;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use futures::{StreamExt as _, TryStreamExt as _, future, stream};

use crate::messages::{LookupMessage, RedecideMessage, WritebackMessage, from_body, to_body};
use crate::ports::{DeadLetter, Poison, PutAside, Queue, QueueError, QueueName, StoreError};

/// What is put aside is kept 90 days; with the day on which that began, these many days hold it all.
pub const DAYS_KEPT: u16 = 91;

/// Days that are read at the same time.
const DAYS_AT_ONCE: usize = 8;

/// What provider-lookup calls the four queues it is fed from: it does not know from which of them a message came.
const ANY_LOOKUP: &str = "lookup";

/// How the reason begins of a signup whose delivery id belongs to another signup; that one's run follows. Sent again it is refused
/// again.
pub(crate) const OTHER_SIGNUP: &str = "another signup came under the delivery of run ";

/// A message that could not be worked off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// It failed as often as its queue allows.
    Dead(QueueName, DeadLetter),
    /// A function found that it can never be worked off as things are.
    PutAside(Poison),
}

impl Letter {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Dead(_, letter) => &letter.id,
            Self::PutAside(poison) => &poison.id,
        }
    }

    /// The queue it is sent to again; `None` when it names none that there is.
    #[must_use]
    pub fn queue(&self) -> Option<QueueName> {
        match self {
            Self::Dead(queue, _) => Some(*queue),
            Self::PutAside(poison) if poison.queue == ANY_LOOKUP => Some(QueueName::Lookup(Priority::Normal)),
            Self::PutAside(poison) => QueueName::parse(&poison.queue),
        }
    }

    /// The queue it is sent to again, or the name of one that there is not.
    #[must_use]
    pub fn queue_name(&self) -> &str {
        match self {
            Self::Dead(queue, _) => queue.as_str(),
            Self::PutAside(poison) => match self.queue() {
                Some(queue) => queue.as_str(),
                None => &poison.queue,
            },
        }
    }

    /// When a dead letter was sent, or a message was put aside.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Dead(_, letter) => letter.sent_at,
            Self::PutAside(poison) => Some(poison.at),
        }
    }

    /// The run it belongs to, where the body names one: a message to the CRM does, a signup does not. For a signup whose delivery
    /// id belongs to another signup, that one's.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        self.run_of_delivery().or_else(|| from_body::<WritebackMessage>(self.body()).ok().map(|message| message.run))
    }

    /// Whether it is refused however often it is sent: its delivery id belongs to another signup, and that one stands.
    #[must_use]
    pub fn is_refused_for_ever(&self) -> bool {
        self.run_of_delivery().is_some()
    }

    fn run_of_delivery(&self) -> Option<RunId> {
        let Self::PutAside(poison) = self else { return None };
        let (run, _) = poison.why.strip_prefix(OTHER_SIGNUP)?.split_once(';')?;
        RunId::parse(run).ok()
    }

    /// The body as it was received. Holds personal data.
    #[must_use]
    pub fn body(&self) -> &str {
        match self {
            Self::Dead(_, letter) => &letter.body,
            Self::PutAside(poison) => &poison.body,
        }
    }
}

/// Why a letter was not sent again, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedriven {
    /// It would be put aside again.
    #[error("it stays where it is: its delivery id belongs to run {0}, so it is refused for ever; a new signup needs a new delivery id")]
    RefusedForEver(RunId),
    /// Nobody knows where to send it.
    #[error("there is no queue {0}; it stays where it is")]
    NoSuchQueue(String),
    /// It was not sent.
    #[error("it stays where it is: {0}")]
    NotSent(QueueError),
    /// It was sent and is still where it was.
    #[error("it was sent but also stays where it is, and may be sent again without harm: {0}")]
    NotRemoved(String),
}

/// The dead letters of these queues.
///
/// # Errors
/// [`QueueError`] of the first queue that did not answer.
pub async fn read_dead(queue: &dyn Queue, names: &[QueueName]) -> Result<Vec<Letter>, QueueError> {
    let read = future::try_join_all(names.iter().map(|name| queue.dead_letters(*name))).await?;
    let letters_of = |(name, letters): (&QueueName, Vec<DeadLetter>)| {
        let name = *name;
        letters.into_iter().map(move |letter| Letter::Dead(name, letter))
    };
    Ok(names.iter().zip(read).flat_map(letters_of).collect())
}

/// What was put aside in the last `days` days, today among them.
///
/// # Errors
/// [`StoreError`] when a day cannot be read.
pub async fn read_put_aside(aside: &dyn PutAside, now: Timestamp, days: u16) -> Result<Vec<Letter>, StoreError> {
    let days = (0..i64::from(days)).map(|ago| now.before(Millis::days(ago)).day());
    let read = stream::iter(days).map(|day| async move { aside.put_aside_on(&day).await }).buffered(DAYS_AT_ONCE);
    let poison: Vec<Vec<Poison>> = read.try_collect().await?;
    Ok(poison.into_iter().flatten().map(Letter::PutAside).collect())
}

/// A letter that died of too many attempts or copies begins to count anew; a body of another form stays as it is.
fn counted_anew(body: &str) -> String {
    if let Ok(message) = from_body::<WritebackMessage>(body) {
        return to_body(&WritebackMessage { attempt: 0, ..message }).unwrap_or_else(|_| body.to_owned());
    }
    if let Ok(message) = from_body::<RedecideMessage>(body) {
        return to_body(&RedecideMessage { copies: 0, ..message }).unwrap_or_else(|_| body.to_owned());
    }
    match from_body::<LookupMessage>(body) {
        Ok(message) => to_body(&LookupMessage { copies: 0, ..message }).unwrap_or_else(|_| body.to_owned()),
        Err(_) => body.to_owned(),
    }
}

/// Sends a letter to its queue and only then takes it away from where it was: whoever dies in between leaves it twice, and the
/// claim of its run makes the second one a no-op.
///
/// # Errors
/// [`NotRedriven`] says what became of it.
pub async fn redrive(queue: &dyn Queue, aside: &dyn PutAside, letter: &Letter) -> Result<QueueName, NotRedriven> {
    if let Some(run) = letter.run_of_delivery() {
        return Err(NotRedriven::RefusedForEver(run));
    }
    let name = letter.queue().ok_or_else(|| NotRedriven::NoSuchQueue(letter.queue_name().to_owned()))?;
    queue.send(name, &counted_anew(letter.body()), Millis(0)).await.map_err(NotRedriven::NotSent)?;
    match letter {
        Letter::Dead(name, dead) => {
            queue.delete_dead_letter(*name, &dead.receipt).await.map_err(|error| NotRedriven::NotRemoved(error.to_string()))?;
        }
        Letter::PutAside(poison) => {
            aside.forget_put_aside(poison).await.map_err(|error| NotRedriven::NotRemoved(error.to_string()))?;
        }
    }
    Ok(name)
}
