use std::collections::BTreeSet;
use std::sync::Arc;

use domain::priority::Priority;
use domain::units::{Millis, Timestamp};

use crate::ports::{DeadLetter, Queue, QueueName};

/// What the suite's queues allow: a message received more often goes to the dead letters.
pub const RECEIVES_MAX: u32 = 3;
const QUEUE: QueueName = QueueName::Writeback;

/// SQS semantics. `fresh` makes empty queues with a redrive policy of three receives; `pass` lets time go by.
pub async fn queue_suite<F: AsyncFn() -> Arc<dyn Queue>, P: AsyncFn(Millis)>(fresh: F, pass: P) {
    a_received_message_is_hidden_and_comes_back(&*fresh().await, &pass).await;
    a_deleted_message_is_gone_and_an_old_receipt_deletes_nothing(&*fresh().await, &pass).await;
    a_delayed_message_arrives_later(&*fresh().await, &pass).await;
    a_message_received_too_often_goes_to_the_dead_letters(&*fresh().await, &pass).await;
    a_dead_letter_stays_until_it_is_deleted(&*fresh().await, &pass).await;
    queues_are_apart(&*fresh().await).await;
}

async fn bodies(queue: &dyn Queue) -> Vec<(String, u32)> {
    let received = queue.receive(QUEUE, 10, Millis::seconds(2)).await.unwrap();
    received.into_iter().map(|message| (message.body, message.receive_count)).collect()
}

async fn a_received_message_is_hidden_and_comes_back<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P) {
    queue.send(QUEUE, "a", Millis(0)).await.unwrap();
    assert_eq!(bodies(queue).await, [("a".to_owned(), 1)]);
    assert_eq!(bodies(queue).await, []);
    pass(Millis::seconds(3)).await;
    assert_eq!(bodies(queue).await, [("a".to_owned(), 2)]);
}

async fn a_deleted_message_is_gone_and_an_old_receipt_deletes_nothing<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P) {
    queue.send(QUEUE, "a", Millis(0)).await.unwrap();
    let first = queue.receive(QUEUE, 10, Millis::seconds(2)).await.unwrap().remove(0);
    queue.delete(QUEUE, &first.receipt).await.unwrap();
    pass(Millis::seconds(3)).await;
    assert_eq!(bodies(queue).await, []);
    queue.delete(QUEUE, &first.receipt).await.unwrap();
}

async fn a_delayed_message_arrives_later<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P) {
    queue.send(QUEUE, "a", Millis::seconds(2)).await.unwrap();
    assert_eq!(bodies(queue).await, []);
    pass(Millis::seconds(3)).await;
    assert_eq!(bodies(queue).await, [("a".to_owned(), 1)]);
}

/// Sends messages and receives them until they are dead; gives back their ids.
async fn wear_out<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P, bodies: &[&str]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for body in bodies {
        queue.send(QUEUE, body, Millis(0)).await.unwrap();
    }
    for _ in 0..RECEIVES_MAX {
        ids.extend(queue.receive(QUEUE, 10, Millis::seconds(2)).await.unwrap().into_iter().map(|message| message.id));
        pass(Millis::seconds(3)).await;
    }
    assert_eq!(queue.receive(QUEUE, 10, Millis::seconds(2)).await.unwrap(), []);
    ids
}

async fn a_message_received_too_often_goes_to_the_dead_letters<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P) {
    let ids = wear_out(queue, pass, &["a"]).await;
    let letters = queue.dead_letters(QUEUE).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.body.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(letters.iter().map(|letter| letter.id.clone()).collect::<BTreeSet<_>>(), ids, "it keeps its id");
    assert!(letters[0].receive_count >= RECEIVES_MAX);
    assert!(letters[0].sent_at.is_none_or(|sent_at| sent_at > Timestamp::default()));
    assert_eq!(queue.dead_letters(QueueName::Lookup(Priority::Low)).await.unwrap(), []);
}

async fn a_dead_letter_stays_until_it_is_deleted<P: AsyncFn(Millis)>(queue: &dyn Queue, pass: &P) {
    wear_out(queue, pass, &["a", "b"]).await;
    let ids = |letters: &[DeadLetter]| letters.iter().map(|letter| letter.id.clone()).collect::<BTreeSet<_>>();
    let first = queue.dead_letters(QUEUE).await.unwrap();
    let letters = queue.dead_letters(QUEUE).await.unwrap();
    assert_eq!((ids(&letters), letters.len()), (ids(&first), 2), "reading hides nothing from whoever reads next");
    queue.delete_dead_letter(QUEUE, &letters[0].receipt).await.unwrap();
    assert_eq!(ids(&queue.dead_letters(QUEUE).await.unwrap()), ids(&letters[1..]));
    // Whether it says so or not.
    drop(queue.delete_dead_letter(QUEUE, &letters[0].receipt).await);
    assert_eq!(ids(&queue.dead_letters(QUEUE).await.unwrap()), ids(&letters[1..]), "an old receipt deletes nothing");
}

async fn queues_are_apart(queue: &dyn Queue) {
    queue.send(QueueName::Lookup(Priority::Low), "a", Millis(0)).await.unwrap();
    assert_eq!(bodies(queue).await, []);
}
