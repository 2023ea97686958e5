//! The sweeper, a function of its own that does not die with the others, and a look at the bills at every tick (I3).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::config::Config;
use domain::units::Credits;
use pipeline::ports::{Clock, Ledger, Store};
use pipeline::sweep::Sweep;
use platform::{Aws, TableNames};

use crate::vendors::{Vendors, billed};
use crate::world::OutageClock;

const EVERY: Duration = Duration::from_millis(300);

/// What it did and saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Swept {
    /// Entries that it settled from a reply that was kept.
    pub(crate) settled: usize,
    /// Entries whose outcome nobody knows.
    pub(crate) unknown: usize,
    /// How often bills and books were compared.
    pub(crate) looks: usize,
    /// By how much the bills ever went past used and reserved.
    pub(crate) overshoot: Credits,
}

pub(crate) struct Sweeper(Arc<Mutex<Swept>>);

impl Sweeper {
    /// Ticks for as long as the test runs; while the stack is dead its tables do not answer, and nothing happens.
    pub(crate) async fn start(tables_url: &str, clock: &OutageClock, config: &Arc<Config>, vendors: &Vendors) -> Self {
        let store = Aws::local(tables_url).await.unwrap().store(TableNames::prefixed("millrace"), &config.workspace);
        let store: Arc<dyn Store> = Arc::new(store);
        let sweep = Sweep { store: Arc::clone(&store), clock: Arc::new(clock.clone()), config: Arc::clone(config) };
        let (swept, sandbox, first) = (Arc::new(Mutex::new(Swept::default())), vendors.sandbox.clone(), clock.now());
        let shared = Arc::clone(&swept);
        tokio::spawn(async move {
            loop {
                let mut months = vec![first.month(), sweep.clock.now().month()];
                months.dedup();
                // The bills first: whatever stands on them was reserved before.
                let bills = billed(&sandbox);
                let taken = taken(&*store, &months).await;
                let ticked = sweep.tick().await;
                {
                    let mut swept = shared.lock().unwrap();
                    if let Some(taken) = taken {
                        swept.looks += 1;
                        swept.overshoot = swept.overshoot.max(bills.minus(taken));
                    }
                    swept.settled += ticked.settled;
                    swept.unknown += ticked.unknown;
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        Self(swept)
    }

    pub(crate) fn so_far(&self) -> Swept {
        self.0.lock().unwrap().clone()
    }
}

/// Used and reserved of these months; `None` while the tables do not answer.
async fn taken<S: Ledger + ?Sized>(store: &S, months: &[String]) -> Option<Credits> {
    let mut taken = Credits::ZERO;
    for month in months {
        let balance = store.balance(month).await.ok()?.unwrap_or_default();
        taken = taken.plus(balance.reserved).plus(balance.used);
    }
    Some(taken)
}
