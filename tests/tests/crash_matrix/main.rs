//! A fault at every verb of every scenario, before and after its effect, of every kind, retried at every speed: the end is the
//! same, or says what it could not know (RELIABILITY §4).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests may fail loudly")]

mod play;
mod scenarios;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::sim::Weakness;

use play::{AGAIN, Again, End, KINDS, Kind, play_alone};
use scenarios::{Scenario, a_decision_that_comes_back, scenarios};

/// How an end differs from that without faults in what it may not.
fn differences(end: &End, without: &End) -> Vec<String> {
    let mut found = end.violations.clone();
    if end.dead > without.dead {
        found.push(format!("{} dead letters", end.dead));
    }
    if end.lost_calls <= without.lost_calls && (&end.routes, &end.contacts) != (&without.routes, &without.contacts) {
        found.push(format!("another end: {:?} {:?}, not {:?} {:?}", end.routes, end.contacts, without.routes, without.contacts));
    }
    // Whoever came while another's answer was on its way paid for an answer of its own, and was billed for it.
    if end.used > without.used.max(end.billed).plus(end.unknown) {
        found.push(format!("used {} of which {} unknown, not {}", end.used, end.unknown, without.used));
    }
    found
}

type Case = (usize, Vec<(usize, Kind)>, Again);

/// Plays all cases on all processors; what was wrong, in words.
fn play_all(scenarios: &[Scenario], without: &[End], cases: &[Case]) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some((scenario, faults, again)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = play_alone(&scenarios[*scenario], faults, *again);
                    let wrong = differences(&end, &without[*scenario]);
                    if !wrong.is_empty() {
                        let verbs: Vec<&str> = faults.iter().map(|(at, _)| end.edges.get(*at).copied().unwrap_or("?")).collect();
                        let text = format!("{}: {faults:?} at {verbs:?}, again {again:?}: {wrong:?}", scenarios[*scenario].name);
                        found.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn without_faults(scenarios: &[Scenario]) -> Vec<End> {
    let ends: Vec<End> = scenarios.iter().map(|scenario| play_alone(scenario, &[], Again::AfterVisibility)).collect();
    for (scenario, end) in scenarios.iter().zip(&ends) {
        assert_eq!(end.violations, [""; 0], "{}", scenario.name);
    }
    ends
}

fn report(what: &str, scenarios: usize, points: usize, runs: usize, found: &[String]) {
    println!("crash matrix, {what}: {scenarios} scenarios, {points} points, {runs} runs, {} violations", found.len());
    let shown: Vec<&String> = found.iter().take(20).collect();
    assert!(found.is_empty(), "{} violations, the first: {shown:#?}", found.len());
}

/// Every edge with every kind of fault, however soon the message comes again; or every edge once, kinds and speeds in turns.
fn single_faults(without: &[End], all: bool) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (scenario, end) in without.iter().enumerate() {
        for edge in 0..end.edges.len() {
            let turns = if all { 0..9 } else { (edge + scenario) % 9..(edge + scenario) % 9 + 1 };
            cases.extend(turns.map(|turn| (scenario, vec![(edge, KINDS[turn % 3])], AGAIN[turn / 3])));
        }
    }
    cases
}

/// Two faults in one run, some thousand of the pairs there are.
fn pairs(without: &[End], every: usize) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (scenario, end) in without.iter().enumerate() {
        let edges = end.edges.len();
        // The second one also strikes what comes only after the first.
        for (first, second) in (0..edges).flat_map(|first| (first + 1..edges + 40).map(move |second| (first, second))) {
            let nth = first * 7919 + second * 104_729 + scenario;
            if nth % every == 0 {
                let kinds = [KINDS[nth / every % 3], KINDS[nth / every / 3 % 3]];
                cases.push((scenario, vec![(first, kinds[0]), (second, kinds[1])], AGAIN[nth / every / 9 % 3]));
            }
        }
    }
    cases
}

fn play_cases(what: &str, cases_of: impl Fn(&[End]) -> Vec<Case>) {
    let scenarios = scenarios();
    let without = without_faults(&scenarios);
    let cases = cases_of(&without);
    let points = without.iter().map(|end| end.edges.len()).sum();
    let found = play_all(&scenarios, &without, &cases);
    report(what, scenarios.len(), points, cases.len(), &found);
}

#[test]
fn after_a_fault_at_any_verb_the_end_is_the_same_or_says_what_it_could_not_know() {
    play_cases("one fault", |without| single_faults(without, false));
}

#[test]
#[ignore = "minutes in a debug build; half a minute each with --release"]
fn after_a_fault_at_any_verb_retried_at_any_speed_the_end_is_the_same() {
    play_cases("one fault, every retry", |without| single_faults(without, true));
}

#[test]
#[ignore = "minutes in a debug build; half a minute each with --release"]
fn after_two_faults_the_end_is_the_same_or_says_what_it_could_not_know() {
    play_cases("two faults", |without| pairs(without, 7));
}

#[test]
fn the_matrix_finds_that_an_old_digest_is_believed_after_an_expired_mark() {
    let scenario = Scenario { weakness: Some(Weakness::DigestBelieved), ..a_decision_that_comes_back() };
    let edges = play_alone(&scenario, &[], Again::AfterVisibility).edges;
    let mut of_crm = (0..edges.len()).filter(|edge| matches!(edges[*edge], "upsert" | "finish_write"));
    let found = of_crm.find_map(|edge| {
        let end = play_alone(&scenario, &[(edge, Kind::Crashes)], Again::AfterVisibility);
        end.violations.into_iter().find(|text| text.starts_with("crm"))
    });
    println!("DigestBelieved: {found:?}");
    assert!(found.is_some(), "the CRM kept what nobody decided last, and nobody noticed");
}
