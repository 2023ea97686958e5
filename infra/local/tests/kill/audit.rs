//! What must hold at every moment, looked at after every death: I1 to I5 and I7.

use std::collections::{BTreeMap, BTreeSet};

use domain::credits::{Reservation, ReservationId};
use domain::run::Run;
use domain::units::Credits;

use crate::load::Load;
use crate::snapshot::Snapshot;
use crate::world::World;

/// What was seen so far, and every rule that was broken.
pub(crate) struct Audit {
    pub(crate) violations: Vec<String>,
    pub(crate) lost: usize,
    pub(crate) double: usize,
    /// Operations of finished runs whose logs say something else than the ledger.
    pub(crate) untold: usize,
    when: String,
    fences: BTreeMap<String, u64>,
    done: BTreeMap<String, Run>,
    reservations: BTreeMap<ReservationId, Reservation>,
    overshoot: Credits,
}

impl Audit {
    pub(crate) const fn new() -> Self {
        Self {
            violations: Vec::new(),
            lost: 0,
            double: 0,
            untold: 0,
            when: String::new(),
            fences: BTreeMap::new(),
            done: BTreeMap::new(),
            reservations: BTreeMap::new(),
            overshoot: Credits::ZERO,
        }
    }

    pub(crate) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(format!("{}: {}", self.when, what()));
        }
    }

    pub(crate) fn look(&mut self, when: &str, snapshot: &Snapshot, world: &World, load: &Load) {
        when.clone_into(&mut self.when);
        self.months_add_up(snapshot);
        self.days_and_weeks_add_up(snapshot);
        self.each_entry_is_resolved_once(snapshot);
        self.bills_are_covered(snapshot, world);
        self.nothing_accepted_is_gone(snapshot, load);
        self.fences_grow_and_ends_stay(snapshot);
    }

    /// I1, against the months' own counters and against the ledger.
    fn months_add_up(&mut self, snapshot: &Snapshot) {
        for (month, balance) in &snapshot.months {
            let entries = || snapshot.reservations.values().filter(|entry| entry.periods.month == *month);
            let (reserved, used) = (sum(entries().map(reserved_of)), sum(entries().map(Reservation::used)));
            self.check(balance.adds_up(), || format!("I1: {month} does not add up: {balance:?}"));
            self.check(balance.available >= Credits::ZERO, || format!("I1: {month} is overspent: {balance:?}"));
            self.check(balance.reserved == reserved, || format!("I1: {month} has {} reserved, its entries {reserved}", balance.reserved));
            self.check(balance.used == used, || format!("I1: {month} has {} used, its entries {used}", balance.used));
            for (part, taken) in &balance.taken {
                let charged = |entry: &&Reservation| entry.charge.parts().contains(part);
                let of_entries = sum(entries().filter(charged).map(taken_of));
                self.check(*taken == of_entries, || format!("I1: {part} took {taken} of {month}, its entries {of_entries}"));
            }
        }
    }

    /// I7, and the days and weeks against the ledger; a call is counted once, when it ends (I2).
    fn days_and_weeks_add_up(&mut self, snapshot: &Snapshot) {
        for (day, usage) in &snapshot.days {
            let entries = || snapshot.reservations.values().filter(|entry| entry.periods.day == *day);
            let (taken, used) = (sum(entries().map(taken_of)), sum(entries().map(Reservation::used)));
            let resolved = entries().filter(|entry| !entry.is_open()).count();
            self.check(usage.adds_up(), || format!("I7: {day} does not add up: {usage:?}"));
            self.check(usage.taken == taken, || format!("{day} took {}, its entries {taken}", usage.taken));
            self.check(usage.used == used, || format!("I7: {day} used {}, its entries {used}", usage.used));
            self.check(usage.calls == resolved as u64, || format!("I2: {day} has {} ended calls, its entries {resolved}", usage.calls));
        }
        for (week, taken) in &snapshot.weeks {
            let entries = snapshot.reservations.values().filter(|entry| entry.periods.week.as_ref() == Some(week));
            let of_entries = sum(entries.map(taken_of));
            self.check(*taken == of_entries, || format!("{week} took {taken}, its entries {of_entries}"));
        }
    }

    /// I2: what was resolved once stays as it is, and no entry is ever gone.
    fn each_entry_is_resolved_once(&mut self, snapshot: &Snapshot) {
        for (id, before) in std::mem::take(&mut self.reservations) {
            let now = snapshot.reservations.get(&id);
            let stays = now.is_some_and(|now| before.is_open() || now.state == before.state);
            self.check(stays, || format!("I2: {id:?} was {:?} and is {:?}", before.state, now.map(|now| &now.state)));
        }
        self.reservations.clone_from(&snapshot.reservations);
    }

    /// I3, and no paid request without an entry of its own.
    fn bills_are_covered(&mut self, snapshot: &Snapshot, world: &World) {
        let (billed, taken) = (world.vendors.billed(), sum(snapshot.reservations.values().map(taken_of)));
        self.overshoot = self.overshoot.max(billed.minus(taken)).max(world.sweeper.so_far().overshoot);
        self.check(billed <= taken, || format!("I3: {billed} were billed, and {taken} stand in the ledger"));
        let seen = world.sweeper.so_far().overshoot;
        self.check(seen <= Credits::ZERO, || format!("I3: at one moment {seen} more were billed than stood in the ledger"));
        for bill in world.vendors.sandbox.billing() {
            let entries = snapshot.reservations.keys().filter(|id| id.operation == bill.endpoint).count();
            self.check(bill.calls <= entries as u64, || {
                format!("{} was asked {} times under {entries} entries", bill.endpoint, bill.calls)
            });
        }
    }

    /// I4: what was accepted and is not finished is in a queue, among the dead letters or put aside.
    fn nothing_accepted_is_gone(&mut self, snapshot: &Snapshot, load: &Load) {
        let in_messages: BTreeSet<String> = snapshot.runs_in_messages().collect();
        let is_there = |run: &String| in_messages.contains(run) || snapshot.runs.get(run).is_some_and(|stored| stored.stage == "done");
        let gone: Vec<String> = load.accepted().into_iter().filter(|run| !is_there(run)).collect();
        self.lost = self.lost.max(gone.len());
        self.check(gone.is_empty(), || format!("I4: {} accepted signups are in no queue and not finished: {gone:?}", gone.len()));
    }

    /// I5, and a finished run is never touched again.
    fn fences_grow_and_ends_stay(&mut self, snapshot: &Snapshot) {
        for (id, before) in std::mem::take(&mut self.fences) {
            let now = snapshot.runs.get(&id).map(|stored| stored.fence);
            self.check(now.is_some_and(|now| now >= before), || format!("I5: the fence of {id} was {before} and is {now:?}"));
        }
        for (id, before) in std::mem::take(&mut self.done) {
            let now = snapshot.runs.get(&id);
            let stays = now.is_some_and(|now| now.stage == "done" && now.run == before);
            self.check(stays, || format!("the finished run {id} was changed"));
        }
        self.fences = snapshot.runs.iter().map(|(id, stored)| (id.clone(), stored.fence)).collect();
        self.done = snapshot.finished().map(|stored| (stored.run.id.to_string(), stored.run.clone())).collect();
    }

    pub(crate) fn report(&self, kills: u64, seed: u64, snapshot: &Snapshot, load: &Load, world: &World) -> String {
        let (posted, answers, given_up) = load.counts();
        let (accepted, finished) = (load.accepted().len(), snapshot.finished().count());
        let dead = snapshot.messages.iter().filter(|message| message.dead).count();
        let (entries, swept) = (snapshot.reservations.len(), world.sweeper.so_far());
        let used = sum(snapshot.reservations.values().map(Reservation::used));
        format!(
            "kill: seed {seed}, {kills} kills, {posted} posted ({given_up} given up), {answers} answers of 2xx for {accepted} signups, \
             {finished} finished, {dead} dead, {} put aside, {} lost, {} double, {} in no run's log, overshoot {} credits; \
             {entries} entries, {used} used, {} billed, {} swept as unknown, {} swept from a kept reply, bills compared {} times, \
             {} contacts, {} violations",
            snapshot.poison.len(),
            self.lost,
            self.double,
            self.untold,
            self.overshoot.max(Credits::ZERO),
            world.vendors.billed(),
            swept.unknown,
            swept.settled,
            swept.looks,
            world.vendors.sandbox.contacts().len(),
            self.violations.len()
        )
    }
}

pub(crate) fn sum(credits: impl Iterator<Item = Credits>) -> Credits {
    credits.fold(Credits::ZERO, Credits::plus)
}

fn reserved_of(entry: &Reservation) -> Credits {
    if entry.is_open() { entry.amount } else { Credits::ZERO }
}

fn taken_of(entry: &Reservation) -> Credits {
    reserved_of(entry).plus(entry.used())
}
