use domain::units::Millis;
use pipeline::messages::WritebackMessage;
use pipeline::ports::{CrmReply, Outbox, OutboxTurn, Queue, QueueName, Records, WriteRequest};
use pipeline::work::Worked;

use crate::world::{TIME_LEFT, World, jane};

async fn decided(world: &World) -> WritebackMessage {
    world.finish(&jane()).await;
    world.next_writeback().await
}

fn replies(world: &World, replies: Vec<CrmReply>) {
    *world.crm.replies.lock().unwrap() = replies;
}

fn writes(world: &World) -> usize {
    world.crm.writes.lock().unwrap().len()
}

fn written() -> CrmReply {
    CrmReply::Written { external_id: "512".into(), created: false }
}

#[tokio::test(start_paused = true)]
async fn s3_63_and_s3_64_the_properties_are_texts_with_the_values_decided() {
    let world = World::new();
    let message = decided(&world).await;
    assert_eq!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::Written { created: true });
    let write = world.crm.writes.lock().unwrap()[0].clone();
    assert_eq!(write.email.expose(), "jane@acme.io");
    let expected = [
        ("company_funding_stage", "series_c"),
        ("company_headcount", "1200"),
        ("crm_owner_id", "ae-1"),
        ("enrichment_confidence", "0.74"),
        ("enrichment_provider", "crustdata"),
        ("person_seniority", "vp"),
        ("plg_lead_score", "100"),
        ("routing_track", "ae_queue"),
    ];
    assert_eq!(write.properties.into_iter().collect::<Vec<_>>(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_has_not_changed_is_not_written_again() {
    let world = World::new();
    let message = decided(&world).await;
    world.write_back.work(&message, TIME_LEFT).await.unwrap();
    assert_eq!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::NothingToWrite { why: "nothing has changed" });
    assert_eq!(writes(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_honoured_and_the_write_comes_again() {
    let world = World::new();
    let message = decided(&world).await;
    replies(&world, vec![CrmReply::RateLimited { retry_after: Millis::seconds(10) }, written()]);
    let Worked::Parked { until, .. } = world.write_back.work(&message, TIME_LEFT).await.unwrap() else { panic!() };
    assert_eq!(until, world.now().after(Millis::seconds(10)));
    tokio::time::advance(Millis::seconds(11).to_std()).await;
    let copy = world.next_writeback().await;
    assert!(matches!(world.write_back.work(&copy, TIME_LEFT).await.unwrap(), Worked::Written { .. }));
}

#[tokio::test(start_paused = true)]
async fn after_an_unknown_outcome_the_newest_decision_is_asserted_again() {
    let world = World::new();
    let message = decided(&world).await;
    world.write_back.work(&message, TIME_LEFT).await.unwrap();
    world
        .enrich
        .store
        .begin_write(&WriteRequest {
            record: message.record.clone(),
            target: "hubspot".into(),
            nonce: "crashed while writing".into(),
            now: world.now(),
            lease_until: world.now().after(Millis(1)),
        })
        .await
        .unwrap();
    tokio::time::advance(Millis::seconds(1).to_std()).await;
    assert!(matches!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::Written { .. }));
    assert_eq!(writes(&world), 2, "the digest of before the crash is not believed");
    // The crashed attempt's request may still arrive and undo what was just written.
    tokio::time::advance(Millis::seconds(61).to_std()).await;
    let copy = world.next_writeback().await;
    assert!(matches!(world.write_back.work(&copy, TIME_LEFT).await.unwrap(), Worked::Written { .. }));
    assert_eq!(world.write_back.work(&copy, TIME_LEFT).await.unwrap(), Worked::NothingToWrite { why: "nothing has changed" });
    assert_eq!((writes(&world), world.writebacks()), (3, 0), "asserted once more, and no further");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_forgotten_over_a_rate_limit() {
    let world = World::new();
    let message = decided(&world).await;
    let limited = CrmReply::RateLimited { retry_after: Millis::seconds(1) };
    replies(&world, vec![CrmReply::Unavailable { why: "no answer".into() }, limited, written()]);
    world.write_back.work(&message, TIME_LEFT).await.unwrap();
    for _ in 0..120 {
        tokio::time::advance(Millis::seconds(1).to_std()).await;
        if world.queue.receive(QueueName::Writeback, 1, Millis(0)).await.unwrap().is_empty() {
            continue;
        }
        let copy = world.next_writeback().await;
        world.write_back.work(&copy, TIME_LEFT).await.unwrap();
    }
    assert_eq!((writes(&world), world.writebacks()), (4, 0), "no answer, limited, written, asserted again");
}

#[tokio::test(start_paused = true)]
async fn a_crm_that_is_down_is_tried_again_after_the_lease() {
    let world = World::new();
    let message = decided(&world).await;
    replies(&world, vec![CrmReply::Unavailable { why: "status 502".into() }, written()]);
    let Worked::Parked { until, .. } = world.write_back.work(&message, TIME_LEFT).await.unwrap() else { panic!() };
    tokio::time::advance(until.since(world.now()).to_std()).await;
    tokio::time::advance(Millis(1).to_std()).await;
    let copy = world.next_writeback().await;
    assert_eq!(copy.attempt, 1);
    assert!(matches!(world.write_back.work(&copy, TIME_LEFT).await.unwrap(), Worked::Written { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_the_crm_will_never_take_is_put_aside_with_its_reason() {
    let world = World::new();
    let message = decided(&world).await;
    replies(&world, vec![CrmReply::Refused { why: "VALIDATION_ERROR: company_headcount".into() }]);
    assert!(matches!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::Poisoned { .. }));
    assert!(world.store.poison()[0].why.contains("company_headcount"));
}

#[tokio::test(start_paused = true)]
async fn one_worker_writes_a_lead_at_a_time() {
    let world = World::new();
    let message = decided(&world).await;
    let now = world.now();
    let request = WriteRequest {
        record: message.record.clone(),
        target: "hubspot".into(),
        nonce: "other".into(),
        now,
        lease_until: now.after(Millis::seconds(5)),
    };
    world.enrich.store.begin_write(&request).await.unwrap();
    assert!(matches!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::Parked { .. }));
    assert_eq!(writes(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_gate_holds_by_now_is_not_written_by_an_earlier_message() {
    let world = World::new();
    let message = decided(&world).await;
    let mut record = world.store.records().remove(0);
    record.version += 1;
    record.decided.as_mut().unwrap().decision.gate.verdict = domain::gate::Verdict::Verify;
    world.store.save_record(&record, &[]).await.unwrap();
    assert_eq!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::NothingToWrite { why: "the gate holds this lead" });
    assert_eq!(writes(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn the_record_is_read_under_the_lease() {
    let world = World::new();
    let message = decided(&world).await;
    let held = WriteRequest {
        record: message.record.clone(),
        target: "hubspot".into(),
        nonce: "first".into(),
        now: world.now(),
        lease_until: world.now().after(Millis::seconds(5)),
    };
    let OutboxTurn::Yours(lease) = world.store.begin_write(&held).await.unwrap() else { panic!() };
    assert!(matches!(world.write_back.work(&message, TIME_LEFT).await.unwrap(), Worked::Parked { .. }));
    let mut record = world.store.records().remove(0);
    record.version += 1;
    record.decided.as_mut().unwrap().decision.owner = Some("ae-9".into());
    world.store.save_record(&record, &[]).await.unwrap();
    world.store.abandon_write(&lease).await.unwrap();
    tokio::time::advance(Millis::seconds(2).to_std()).await;
    let copy = world.next_writeback().await;
    world.write_back.work(&copy, TIME_LEFT).await.unwrap();
    assert_eq!(world.crm.writes.lock().unwrap()[0].properties["crm_owner_id"], "ae-9");
}

#[tokio::test(start_paused = true)]
async fn a_write_begins_with_twelve_seconds_left_and_not_with_less() {
    let world = World::new();
    let message = decided(&world).await;
    for short in [Millis(11_999), Millis(0)] {
        assert!(matches!(world.write_back.work(&message, short).await.unwrap(), Worked::Parked { .. }), "with {short} left");
        assert_eq!(writes(&world), 0);
        assert_eq!(world.next_writeback().await, message, "a copy waits, and it is no attempt");
    }
    assert!(matches!(world.write_back.work(&message, Millis::seconds(12)).await.unwrap(), Worked::Written { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_crm_that_stays_down_is_asked_at_twice_the_distance_each_time_up_to_a_quarter_of_an_hour() {
    let world = World::new();
    let message = decided(&world).await;
    replies(&world, vec![CrmReply::Unavailable { why: "status 502".into() }]);
    for (attempt, seconds) in [(0, 15), (1, 30), (2, 60), (5, 480), (6, 900), (7, 900), (99, 900)] {
        let tried = WritebackMessage { attempt, ..message.clone() };
        let Worked::Parked { until, .. } = world.write_back.work(&tried, TIME_LEFT).await.unwrap() else { panic!("attempt {attempt}") };
        assert_eq!(until, world.now().after(Millis::seconds(seconds)), "attempt {attempt}");
        tokio::time::advance(Millis::minutes(1).to_std()).await;
    }
    let tired = WritebackMessage { attempt: 100, ..message };
    assert!(world.write_back.work(&tired, TIME_LEFT).await.is_err(), "left to the dead-letter queue");
}
