//! History in the tables of the stand-in, beside which signups go their way.

use anyhow::{Context as _, ensure};
use domain::units::Millis;
use platform::{PARTITION_KEY, Table};
use serde_json::{Value, json};

use super::Asked;
use crate::units::Scene;
use crate::world::{Class, Mix};

/// `DynamoDB` takes so many items at a time.
const BATCH: usize = 25;
/// What one signup of the past leaves, by the beginning of its key after the workspace.
const KINDS: [(Table, &str); 5] =
    [(Table::Leads, "RUN"), (Table::Leads, "REC"), (Table::Leads, "KEY"), (Table::Cache, "CACHE"), (Table::Credits, "RES")];

/// What the signups asked for with no history, and with each of these.
pub(super) async fn measure(sizes: &[u32]) -> anyhow::Result<Vec<(u32, Asked, Asked)>> {
    let scene = Scene::start().await?;
    let mut mix = Mix::of_known(1);
    for person in mix.known() {
        scene.play(&person, "known").await?;
    }
    let history = History::from(&scene)?;
    // The second time, so that what is made once a month is there.
    play(&scene, &mut mix, "first").await?;
    let before = play(&scene, &mut mix, "none").await?;
    let (mut measured, mut there) = (Vec::new(), 0);
    for &size in sizes {
        history.write(&scene, there..size).await?;
        there = size;
        measured.push((size, before.clone(), play(&scene, &mut mix, &format!("with-{size}")).await?));
    }
    Ok(measured)
}

async fn play(scene: &Scene, mix: &mut Mix, name: &str) -> anyhow::Result<Asked> {
    scene.clock.pass(Millis::days(1));
    let mut asked = Asked::default();
    for class in Class::ALL {
        for request in scene.play(&mix.draw(class), &format!("{name}-{}", class.words())).await? {
            *asked.requests.entry(request.operation).or_default() += 1;
            asked.units += request.read + f64::from(u32::try_from(request.write)?);
        }
    }
    Ok(asked)
}

/// One item of each kind, to be written again under other keys.
struct History {
    patterns: Vec<(String, Value)>,
}

impl History {
    /// Takes them from a signup that went its way.
    fn from(scene: &Scene) -> anyhow::Result<Self> {
        let mut patterns = Vec::new();
        for (table, kind) in KINDS {
            let items = scene.endpoint.items(table)?;
            let is_kind = |key: &str| key.split('#').nth(1) == Some(kind);
            let found = items.iter().find(|item| item.get(PARTITION_KEY).and_then(|key| key["S"].as_str()).is_some_and(is_kind));
            let mut item = json!(found.with_context(|| format!("the signup left no item {kind}"))?);
            // What is in the documents is read by nobody.
            item["doc"] = json!({"S": "{}"});
            patterns.push((scene.endpoint.tables().name_of(table).to_owned(), item));
        }
        Ok(Self { patterns })
    }

    /// Writes as many of each, past the meter.
    async fn write(&self, scene: &Scene, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
        let http = platform::http_client()?.no_proxy().build()?;
        for (table, pattern) in &self.patterns {
            let all: Vec<u32> = numbers.clone().collect();
            for some in all.chunks(BATCH) {
                let puts: Vec<Value> = some.iter().map(|number| json!({"PutRequest": {"Item": numbered(pattern, *number)}})).collect();
                let request = http
                    .post(scene.endpoint.url())
                    .header("content-type", "application/x-amz-json-1.0")
                    .header("x-amz-target", "DynamoDB_20120810.BatchWriteItem")
                    .header("authorization", AUTHORIZATION)
                    .header("x-amz-date", "20261120T120000Z")
                    .body(json!({"RequestItems": {table: puts}}).to_string());
                let answer = request.send().await?;
                ensure!(answer.status().is_success(), "the history was refused: {}", answer.text().await?);
            }
        }
        Ok(())
    }
}

/// The stand-in asks for a signature and takes any.
const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=ANOTREAL/20261120/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";

/// The item under a key of its own.
fn numbered(pattern: &Value, number: u32) -> Value {
    let mut item = pattern.clone();
    let key = item[PARTITION_KEY]["S"].as_str().unwrap_or_default();
    let start = key.rfind('#').map_or("", |end| &key[..=end]);
    item[PARTITION_KEY] = json!({"S": format!("{start}{number:043}")});
    item
}
