use std::sync::Mutex;

use async_trait::async_trait;
use domain::priority::Priority;
use domain::units::{Millis, Timestamp};
use pipeline::dead_letters::{DAYS_KEPT, Letter, NotRedriven, read_dead, read_put_aside, redrive};
use pipeline::memory::{MemoryQueue, MemoryStore};
use pipeline::messages::{LookupMessage, WritebackMessage, from_body, to_body};
use pipeline::ports::{Clock as _, DeadLetter, Poison, PutAside, Queue, QueueError, QueueName, Received, Runs, StoreError};
use pipeline::work::Worked;

use crate::world::{START, World, jane};

const HIGH: QueueName = QueueName::Lookup(Priority::High);
const NORMAL: QueueName = QueueName::Lookup(Priority::Normal);

/// The ports with an ear at their doors, and one verb that does not answer.
struct Watched<'a> {
    queue: &'a MemoryQueue,
    store: &'a MemoryStore,
    broken: &'static str,
    verbs: Mutex<Vec<&'static str>>,
}

impl<'a> Watched<'a> {
    fn new(world: &'a World, broken: &'static str) -> Self {
        Self { queue: &world.queue, store: &world.store, broken, verbs: Mutex::default() }
    }

    fn hear(&self, verb: &'static str) -> Result<(), String> {
        self.verbs.lock().unwrap().push(verb);
        if verb == self.broken { Err("no answer in time".to_owned()) } else { Ok(()) }
    }

    fn heard(&self) -> Vec<&'static str> {
        self.verbs.lock().unwrap().clone()
    }

    async fn redrive(&self, letter: &Letter) -> Result<QueueName, NotRedriven> {
        redrive(self, self, letter).await
    }
}

#[async_trait]
impl Queue for Watched<'_> {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        self.hear("send").map_err(|why| QueueError { queue: queue.as_str(), why })?;
        self.queue.send(queue, body, delay).await
    }
    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        self.queue.receive(queue, max, visibility).await
    }
    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.queue.delete(queue, receipt).await
    }
    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        self.queue.dead_letters(queue).await
    }
    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.hear("delete").map_err(|why| QueueError { queue: queue.as_str(), why })?;
        self.queue.delete_dead_letter(queue, receipt).await
    }
}

#[async_trait]
impl PutAside for Watched<'_> {
    async fn put_aside_on(&self, day: &str) -> Result<Vec<Poison>, StoreError> {
        self.store.put_aside_on(day).await
    }
    async fn forget_put_aside(&self, poison: &Poison) -> Result<(), StoreError> {
        self.hear("forget").map_err(StoreError::Unavailable)?;
        self.store.forget_put_aside(poison).await
    }
}

/// Sends a message and receives it until it is a dead letter; as no test of this file receives more than one, it is the first.
async fn dead(world: &World, queue: QueueName, body: &str) -> Letter {
    world.queue.send(queue, body, Millis(0)).await.unwrap();
    while world.queue.waiting(queue) > 0 {
        world.queue.receive(queue, 10, Millis(0)).await.unwrap();
    }
    read_dead(&*world.queue, &QueueName::ALL).await.unwrap().remove(0)
}

/// Keeps a message aside and reads it back.
async fn aside(world: &World, queue: &str, body: &str, at: Timestamp) -> Letter {
    let poison = Poison { id: "p1".into(), queue: queue.into(), why: "not JSON".into(), body: body.into(), at };
    world.store.keep_poison(&poison).await.unwrap();
    read_put_aside(&*world.store, START, DAYS_KEPT).await.unwrap().remove(0)
}

async fn dead_of(world: &World) -> Vec<Letter> {
    read_dead(&*world.queue, &QueueName::ALL).await.unwrap()
}

