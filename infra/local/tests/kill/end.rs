//! What must hold once everything has come to its end: all finished, I6, I8, and the CRM.

use std::collections::{BTreeMap, BTreeSet};

use domain::credits::{Reservation, ReservationState};
use domain::gate::Verdict;
use domain::plan::Call;
use domain::record::Record;
use domain::run::Run;
use domain::schema::Field;
use domain::units::Credits;
use domain::writeback::properties;

use crate::audit::{Audit, sum};
use crate::load::Load;
use crate::snapshot::Snapshot;
use crate::world::World;

pub(crate) fn check(audit: &mut Audit, snapshot: &Snapshot, world: &World, load: &Load) {
    everything_has_ended(audit, snapshot, load);
    a_second_click_reserves_nothing(audit, snapshot);
    no_answer_is_paid_twice(audit, snapshot);
    the_logs_are_the_ledger(audit, snapshot);
    the_crm_has_the_newest_decisions(audit, snapshot, world);
}

fn everything_has_ended(audit: &mut Audit, snapshot: &Snapshot, load: &Load) {
    let given_up: BTreeSet<String> = snapshot.runs_in_messages().collect();
    for run in load.accepted() {
        let is_finished = snapshot.runs.get(&run).is_some_and(|stored| stored.stage == "done");
        audit.check(is_finished || given_up.contains(&run), || format!("the accepted signup {run} is neither finished nor dead"));
    }
    for (run, stored) in &snapshot.runs {
        let is_ended = stored.stage == "done" || given_up.contains(run);
        audit.check(is_ended, || format!("run {run} stopped as {} and nothing will take it up", stored.stage));
    }
    let finished = snapshot.finished().count();
    audit.check(finished * 2 > load.accepted().len(), || format!("only {finished} runs were finished: the stack does not work at all"));
    audit.check(snapshot.poison.is_empty(), || format!("{} messages were put aside, and all were sound", snapshot.poison.len()));
    let open = snapshot.reservations.values().filter(|entry| entry.is_open()).count();
    audit.check(open == 0, || format!("{open} entries are still open"));
    audit.check(snapshot.writing.is_empty(), || format!("writes to the CRM are still marked: {:?}", snapshot.writing));
}

/// I6: the person was paid for within the hour, so this run owes nothing but what it had reserved before it was cut off.
fn a_second_click_reserves_nothing(audit: &mut Audit, snapshot: &Snapshot) {
    for stored in snapshot.finished().filter(|stored| stored.run.paid_by.is_some() && stored.fence == 1) {
        let entries = snapshot.reservations.keys().filter(|id| id.run == stored.run.id).count();
        audit.check(entries == 0, || format!("I6: {} is a second click and has {entries} entries", stored.run.id));
    }
}

/// A person's answer is bought once: colleagues may race for their company's, two clicks may not.
fn no_answer_is_paid_twice(audit: &mut Audit, snapshot: &Snapshot) {
    let mut bought: BTreeMap<(&str, &str), Vec<&Reservation>> = BTreeMap::new();
    let mut by_run: BTreeMap<(&str, &str), Vec<&Reservation>> = BTreeMap::new();
    for entry in snapshot.reservations.values().filter(|entry| entry.used() > Credits::ZERO) {
        by_run.entry((entry.id.run.as_str(), &entry.id.operation)).or_default().push(entry);
        if entry.id.operation == "crustdata.person" && matches!(entry.state, ReservationState::Settled { .. }) {
            bought.entry((&entry.id.operation, &entry.answer)).or_default().push(entry);
        }
    }
    for entries in bought.values().chain(by_run.values()).filter(|entries| entries.len() > 1) {
        audit.double += 1;
        audit.check(false, || format!("the same answer was paid more than once: {entries:?}"));
    }
}

