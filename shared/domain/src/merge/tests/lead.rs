//! What merging a whole lead holds to: fields that are held against each other.

use proptest::prelude::*;

use super::*;
use crate::consistency::CheckName;

fn said(field: &'static str, value: Value, family: &str, age_days: i64) -> Observation {
    Observation { field: Field::known(field), value, ..seen(family, family, 0, age_days) }
}

/// Sources `r…` are reliable, others are not.
fn trust() -> Trust {
    let reliable = ["r1", "r2"].map(|name| (name.to_owned(), BasisPoints::new(9500)));
    Trust { reliability: BTreeMap::from(reliable), ..Trust::default() }
}

fn facts(observations: &[Observation]) -> Facts {
    merge(observations, &Schema::default(), &trust(), NOW)
}

fn fact(field: &'static str, observations: &[Observation]) -> Fact {
    facts(observations)[&Field::known(field)].clone()
}

fn passed(name: CheckName) -> [Check; 1] {
    [Check { name, outcome: CheckOutcome::Passed }]
}

fn failed(name: CheckName) -> [Check; 1] {
    [Check { name, outcome: CheckOutcome::Failed }]
}

#[test]
fn s0_12_headcounts_of_one_band_confirm_each_other() {
    let fact = headcount(&[seen("a", "a", 180, 9), seen("b", "b", 195, 3)]);
    assert_eq!((fact.value.clone(), fact.confirmations, fact.level()), (Value::number(195), 2, Level::Verified), "the most recent counts");
    assert_eq!(headcount(&[seen("a", "a", 49, 9), seen("b", "b", 51, 3)]).conflicts.len(), 1, "a rule may cut between them");
}

#[test]
fn agreement_goes_to_the_number_that_the_most_speaks_for() {
    // 150 agrees with both others, which do not agree with each other.
    let fact = headcount(&[seen("a", "a", 120, 0), seen("b", "b", 150, 1), seen("c", "c", 187, 2)]);
    assert_eq!((fact.value, fact.confirmations, fact.conflicts), (Value::number(120), 3, vec![]));
}

#[test]
fn s0_81_a_reliable_source_with_a_passed_check_is_high() {
    let lead = [seen("r1", "r1", 190, 0), said("company.revenue", Value::number(20_000_000), "b", 0)];
    let fact = fact("company.headcount", &lead);
    assert_eq!((fact.confidence.get(), fact.level()), (8999, Level::High));
    assert_eq!(fact.checks, passed(CheckName::RevenuePerHead));
    assert_eq!(facts(&lead)[&Field::known("company.revenue")].level(), Level::Moderate, "its source is not reliable");
}

#[test]
fn s0_86_a_value_that_does_not_fit_is_less_sure() {
    let alone = fact("company.headcount", &[seen("r1", "r1", 190, 0)]);
    let fact = fact("company.headcount", &[seen("r1", "r1", 190, 0), said("company.revenue", Value::number(1000), "b", 0)]);
    assert_eq!(fact.checks, failed(CheckName::RevenuePerHead));
    assert!(fact.confidence < alone.confidence);
}

#[test]
fn an_inferred_an_outdated_and_a_weak_value_check_nothing() {
    let revenue = said("company.revenue", Value::number(1000), "b", 0);
    let inferred = Observation { basis: Basis::Inferred, ..revenue.clone() };
    let outdated = said("company.revenue", Value::number(1000), "b", 800);
    let weak = Observation { stated: BasisPoints::new(5000), ..revenue };
    for revenue in [inferred, outdated, weak] {
        assert_eq!(fact("company.headcount", &[seen("r1", "r1", 190, 0), revenue]).checks, []);
    }
}

const ADDRESS: &str = "jane@acme.io";

fn email(field: &'static str, address: &str, family: &str) -> Observation {
    said(field, Value::text(address), family, 0)
}

fn deliverable(yes: bool, age_days: i64) -> Observation {
    said("email.deliverable", Value::Bool(yes), "checker", age_days)
}

#[test]
fn s0_87_a_deliverability_check_verifies_an_address_or_rules_it_out() {
    let stated = email("contact.email", ADDRESS, "a");
    let valid = fact("contact.email", &[stated.clone(), deliverable(true, 0)]);
    assert_eq!((valid.level(), valid.confirmations), (Level::Verified, 2));
    assert_eq!(valid.checks, passed(CheckName::Deliverability));
    let others = [email("contact.email", ADDRESS, "r1"), email("contact.email", ADDRESS, "r2"), deliverable(false, 0)];
    assert_eq!(fact("contact.email", &others).level(), Level::Low, "whoever else says so");
    let guessed = Observation { basis: Basis::Inferred, ..stated };
    assert_eq!(fact("contact.email", &[guessed, deliverable(true, 0)]).level(), Level::Verified, "a guess that was tested is none");
}

