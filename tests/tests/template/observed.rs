//! What the functions do to AWS, over all samples and where something goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use domain::identity::HashKey;
use domain::priority::Priority;
use domain::units::Millis;
use intake::sample::{Before, Sample};
use local::samples::Samples;
use pipeline::hold::{hold_the_day, release};
use pipeline::ports::{Clock as _, QueueName, RunLog as _, Stage};
use platform::Function::{CrmWriteback, ProviderLookup, ScoreRoute};
use platform::Table;
use serde_json::Value;
use stand_in::sample_event;
use tests::template::{Template, entries, listed};

use crate::drift::{queue_id, table_id};
use crate::world::{AMPLE, Request, World};
use crate::{root, text_of};

/// One use of a right: the action and the logical id of what it was used on.
pub(crate) type Use = (String, String);
/// What each function did, and the partition keys it named in doing so.
pub(crate) type Seen = BTreeMap<&'static str, BTreeMap<Use, BTreeSet<String>>>;

/// What stands behind a table's id when it is the index that was asked.
pub(crate) const INDEX: &str = "/index/open";

/// Everything that the samples make the functions do, and what they do when something goes wrong.
pub(crate) async fn observe(template: &Template) -> Seen {
    let mut world = World::start(template).await;
    for (_, sample, _) in Samples::load(&root().join("events")).unwrap().iter() {
        play(&mut world, sample).await;
    }
    // The CRM limits the rate, so the write is postponed.
    let limited = text_of("events/signup-webhook.self-serve.json").replace("\"sam@", "\"crmlimited@");
    play(&mut world, &Sample::parse(&limited).unwrap()).await;
    // Messages that nobody can read are put aside.
    let bad = [
        (ProviderLookup, "provider-lookup.one-bad-record"),
        (ScoreRoute, "score-route.one-bad-record"),
        (CrmWriteback, "crm-writeback.one-bad-record"),
    ];
    for (function, name) in bad {
        let event = sample_event(name, world.clock.now()).unwrap();
        world.invoke(function, &event, AMPLE).await;
    }
    decide_again(&mut world).await;
    settle_in_vain(&mut world).await;
    sweep(&mut world).await;
    hand_on_copies(&mut world).await;
    world.work_off().await;
    collect(&world.requests)
}

async fn play(world: &mut World, sample: &Sample) {
    let store = world.aws.connect().store(world.aws.tables(), &world.config.workspace);
    let hold = match sample.before {
        Some(Before::ExhaustDayCap) => {
            hold_the_day(&store, &world.config, &HashKey::new(vec![7; 32]).unwrap(), world.clock.now()).await.unwrap()
        }
        None => None,
    };
    world.post(sample).await;
    world.work_off().await;
    if let Some(hold) = hold {
        release(&store, &hold).await.unwrap();
    }
}

/// Another configuration is deployed and everybody is decided about again, also somebody whose run is not done.
async fn decide_again(world: &mut World) {
    let store = world.aws.connect().store(world.aws.tables(), &world.config.workspace);
    let mut runs = Vec::new();
    store.each_run(&mut |stored| runs.extend(stored.ok())).await.unwrap();
    world.publish(|config| config.route.rules.clear());
    for record in runs.iter().filter_map(|stored| stored.run.record.clone()) {
        world.redecide(&record).await;
    }
    let signup = text_of("events/signup-webhook.hot.json").replace("northwind-grid", "amber-grid");
    world.aws.fail_requests_with("SET stage = :done");
    world.post(&Sample::parse(&signup).unwrap()).await;
    world.work_on_lookups().await;
    world.aws.recover();
    let mut records = Vec::new();
    store.each_run(&mut |stored| records.extend(stored.ok().filter(|stored| stored.stage == Stage::Decided))).await.unwrap();
    let record = records.iter().find_map(|stored| stored.run.record.clone()).expect("a run that is decided and not done");
    world.redecide(&record).await;
    world.clock.put_forward(Millis::minutes(10));
    world.work_off().await;
}

