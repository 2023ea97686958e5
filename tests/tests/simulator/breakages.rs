//! A safeguard that can be switched off without a red test is not tested: each is switched off here and must be missed.
//! The CRM's digest is believed after an expired mark in the crash matrix.

use tests::sim::Weakness;

use crate::seed::play;

/// Seeds until it has to be found.
const SEEDS: u64 = 60;

fn assert_found(weakness: Weakness, words: &[&str]) {
    for seed in 1..=SEEDS {
        let told = play(seed, 120, Some(weakness));
        if let Some(found) = told.violations.iter().find(|text| words.iter().any(|word| text.starts_with(word))) {
            println!("{weakness:?}: found by seed {seed}: {}", found.chars().take(140).collect::<String>());
            return;
        }
    }
    panic!("{weakness:?} was not found in {SEEDS} seeds");
}

#[test]
fn simulator_finds_that_the_fence_is_missing() {
    assert_found(Weakness::NoFence, &["I5"]);
}

#[test]
fn simulator_finds_that_caps_and_counters_are_not_one_transaction() {
    assert_found(Weakness::CountersApart, &["overshoot"]);
}

#[test]
fn simulator_finds_that_a_reservation_is_resolved_twice() {
    assert_found(Weakness::SettleTwice, &["I2"]);
}

#[test]
fn simulator_finds_that_a_call_without_an_answer_is_refunded() {
    assert_found(Weakness::RefundOnTimeout, &["I3"]);
}

#[test]
fn simulator_finds_that_there_is_no_mark_before_the_call() {
    assert_found(Weakness::NoMark, &["I3"]);
}

#[test]
fn simulator_finds_that_an_attempt_is_called_again() {
    assert_found(Weakness::CallAgain, &["double", "I3"]);
}

#[test]
fn simulator_finds_that_a_message_is_deleted_before_its_copy_is_sent() {
    assert_found(Weakness::DeleteBeforeCopy, &["I4", "lost"]);
}

#[test]
fn simulator_finds_that_a_signup_is_accepted_before_its_message_is_sent() {
    assert_found(Weakness::AcceptBeforeSend, &["lost"]);
}