/// I8: the balance rebuilt from the logs, entry by entry and as a whole.
fn the_logs_are_the_ledger(audit: &mut Audit, snapshot: &Snapshot) {
    let (mut logged, mut elsewhere) = (Credits::ZERO, Credits::ZERO);
    let mut by_run: BTreeMap<&str, Vec<&Reservation>> = BTreeMap::new();
    for entry in snapshot.reservations.values() {
        by_run.entry(entry.id.run.as_str()).or_default().push(entry);
    }
    for (id, stored) in &snapshot.runs {
        let entries = by_run.remove(id.as_str()).unwrap_or_default();
        if stored.stage == "done" {
            logged = logged.plus(stored.run.cost());
            elsewhere = elsewhere.plus(what_no_log_tells(audit, &stored.run, &entries));
        } else {
            elsewhere = elsewhere.plus(sum(entries.iter().map(|entry| entry.used())));
        }
    }
    audit.check(by_run.is_empty(), || format!("entries of runs that there are not: {by_run:?}"));
    let balance = sum(snapshot.months.values().map(|month| month.used));
    audit.check(logged.plus(elsewhere) == balance, || {
        format!("I8: {balance} are used; rebuilt from the logs it is {logged}, and {elsewhere} of runs that did not finish")
    });
}

/// A finished run's log tells of each of its entries what it used, also where it was cut off during a call and found the answer known
/// when it was taken up again (a colleague or a second click bought it meanwhile).
fn what_no_log_tells(audit: &mut Audit, run: &Run, entries: &[&Reservation]) -> Credits {
    let mut untold = Credits::ZERO;
    let operations: BTreeSet<&str> = entries.iter().map(|entry| entry.id.operation.as_str()).collect();
    for operation in operations {
        let used = sum(entries.iter().filter(|entry| entry.id.operation == operation).map(|entry| entry.used()));
        let calls: Vec<&Call> = run.calls.iter().filter(|call| call.operation == operation).collect();
        let logged = sum(calls.iter().map(|call| call.cost));
        if used != logged {
            audit.untold += 1;
            untold = untold.plus(used).minus(logged);
        }
        audit
            .check(used == logged, || format!("I8: {} used {used} for {operation}, its log says {logged}: {entries:?}, {calls:?}", run.id));
    }
    untold
}

/// One record a person, one contact a record, and its values are those of the record's newest decision.
fn the_crm_has_the_newest_decisions(audit: &mut Audit, snapshot: &Snapshot, world: &World) {
    let (config, contacts) = (&world.config, world.vendors.sandbox.contacts());
    let plan = config.crm.as_ref().unwrap();
    let given_up = snapshot.records_given_up();
    let dead_runs: BTreeSet<String> = snapshot.runs_in_messages().collect();
    let (mut emails, mut written, mut excused) = (BTreeSet::new(), 0, 0);
    for record in &snapshot.records {
        let (email, decided) = (email_of(record, world), record.decided.as_ref().unwrap());
        audit.check(emails.insert(email.clone()), || "two records have the same address".to_owned());
        // Stored by a run that ended among the dead letters before it handed the lead over: it waits there to be redriven.
        let is_dead = dead_runs.contains(decided.run.as_str()) && snapshot.runs[decided.run.as_str()].stage != "done";
        if decided.decision.gate.verdict != Verdict::Pass || given_up.contains(&record.id.0) || is_dead {
            excused += 1;
            continue;
        }
        let of_person: Vec<_> = contacts.iter().filter(|contact| contact.properties.get("email") == Some(&email)).collect();
        audit.check(of_person.len() == 1, || format!("record {:?} has {} contacts in the CRM", record.id, of_person.len()));
        let Some(contact) = of_person.first() else { continue };
        written += 1;
        let facts = record.facts_as_decided(&config.schema, &config.trust);
        for (name, value) in properties(plan, config, &facts, &decided.decision) {
            let there = contact.properties.get(&name);
            audit.check(there == Some(&value), || format!("record {:?}: the CRM has {name} {there:?}, decided was {value}", record.id));
        }
    }
    audit.check(excused + written >= contacts.len(), || format!("{} contacts for {written} records", contacts.len()));
}

fn email_of(record: &Record, world: &World) -> String {
    let facts = record.facts_as_decided(&world.config.schema, &world.config.trust);
    facts.get(&Field::known("contact.email")).map(|fact| fact.value.to_string()).unwrap()
}
