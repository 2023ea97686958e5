//! `cargo dev --data` is killed under load again and again (SIGKILL): what got its 2xx is never lost, no credit is spent twice, the
//! CRM ends in the right state (RELIABILITY §1, invariants I1 to I8).
//!
//! ```sh
//! cargo test -p local --test kill                                         # a few kills
//! KILLS=50 SEED=7 cargo test -p local --test kill                         # deep, `just kill`; the seed is printed
//! ```
//!
//! The stack is a process of its own. The vendors and the CRM live in the test's process, for they do not die with us. Time is
//! real while the stack lives; between a death and the next start an outage of up to a quarter of an hour is told by
//! `--clock-ahead`, so that what waited (visibility 360 s, leases, delayed copies, entries left open) is due without waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod audit;
mod end;
mod load;
mod snapshot;
mod sweeper;
mod vendors;
mod world;

use std::io::Write as _;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use audit::Audit;
use load::Load;
use snapshot::Snapshot;
use world::World;

/// Signups that are posted for each kill.
const POSTS_A_KILL: usize = 15;
/// The stack is killed after it asked its vendors so many times: a moment in its work, however fast the machine is. A signup that is
/// paid for asks four or five times.
const ASKED: std::ops::Range<u64> = 0..50;
/// It is killed by then also when it asks nobody.
const LIFE_MOST: Duration = Duration::from_secs(8);
/// Or, one time in five, so many milliseconds after it was started, while it opens its files.
const START: std::ops::Range<u64> = 1..250;
/// How long the stack may take for what is left, once nothing is posted any more, in outages.
const OUTAGES_AT_THE_END: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_got_its_2xx_survives_any_number_of_kills_and_is_paid_once() {
    let (kills, seed) = (setting("KILLS").unwrap_or(3), setting("SEED").unwrap_or_else(rand::random));
    say(&format!("kill: seed {seed}, {kills} kills; repeat with SEED={seed} KILLS={kills}"));
    let mut dice = StdRng::seed_from_u64(seed);
    let mut world = World::new(seed, kills).await;
    let load = Load::begin(&world, usize::try_from(kills).unwrap() * POSTS_A_KILL, seed);
    let mut audit = Audit::new();

    for kill in 1..=kills {
        load.allow(usize::try_from(kill).unwrap() * POSTS_A_KILL);
        world.start();
        live(&world, &mut dice).await;
        world.kill().await;
        let snapshot = Snapshot::read(world.data()).await;
        audit.look(&format!("kill {kill}"), &snapshot, &world, &load);
        say(&format!("kill {kill}/{kills}: {}", load.words(&snapshot)));
        world.outage(outage(&mut dice)).await;
    }

    let snapshot = drain(&mut world, &load, &mut audit).await;
    audit.look("the end", &snapshot, &world, &load);
    end::check(&mut audit, &snapshot, &world, &load);
    let report = audit.report(kills, seed, &snapshot, &load, &world);
    say(&report);
    if !audit.violations.is_empty() {
        let kept = world.keep();
        panic!("{report}\n{}\nthe data and the stack's log are kept in {}", audit.violations.join("\n"), kept.display());
    }
}

/// Lets the stack live until the moment of its death.
async fn live(world: &World, dice: &mut StdRng) {
    if dice.random_range(0..5) == 0 {
        return tokio::time::sleep(Duration::from_millis(dice.random_range(START))).await;
    }
    let (asked, start) = (world.vendors.asked() + dice.random_range(ASKED), Instant::now());
    while world.vendors.asked() < asked && start.elapsed() < LIFE_MOST {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(dice.random_range(0..300))).await;
}

/// How long the machine is down: often not at all, so that leases still stand; sometimes until everything that waited is due.
fn outage(dice: &mut StdRng) -> i64 {
    match dice.random_range(0..10) {
        0..=3 => 0,
        4..=5 => dice.random_range(1..20),
        6 => dice.random_range(20..120),
        _ => dice.random_range(365..420),
    }
}

/// Lets everything come to its end: whenever the stack has nothing to do, an outage follows until the next message is due.
async fn drain(world: &mut World, load: &Load, audit: &mut Audit) -> Snapshot {
    world.start();
    while !load.is_finished().await {
        world.check_it_lives();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for outage in 0..OUTAGES_AT_THE_END {
        world.wait_until_idle().await;
        world.kill().await;
        let snapshot = Snapshot::read(world.data()).await;
        audit.look(&format!("drain {outage}"), &snapshot, world, load);
        say(&format!("drain {outage}: {}", load.words(&snapshot)));
        let open = snapshot.reservations.values().any(domain::credits::Reservation::is_open);
        let due = snapshot.living().map(|message| message.visible_at).max();
        if due.is_none() && !open {
            return snapshot;
        }
        let wait = due.map_or(60, |due| due.since(world.now()).0 / 1000 + 1);
        world.outage(wait).await;
        world.start();
    }
    panic!("after {OUTAGES_AT_THE_END} outages there is still something to do; the data is kept in {}", world.keep().display());
}

#[expect(clippy::disallowed_methods, reason = "how long the test runs is no setting of the product")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// A line of progress, also where the harness keeps a test's output to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