#[test]
fn s0_87_a_phone_check_is_about_the_number_that_is_there() {
    let phone = |field, number| said(field, Value::text(number), "a", 0);
    let check = said("phone.valid", Value::Bool(true), "checker", 0);
    let lead = [phone("contact.phone", "+15125550100"), phone("contact.mobile_phone", "+1 512 555 0100"), check.clone()];
    assert_eq!(fact("contact.phone", &lead).level(), Level::Verified);
    assert_eq!(fact("contact.mobile_phone", &lead).level(), Level::Verified, "the same number in another spelling");
    let lead = [phone("contact.phone", "+15125550100"), phone("contact.mobile_phone", "+15125550199"), check.clone()];
    assert_eq!(fact("contact.mobile_phone", &lead).checks, [], "another number");
    assert_eq!(fact("contact.mobile_phone", &[phone("contact.mobile_phone", "+15125550199"), check]).level(), Level::Verified);
}

#[test]
fn a_check_that_may_be_of_another_address_says_nothing() {
    let two = [email("contact.email", ADDRESS, "a"), email("contact.email", "jo@acme.io", "b"), deliverable(true, 0)];
    assert_eq!(fact("contact.email", &two).checks, [], "one of two");
    let newer = [email("contact.email", ADDRESS, "a"), deliverable(true, 1)];
    assert_eq!(fact("contact.email", &newer).checks, [], "an address that was named after the check");
}

#[test]
fn clocks_that_are_minutes_apart_do_not_undo_a_check() {
    let checks = |minutes_before: i64| {
        let check = Observation { observed_at: NOW.before(Millis::minutes(minutes_before)), ..deliverable(true, 0) };
        fact("contact.email", &[email("contact.email", ADDRESS, "a"), check]).checks.len()
    };
    assert_eq!((checks(5), checks(6)), (1, 0));
}

#[test]
fn x_06_a_check_by_who_says_so_is_no_second_word() {
    let check = Observation { family: "a".into(), ..deliverable(true, 0) };
    let fact = fact("contact.email", &[email("contact.email", ADDRESS, "a"), check]);
    assert_eq!((fact.level(), fact.confirmations), (Level::Verified, 1));
}

#[test]
fn a_proven_address_that_is_said_to_be_undeliverable_is_neither() {
    let proven = Observation { basis: Basis::Validated, ..email("contact.email", ADDRESS, "a") };
    assert_eq!(fact("contact.email", &[proven.clone(), deliverable(true, 0)]).level(), Level::Verified);
    assert_eq!(fact("contact.email", &[proven, deliverable(false, 0)]).level(), Level::Moderate);
}

/// What leads are made of: a field and some of its values, which agree, compete, fit and do not fit.
fn observation() -> impl Strategy<Value = Observation> {
    let number = |n: i64| Value::number(n);
    let fields: Vec<(&'static str, Vec<Value>)> = vec![
        ("company.headcount", [40, 50, 160, 190, 195].map(number).to_vec()),
        ("company.revenue", [900, 20_000_000].map(number).to_vec()),
        ("company.industry", ["restaurants", "software"].map(Value::text).to_vec()),
        ("company.domain", ["acme.io", "www.acme.io", "beta.dev"].map(Value::text).to_vec()),
        ("contact.title", ["VP Sales", "Vice President of Sales", "Intern"].map(Value::text).to_vec()),
        ("contact.seniority", ["vp", "entry"].map(Value::text).to_vec()),
        ("contact.work_email", [ADDRESS, "JANE@acme.io", "jane@beta.dev"].map(Value::text).to_vec()),
        ("contact.email", [ADDRESS, "jane@gmail.com"].map(Value::text).to_vec()),
        ("email.deliverable", [true, false].map(Value::Bool).to_vec()),
    ];
    let field = prop::sample::select(fields).prop_flat_map(|(field, values)| (Just(field), prop::sample::select(values)));
    let basis = prop::sample::select(vec![Basis::Stated, Basis::Stated, Basis::Stated, Basis::Inferred, Basis::Validated]);
    let family = prop::sample::select(vec!["a", "b", "r1", "r2"]);
    (field, family, basis, 0i64..900, 0u16..=10_000).prop_map(|((field, value), family, basis, age, stated)| Observation {
        basis,
        // Half of the observations are fresh and sure, so that levels are reached.
        stated: if stated < 5000 { BasisPoints::ONE } else { BasisPoints::new(stated) },
        ..said(field, value, family, if stated < 5000 { 0 } else { age })
    })
}

