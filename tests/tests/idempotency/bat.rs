//! BAT: a batch never fails for one record, and no record is lost silently.

use std::sync::Arc;

use lambda_runtime::Context;
use pipeline::messages::to_body;
use pipeline::ports::{Queue, QueueName, Stage};
use serde_json::{Value, json};

use crate::world::{World, jane};

fn event(bodies: &[(&str, String)]) -> Value {
    let record = |(id, body): &(&str, String)| json!({ "messageId": id, "receiptHandle": "r", "body": body, "eventSource": "aws:sqs", "attributes": {} });
    json!({ "Records": bodies.iter().map(record).collect::<Vec<Value>>() })
}

/// What the function answers, as Lambda reads it.
async fn answer(world: &World, event: &Value) -> Value {
    let app = provider_lookup::App { enrich: world.enrich.clone() };
    let mut context = Context::default();
    context.deadline = u64::try_from(world.enrich.clock.now().millis()).unwrap() + 60_000;
    serde_json::to_value(provider_lookup::handle(&app, event, &context).await.unwrap()).unwrap()
}

fn failures(ids: &[&str]) -> Value {
    json!({ "batchItemFailures": ids.iter().map(|id| json!({ "itemIdentifier": id })).collect::<Vec<Value>>() })
}

/// Body and reason of what was put aside today.
async fn put_aside(world: &World) -> Vec<(String, String)> {
    let day = world.enrich.clock.now().day();
    world.aside.put_aside_on(&day).await.unwrap().into_iter().map(|poison| (poison.body, poison.why)).collect()
}

fn body(delivery: &str) -> String {
    to_body(&jane(delivery)).unwrap()
}

#[tokio::test]
async fn bat_all_well_is_an_empty_list_of_failures() {
    for world in World::on_every_store().await {
        assert_eq!(answer(&world, &event(&[("m1", body("d1"))])).await, json!({ "batchItemFailures": [] }));
    }
}

#[tokio::test]
async fn bat_an_unreadable_body_fails_alone_and_is_kept_with_its_reason() {
    for world in World::on_every_store().await {
        let batch = event(&[("bad", "{\"signup\":".into()), ("m1", body("d1")), ("empty", String::new())]);
        assert_eq!(answer(&world, &batch).await, failures(&[]), "what is put aside need not come again");
        let mut aside: Vec<(String, String)> = put_aside(&world).await;
        aside.sort();
        let [empty, bad] = aside.as_slice() else { panic!("{aside:?}") };
        assert_eq!((empty.0.as_str(), bad.0.as_str()), ("", "{\"signup\":"));
        assert!(bad.1.contains("not of the expected form") && empty.1.contains("not of the expected form"), "{aside:?}");
        assert_eq!(world.stored(&jane("d1")).await.unwrap().1, Stage::Done);
    }
}

#[tokio::test]
async fn bat_an_unreadable_body_that_cannot_be_kept_comes_again() {
    for world in World::on_every_store().await {
        world.trouble.fail_next("keep_poison");
        assert_eq!(answer(&world, &event(&[("bad", "{".into()), ("m1", body("d1"))])).await, failures(&["bad"]));
        assert!(world.trouble.is_over());
    }
}

#[tokio::test]
async fn bat_exactly_the_record_whose_store_failed_is_reported() {
    for world in World::on_every_store().await {
        world.trouble.fail_next("claim_run");
        let mut ann = jane("d2");
        ann.signup.email = Some(domain::identity::Email::parse("ann@northwind.io").unwrap());
        let batch = event(&[("m1", body("d1")), ("m2", to_body(&ann).unwrap())]);
        assert_eq!(answer(&world, &batch).await, failures(&["m1"]));
        assert_eq!(world.stored(&ann).await.unwrap().1, Stage::Done);
        assert_eq!(answer(&world, &event(&[("m1", body("d1"))])).await, failures(&[]));
    }
}

#[tokio::test]
async fn bat_the_same_message_at_two_workers_is_one_run() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        let other = world.another_worker(1000);
        let (one, two) = tokio::join!(world.work(&message), other.work(&message, crate::world::AMPLE));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        assert_eq!((world.provider.asked("crustdata.company"), world.provider.asked("crustdata.person")), (1, 1));
        // Whoever came second left a copy, and the copy finds the run finished.
        world.clock.pass(domain::units::Millis::minutes(2));
        let queue: Arc<dyn Queue> = world.queue.clone();
        for copy in queue.receive(QueueName::Lookup(message.priority), 10, domain::units::Millis(1)).await.unwrap() {
            assert_eq!(answer(&world, &event(&[(&copy.id, copy.body.clone())])).await, failures(&[]));
        }
        assert_eq!(world.provider.asked("crustdata.company"), 1);
    }
}

#[tokio::test]
async fn bat_with_too_little_time_left_a_copy_is_sent_and_only_what_cannot_be_sent_is_reported() {
    for world in World::on_every_store().await {
        let app = provider_lookup::App { enrich: world.enrich.clone() };
        let batch = event(&[("m1", body("d1")), ("m2", body("d2"))]);
        let over = Context::default();
        let answered = serde_json::to_value(provider_lookup::handle(&app, &batch, &over).await.unwrap()).unwrap();
        assert_eq!((answered, world.copies()), (failures(&[]), 2));
        world.trouble.fail_next("send");
        let answered = serde_json::to_value(provider_lookup::handle(&app, &batch, &over).await.unwrap()).unwrap();
        assert_eq!((answered, world.copies()), (failures(&["m1"]), 3));
    }
}