/// The ledger breaks down after a paid call; the next claimant finds the reservation and reads the kept reply.
async fn settle_in_vain(world: &mut World) {
    // A company that nobody asked for yet.
    let event = sample_event("provider-lookup.batch", world.clock.now()).unwrap().to_string().replace("northwind-grid", "copper-grid");
    let event = serde_json::from_str(&event).unwrap();
    world.aws.fail_requests_with("SET #state = :to");
    let failed = world.invoke(ProviderLookup, &event, AMPLE).await;
    world.aws.recover();
    assert!(!failed.is_empty(), "no call was to be settled");
    world.clock.put_forward(Millis::minutes(2));
    assert_eq!(world.invoke(ProviderLookup, &event, AMPLE).await, Vec::<String>::new());
}

/// Nobody comes back to a reservation, and a month is half used up.
async fn sweep(world: &mut World) {
    let event = sample_event("provider-lookup.batch", world.clock.now()).unwrap().to_string();
    let event = event.replace("northwind-grid", "silver-grid").replace("sample-batch", "sample-sweep");
    world.aws.fail_requests_with("SET #state = :to");
    let failed = world.invoke(ProviderLookup, &serde_json::from_str(&event).unwrap(), AMPLE).await;
    assert!(!failed.is_empty(), "no call was to be settled");
    world.aws.recover();
    world.clock.put_forward(Millis::minutes(2));
    world.leave_the_month_half_used().await;
    world.tick().await;
}

/// Too little time is left, so messages of every priority are handed on as copies.
async fn hand_on_copies(world: &mut World) {
    let event = sample_event("provider-lookup.batch", world.clock.now()).unwrap().to_string();
    for priority in Priority::ALL.map(Priority::as_str) {
        let event = event.replace(r#"\"priority\":\"high\""#, &format!(r#"\"priority\":\"{priority}\""#));
        world.invoke(ProviderLookup, &serde_json::from_str(&event).unwrap(), Millis(2_500)).await;
    }
}

fn collect(requests: &[Request]) -> Seen {
    let mut seen = Seen::new();
    for request in requests {
        for (used, key) in uses_of(request) {
            seen.entry(request.function.name()).or_default().entry(used).or_default().extend(key);
        }
    }
    seen
}

/// What a request uses: one right, or one for each action of a transaction.
fn uses_of(request: &Request) -> Vec<(Use, Option<String>)> {
    let body = &request.body;
    if let Some(queue) = body["QueueUrl"].as_str() {
        return vec![((format!("sqs:{}", request.operation), queue_of(queue)), None)];
    }
    if let Some(secret) = body["SecretId"].as_str() {
        return vec![((format!("secretsmanager:{}", request.operation), secret.to_owned()), None)];
    }
    if request.operation != "TransactWriteItems" {
        return vec![use_of_item(&request.operation, body)];
    }
    let actions = listed(&body["TransactItems"]).iter().flat_map(entries);
    actions.map(|(action, item)| use_of_item(if action == "ConditionCheck" { "ConditionCheckItem" } else { action }, item)).collect()
}

/// The actions of a transaction are called `Put`, `Update`, `Delete`; the requests and the rights `PutItem` and so on.
fn use_of_item(action: &str, item: &Value) -> (Use, Option<String>) {
    let suffix = if matches!(action, "Put" | "Update" | "Delete") { "Item" } else { "" };
    let key = [&item["Key"], &item["Item"]].iter().find_map(|key| key["pk"]["S"].as_str()).map(str::to_owned);
    let table = table_of(item["TableName"].as_str().unwrap_or_default());
    let index = item["IndexName"].as_str().map(|index| format!("/index/{index}")).unwrap_or_default();
    ((format!("dynamodb:{action}{suffix}"), table + &index), key)
}

/// The logical id of the table of a name, `test-leads`.
fn table_of(name: &str) -> String {
    Table::ALL.into_iter().find(|table| name.ends_with(&format!("-{}", table.suffix()))).map_or(name.to_owned(), table_id)
}

/// The logical id of the queue at an address.
fn queue_of(url: &str) -> String {
    QueueName::ALL.into_iter().find(|queue| url.ends_with(&format!("/{}", queue.as_str()))).map_or(url.to_owned(), queue_id)
}
