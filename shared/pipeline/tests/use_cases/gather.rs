//! Whoever comes, goes or is cut off while a request gathers and is out: the others get their answers, and nobody hangs (S4-33).

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::credits::Tariff;
use domain::identity::{KeyKind, LookupKey};
use domain::observation::Observation;
use domain::plan::Gather;
use domain::reply::Reply;
use domain::units::Millis;
use futures::future::join_all;
use pipeline::gather::Gathering;
use pipeline::ports::{BatchRequest, LookupRequest, Priced, Provider};
use proptest::prelude::*;

use crate::world::{START, hit};

const TIMEOUT: Millis = Millis(500);
const ANSWERED_IN: Millis = Millis(200);

/// Says to each key its own name, and notes what it was asked.
#[derive(Default)]
struct Vendor {
    requests: Mutex<Vec<Vec<String>>>,
}

impl Vendor {
    async fn answer(&self, keys: Vec<String>) {
        self.requests.lock().unwrap().push(keys);
        tokio::time::sleep(ANSWERED_IN.to_std()).await;
    }
}

fn name(key: &str) -> Reply {
    hit("vendor.company", &[("company.name", domain::value::Value::text(key))])
}

#[async_trait]
impl Provider for Vendor {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        self.answer(vec![request.key.value.clone()]).await;
        name(&request.key.value)
    }

    async fn look_up_all(&self, request: &BatchRequest) -> Option<Vec<Reply>> {
        self.answer(request.keys.clone()).await;
        Some(request.keys.iter().map(|key| name(key)).collect())
    }
}

/// One run: when it asks, by which key, how long it may wait, and when it is cut off.
#[derive(Clone, Debug)]
struct Caller {
    comes: i64,
    key: u8,
    wait: i64,
    cut_off: Option<i64>,
}

fn caller() -> impl Strategy<Value = Caller> {
    (0i64..1_500, 0u8..12, 1i64..800, prop::option::weighted(0.3, 0i64..1_200)).prop_map(|(comes, key, wait, cut_off)| Caller {
        comes,
        key,
        wait,
        cut_off,
    })
}

impl Caller {
    fn key(&self) -> String {
        format!("company{}.io", self.key)
    }

    /// Its answer, and how long that took; `None` when it was cut off.
    async fn call(&self, provider: &Gathering, size: u32, at_least: u32) -> Option<(Priced, Millis)> {
        tokio::time::sleep(Millis(self.comes).to_std()).await;
        let request = LookupRequest {
            operation: "vendor.company".into(),
            key: LookupKey { kind: KeyKind::Domain, value: self.key() },
            now: START,
            timeout: TIMEOUT,
        };
        let asked = tokio::time::Instant::now();
        let asking = provider.look_up_together(&request, Gather { size, at_least, wait: Millis(self.wait) });
        let life = Millis(self.cut_off.unwrap_or(i64::from(u16::MAX))).to_std();
        let priced = tokio::time::timeout(life, asking).await.ok()?;
        Some((priced, Millis::from_duration(asked.elapsed())))
    }
}

fn text(observations: &[Observation]) -> String {
    observations.iter().map(|observation| observation.value.to_string()).collect()
}

proptest! {
    #[test]
    fn s4_33_every_run_that_lives_hears_its_own_answer_in_its_own_time(
        callers in prop::collection::vec(caller(), 1..40), size in 2u32..8, at_least in 1u32..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let vendor = Arc::new(Vendor::default());
        let heard = runtime.block_on(async {
            let provider = Gathering::new(vendor.clone());
            join_all(callers.iter().map(|caller| caller.call(&provider, size, at_least))).await
        });
        let requests = vendor.requests.lock().unwrap();
        for (caller, heard) in callers.iter().zip(&heard) {
            let Some((priced, took)) = heard else {
                prop_assert!(caller.cut_off.is_some(), "nobody hangs: {caller:?}");
                continue;
            };
            let Reply::Hit { observations } = &priced.reply else { panic!("{:?}", priced.reply) };
            prop_assert_eq!(text(observations), caller.key());
            prop_assert!(took.0 <= caller.wait + ANSWERED_IN.0 + 1, "{took} of {caller:?}");
        }
        for request in requests.iter() {
            let mut keys = request.clone();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), request.len(), "each key once");
            prop_assert!(request.len() <= size as usize);
        }
        // What is paid for was asked for: an entry that nobody paid for was that of somebody who was cut off.
        let paid = heard.iter().flatten().filter(|(priced, _)| priced.tariff != Tariff::Shared).count();
        let gone = heard.iter().filter(|heard| heard.is_none()).count();
        let entries: usize = requests.iter().map(Vec::len).sum();
        prop_assert!(paid <= entries && entries <= paid + gone, "{paid} paid of {entries}, {gone} cut off");
    }
}