fn lead() -> impl Strategy<Value = Vec<Observation>> {
    prop::collection::vec(observation(), 1..14)
}

fn has(fact: &Fact, outcome: CheckOutcome) -> bool {
    fact.checks.iter().any(|check| check.outcome == outcome)
}

proptest! {
    #[test]
    fn x_04_a_lead_has_the_same_bytes_whatever_came_first(lead in lead(), seed in any::<u64>()) {
        let mut shuffled = lead.clone();
        let mut state = seed;
        for last in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
        prop_assert_eq!(serde_json::to_string(&facts(&lead)).unwrap(), serde_json::to_string(&facts(&shuffled)).unwrap());
    }

    #[test]
    fn x_04_x_36_no_fact_is_surer_than_it_earned(lead in lead()) {
        for (field, fact) in facts(&lead) {
            let of_field: Vec<&Observation> = lead.iter().filter(|observation| observation.field == field).collect();
            let is_validated = of_field.iter().any(|observation| observation.basis == Basis::Validated)
                || fact.checks.iter().any(|check| check.name == CheckName::Deliverability && check.outcome == CheckOutcome::Passed);
            let is_reliable = fact.sources.iter().any(|source| source.starts_with('r'));
            let highest = match fact.confirmations {
                _ if is_validated => 10_000,
                2.. => 10_000,
                _ if of_field.iter().all(|observation| observation.basis == Basis::Inferred) => 4999,
                _ if is_reliable && has(&fact, CheckOutcome::Passed) => 8999,
                _ => 7499,
            };
            prop_assert!(fact.confidence.get() <= highest, "{field}: {:?}", fact.confidence);
            prop_assert!(!fact.sources.is_empty(), "a value without a source cannot exist");
        }
    }

    #[test]
    fn s0_86_a_failed_check_never_raises_and_a_passed_one_never_lowers(lead in lead()) {
        let with = facts(&lead);
        for (field, fact) in &with {
            // Nothing to be checked against.
            let bare: Vec<Observation> = lead.iter().filter(|observation| observation.field == *field).cloned().collect();
            let bare = &facts(&bare)[field];
            match (has(fact, CheckOutcome::Passed), has(fact, CheckOutcome::Failed)) {
                (false, false) => prop_assert_eq!(fact, bare),
                (true, false) => prop_assert!(fact.confidence >= bare.confidence, "{field}"),
                (false, true) => prop_assert!(fact.confidence <= bare.confidence, "{field}"),
                (true, true) => {}
            }
        }
    }

    #[test]
    fn s0_84_one_more_agreeing_family_never_lowers_a_fact_of_a_lead(lead in lead(), nth in any::<prop::sample::Index>(), age in 0i64..900) {
        let before = facts(&lead);
        let (field, old) = before.iter().nth(nth.index(before.len())).unwrap();
        let mut more = lead.clone();
        more.push(Observation { field: field.clone(), value: old.value.clone(), ..seen("new", "new", 0, age) });
        let new = &facts(&more)[field];
        // While the value stays the best one, and unless an older word shows that one more failed check was about it.
        let fails = |check: &&Check| check.outcome == CheckOutcome::Failed;
        prop_assume!(new.value == old.value && new.checks.iter().filter(fails).all(|check| old.checks.contains(check)));
        prop_assert!(new.confidence >= old.confidence, "{field}: {:?} after {:?}", new.confidence, old.confidence);
        prop_assert!(new.confirmations >= old.confirmations);
    }

    #[test]
    fn s0_85_age_never_raises_a_lead_that_nobody_contests(lead in prop::collection::vec(observation(), 1..7), older_by in 0i64..900) {
        let aged: Vec<Observation> = lead
            .iter()
            .map(|observation| Observation { observed_at: observation.observed_at.before(Millis::days(older_by)), ..observation.clone() })
            .collect();
        let (young, old) = (facts(&lead), facts(&aged));
        prop_assume!(young.values().all(|fact| fact.conflicts.is_empty() && !has(fact, CheckOutcome::Failed)));
        for (field, fact) in &old {
            prop_assert!(fact.confidence <= young[field].confidence, "{field}");
        }
    }
}