async fn aside_of(world: &World, days: u16) -> usize {
    read_put_aside(&*world.store, START, days).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_there_is_nothing_to_read() {
    let world = World::new();
    assert_eq!((dead_of(&world).await, aside_of(&world, DAYS_KEPT).await), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_sent_first_and_deleted_after() {
    let world = World::new();
    let letter = dead(&world, HIGH, "a").await;
    assert_eq!((letter.queue(), letter.queue_name(), letter.body()), (Some(HIGH), "lookup-high", "a"));
    let watched = Watched::new(&world, "");
    assert_eq!(watched.redrive(&letter).await, Ok(HIGH));
    assert_eq!(watched.heard(), ["send", "delete"]);
    assert_eq!((world.queue.waiting(HIGH), dead_of(&world).await), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_was_put_aside_is_sent_first_and_forgotten_after() {
    let world = World::new();
    let letter = aside(&world, "writeback", "a", START).await;
    let watched = Watched::new(&world, "");
    assert_eq!(watched.redrive(&letter).await, Ok(QueueName::Writeback));
    assert_eq!(watched.heard(), ["send", "forget"]);
    assert_eq!((world.queue.waiting(QueueName::Writeback), aside_of(&world, DAYS_KEPT).await), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_sent_stays_where_it_is() {
    let world = World::new();
    let watched = Watched::new(&world, "send");
    for letter in [dead(&world, HIGH, "a").await, aside(&world, "lookup", "a", START).await] {
        let error = watched.redrive(&letter).await.unwrap_err();
        assert!(matches!(error, NotRedriven::NotSent(_)), "{error}");
    }
    assert_eq!(watched.heard(), ["send", "send"], "nothing is deleted that was not sent");
    assert_eq!((dead_of(&world).await.len(), aside_of(&world, DAYS_KEPT).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn dying_between_sending_and_deleting_leaves_the_letter_twice_and_the_run_is_worked_once() {
    let world = World::new();
    let letter = dead(&world, HIGH, &to_body(&jane()).unwrap()).await;
    let error = Watched::new(&world, "delete").redrive(&letter).await.unwrap_err();
    assert!(matches!(error, NotRedriven::NotRemoved(_)), "{error}");
    assert_eq!((world.queue.waiting(HIGH), dead_of(&world).await.len()), (1, 1));

    assert_eq!(Watched::new(&world, "").redrive(&dead_of(&world).await[0]).await, Ok(HIGH));
    let copies = world.queue.receive(HIGH, 10, Millis::minutes(6)).await.unwrap();
    assert_eq!((copies.len(), dead_of(&world).await), (2, vec![]));
    let mut ends = Vec::new();
    for copy in copies {
        ends.push(world.work(&from_body::<LookupMessage>(&copy.body).unwrap()).await);
    }
    assert!(matches!(ends[..], [Worked::Finished { .. }, Worked::Repeated { .. }]));
    assert_eq!((world.provider.asked("crustdata.company"), world.writebacks()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn dying_between_sending_and_forgetting_leaves_the_message_twice() {
    let world = World::new();
    let letter = aside(&world, "writeback", "a", START).await;
    let error = Watched::new(&world, "forget").redrive(&letter).await.unwrap_err();
    assert!(matches!(error, NotRedriven::NotRemoved(_)), "{error}");
    assert_eq!((world.queue.waiting(QueueName::Writeback), aside_of(&world, DAYS_KEPT).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_provider_lookup_put_aside_goes_to_the_normal_queue() {
    let world = World::new();
    let letter = aside(&world, "lookup", "{", START).await;
    assert_eq!(letter.queue_name(), "lookup-normal");
    assert_eq!(Watched::new(&world, "").redrive(&letter).await, Ok(NORMAL));
    assert_eq!(world.queue.receive(NORMAL, 10, Millis(0)).await.unwrap()[0].body, "{", "the body is sent as it was received");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_there_is_not_is_an_error_and_the_message_stays() {
    let world = World::new();
    let letter = aside(&world, "nowhere", "a", START).await;
    let watched = Watched::new(&world, "");
    assert_eq!(watched.redrive(&letter).await, Err(NotRedriven::NoSuchQueue("nowhere".into())));
    assert_eq!((watched.heard(), aside_of(&world, DAYS_KEPT).await), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_signup_under_the_delivery_of_another_names_that_ones_run_and_is_not_sent_again() {
    let world = World::new();
    world.finish(&jane()).await;
    let mut other = jane();
    other.signup.company_name = Some("Another Company".into());
    assert!(matches!(world.work(&other).await, Worked::Poisoned { .. }));
    let letters = read_put_aside(&*world.store, world.clock.now(), 1).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    let run = jane().signup.run_id(&world.key);
    assert_eq!((letter.run(), letter.is_refused_for_ever()), (Some(run.clone()), true));
    let watched = Watched::new(&world, "");
    assert_eq!(watched.redrive(letter).await, Err(NotRedriven::RefusedForEver(run)));
    assert_eq!((watched.heard(), aside_of(&world, DAYS_KEPT).await), (vec![], 1), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn the_run_is_named_where_the_body_names_it() {
    let world = World::new();
    world.finish(&jane()).await;
    let run = jane().signup.run_id(&world.key);
    let message: WritebackMessage = world.next_writeback().await;
    assert_eq!(aside(&world, "writeback", &to_body(&message).unwrap(), START).await.run(), Some(run));
    assert_eq!(aside(&world, "lookup", "{", START).await.run(), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_put_aside_is_read_back_to_the_day_asked_for_and_ninety_days_at_most() {
    let world = World::new();
    aside(&world, "lookup", "{", START.before(Millis::days(13))).await;
    aside(&world, "lookup", "{", START.before(Millis::days(90))).await;
    assert_eq!(aside_of(&world, 13).await, 0);
    assert_eq!(aside_of(&world, 14).await, 1);
    assert_eq!(aside_of(&world, DAYS_KEPT).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_sent_again_counts_its_tries_anew() {
    let world = World::new();
    let tired = LookupMessage { copies: 1000, ..jane() };
    let letter = dead(&world, HIGH, &to_body(&tired).unwrap()).await;
    assert!(!letter.is_refused_for_ever());
    Watched::new(&world, "").redrive(&letter).await.unwrap();
    let received = world.queue.receive(HIGH, 1, Millis(0)).await.unwrap().remove(0);
    assert_eq!(from_body::<LookupMessage>(&received.body).unwrap(), jane());

    let run = jane().signup.run_id(&world.key);
    let message = WritebackMessage { record: domain::record::RecordId("r1".into()), run, attempt: 9 };
    let letter = aside(&world, "writeback", &to_body(&message).unwrap(), START).await;
    assert_eq!((letter.id(), letter.since()), ("p1", Some(START)));
    Watched::new(&world, "").redrive(&letter).await.unwrap();
    let received = world.queue.receive(QueueName::Writeback, 1, Millis(0)).await.unwrap().remove(0);
    assert_eq!(from_body::<WritebackMessage>(&received.body).unwrap().attempt, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_has_the_name_and_the_time_that_its_queue_gave_it() {
    let world = World::new();
    let letter = dead(&world, HIGH, "a").await;
    let Letter::Dead(_, as_read) = &letter else { panic!("it is a dead letter") };
    assert_eq!((letter.id(), letter.since()), (as_read.id.as_str(), as_read.sent_at));
    assert!(!letter.id().is_empty());
}
