//! Which paid calls are made, in which order, and what follows when one ends badly.

use super::*;
use crate::score::ScoreRule;

#[test]
fn a_paid_call_that_can_change_nothing_is_left_out_with_its_reason() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("who.look", 2, "contact.seniority")]);
    let asks_for_nobody = next(&Situation { calls: &[], ..world.situation() });
    assert_eq!(*skipped(&asks_for_nobody), Skip::ChangesNothing { track: None }, "no rule reads a person's seniority");
    world.know(fact(7000, Millis(0)));
    world.rules = route(&[("company.headcount > 100", Track::AeQueue), ("contact.seniority == \"vp\"", Track::SdrQueue)]);
    let log = |operation: &str, why: Skip| Call { step: operation.into(), ..line(operation, CallOutcome::NotMade { why }) };
    world.calls.push(log("size.look", Skip::AlreadyKnown));
    assert_eq!(*skipped(&next(&world.situation())), Skip::ChangesNothing { track: Some(Track::AeQueue) });
}

#[test]
fn what_is_required_wanted_or_explored_is_asked_whatever_the_track() {
    let mut world = World::new();
    steps_for(&mut world, &[("who.look", 2, "contact.seniority")]);
    assert!(matches!(next(&world.situation()), Next::Skip { .. }));
    let explored = Situation { explored: true, ..world.situation() };
    assert_eq!(asked(&next(&explored)), "who.look");
    for plan in [
        Plan { until: Until::Everything, ..world.plan.clone() },
        Plan { wanted: vec![Field::known("contact.seniority")], ..world.plan.clone() },
        Plan { steps: vec![Step { required: true, ..world.plan.steps[0].clone() }], ..Plan::default() },
    ] {
        assert_eq!(asked(&next(&Situation { plan: &plan, ..world.situation() })), "who.look");
    }
}

#[test]
fn a_call_that_leads_to_one_that_matters_is_made() {
    let mut world = World::new();
    steps_for(&mut world, &[("phone.check", 1, "phone.valid"), ("size.look", 2, "company.headcount")]);
    world.plan.steps[1].when = Some(Condition::parse("phone.valid", &world.schema).unwrap());
    assert_eq!(asked(&next(&world.situation())), "phone.check", "S4-25: the second step depends on the first");
}

#[test]
fn the_call_that_narrows_most_for_its_price_comes_first() {
    let mut world = World::new();
    steps_for(&mut world, &[("who.look", 2, "contact.seniority"), ("size.look", 2, "company.headcount")]);
    world.rules = route(&[
        ("company.headcount > 5000", Track::SalesAssist),
        ("company.headcount > 50 && contact.seniority == \"vp\"", Track::AeQueue),
        ("company.headcount > 50", Track::SdrQueue),
    ]);
    assert_eq!(asked(&next(&world.situation())), "who.look", "as written");
    world.plan.order = Order::Narrowing;
    assert_eq!(asked(&next(&world.situation())), "size.look");
    world.catalogue.get_mut("size.look").unwrap().price.per_hit = Credits::whole(40);
    assert_eq!(asked(&next(&world.situation())), "who.look", "twenty times the price");
}

#[test]
fn s4_26_to_s4_29_a_call_that_ends_badly_is_followed_by_what_the_step_says() {
    let mut world = World::new();
    let invalid = CallOutcome::Failed { why: "no JSON".into() };
    for (outcome, expected) in [(CallOutcome::TimedOut, "paid.b"), (invalid.clone(), "paid.b")] {
        world.calls = vec![line("paid.a", outcome)];
        assert_eq!(asked(&next(&world.situation())), expected);
    }
    world.calls = vec![line("paid.a", CallOutcome::AuthFailed)];
    assert_eq!(*skipped(&next(&world.situation())), Skip::StepStopped, "S4-29: stop");
    world.plan.steps[0].on = OnError { invalid: OnFailure::Stop, auth_failure: OnFailure::Continue, ..OnError::default() };
    assert_eq!(asked(&next(&world.situation())), "paid.b");
    world.calls = vec![line("paid.a", invalid)];
    assert_eq!(*skipped(&next(&world.situation())), Skip::StepStopped);
}

#[test]
fn s4_39_a_critical_step_asks_once_more_after_a_timeout_and_s4_40_a_nice_one_goes_on() {
    let mut world = World::new();
    world.plan.steps[0].on.timeout = OnTimeout::Retry;
    world.calls = vec![line("paid.a", CallOutcome::TimedOut)];
    assert!(matches!(ask(&next(&world.situation())), Ask { attempt: 2, operation, .. } if operation == "paid.a"));
    world.calls.push(line("paid.a", CallOutcome::TimedOut));
    assert_eq!(asked(&next(&world.situation())), "paid.b", "once, not for ever");
}

#[test]
fn x_14_a_rate_limit_may_be_passed_over_and_another_step_goes_on_while_one_is_waited_for() {
    let mut world = World::new();
    let limited = CallOutcome::RateLimited { retry_at: NOW.after(Millis::seconds(3)) };
    world.log("paid.a", limited.clone());
    world.plan.steps[0].on.rate_limit = OnRateLimit::Continue;
    assert_eq!(asked(&next(&world.situation())), "paid.b");
    world.plan.steps[0].on.rate_limit = OnRateLimit::Wait;
    world.plan.steps.push(Step { name: "other".into(), ..step(&["paid.b"]) });
    assert_eq!(ask(&next(&world.situation())).step, "other");
}

#[test]
fn x_32_a_required_step_without_what_it_wants_is_named() {
    let mut world = World::new();
    let unmet_in = |world: &World| unmet(&world.plan, &crate::condition::View::of(&world.facts), &world.calls);
    assert!(unmet_in(&world).is_empty());
    world.plan.steps[0].required = true;
    assert_eq!(unmet_in(&world), ["company"]);
    world.know(fact(7000, Millis(0)));
    assert!(unmet_in(&world).is_empty());
}

#[test]
fn one_signup_in_so_many_is_explored_and_always_the_same_ones() {
    let plan = Plan { explore: NonZeroU32::new(10), ..Plan::default() };
    let run = |number: u64| {
        let key = crate::identity::HashKey::new(vec![7; 32]).unwrap();
        RunId::parse(&key.hash(&["run", &number.to_string()])).unwrap()
    };
    let explored = (0..2000).filter(|number| plan.explores(&run(*number))).count();
    assert!((150..250).contains(&explored), "{explored} of 2,000 where 200 are expected");
    assert!((0..200).all(|number| plan.explores(&run(number)) == plan.explores(&run(number))));
    assert!(!Plan::default().explores(&run(1)));
}

#[test]
fn s0_23_and_s0_28_what_is_not_eligible_is_skipped_with_the_reason_and_asked_for_by_hand() {
    let mut world = World::new();
    world.eligibility.entities = vec![crate::schema::Entity::Contact];
    let refused = skipped(&next(&world.situation())).words();
    assert_eq!(refused, "accounts are not looked up");
    let by_hand = Situation { trigger: Trigger::Manual, ..world.situation() };
    assert_eq!(asked(&next(&by_hand)), "paid.a", "X-27");
}

#[test]
fn s1_05_a_channel_that_an_audience_requires_is_paid_for_and_what_tells_the_audience_too() {
    let mut world = World::new();
    let [size, phone] = [("size.look", 2, "company.headcount"), ("phone.look", 2, "contact.phone")];
    steps_for(&mut world, &[size, phone]);
    world.rules = route(&[]);
    assert!(matches!(next(&world.situation()), Next::Skip { .. }), "one track and nobody wants anything");
    world.audiences = vec![Audience {
        name: "outbound".into(),
        when: Condition::parse("company.headcount > 100", &world.schema).unwrap(),
        requires: vec![crate::coverage::Channel::Phone],
    }];
    assert_eq!(asked(&next(&world.situation())), "size.look");
    world.know(fact(7000, Millis(0)));
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::Hit { fields: vec![] }) });
    assert_eq!(asked(&next(&world.situation())), "phone.look");
    world.facts.get_mut(&Field::known("company.headcount")).unwrap().value = Value::number(20);
    assert!(matches!(next(&world.situation()), Next::Skip { .. }), "not in the audience");
}

#[test]
fn s1_05_an_audience_may_be_drawn_by_the_score_and_what_the_score_reads_is_paid_for_to_tell_it() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("phone.look", 2, "contact.phone")]);
    world.rules = route(&[]);
    let when = Condition::parse("score >= 30", &world.schema).unwrap();
    world.audiences = vec![Audience { name: "good".into(), when, requires: vec![crate::coverage::Channel::Phone] }];
    let when = Condition::parse("company.headcount > 100", &world.schema).unwrap();
    let score = [ScoreRule { when, points: 30, because: "large".into() }];
    let next_of = |world: &World| {
        let mut situation = world.situation();
        situation.rules.score = &score;
        next(&situation)
    };
    assert_eq!(asked(&next_of(&world)), "size.look");
    world.know(fact(7000, Millis(0)));
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::Hit { fields: vec![] }) });
    assert_eq!(asked(&next_of(&world)), "phone.look", "30 points");
    world.facts.get_mut(&Field::known("company.headcount")).unwrap().value = Value::number(20);
    assert!(matches!(next_of(&world), Next::Skip { .. }), "no points, and not in the audience");
}

#[test]
fn s4_38_answers_that_are_kept_are_taken_at_once() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("phone.look", 2, "contact.phone")]);
    world.kept = ["size.look", "phone.look"].map(str::to_owned).into();
    let Next::Ask(asks) = next(&world.situation()) else { panic!("two answers are there") };
    assert_eq!(asks.iter().map(|ask| ask.operation.as_str()).collect::<Vec<_>>(), ["size.look", "phone.look"]);
}

#[test]
fn s4_38_a_call_that_is_due_only_for_what_it_leads_to_waits_for_that() {
    let mut world = World::new();
    steps_for(&mut world, &[("phone.look", 2, "contact.phone"), ("size.look", 2, "company.headcount")]);
    world.rules = route(&[]);
    world.plan.wanted = vec![Field::known("contact.phone")];
    // The size would settle what the step of the phone wants as well, and so decide whether that is asked.
    world.plan.steps[0].wants.push(Field::known("company.headcount"));
    assert_eq!(asked(&next(&world.situation())), "phone.look");
}

#[test]
fn what_a_track_wants_is_paid_for_once_the_lead_is_sure_to_go_there() {
    let mut world = World::new();
    let [size, phone] = [("size.look", 2, "company.headcount"), ("phone.look", 2, "contact.phone")];
    steps_for(&mut world, &[size, phone]);
    world.plan.wanted_by_track.insert(Track::AeQueue, vec![Field::known("contact.phone")]);
    assert_eq!(asked(&next(&world.situation())), "size.look", "the track is open, and the phone is not left out for good");
    world.know(fact(7000, Millis(0)));
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::Hit { fields: vec![] }) });
    assert_eq!(asked(&next(&world.situation())), "phone.look", "a large company goes to sales");
    world.facts.get_mut(&Field::known("company.headcount")).unwrap().value = Value::number(20);
    assert!(matches!(next(&world.situation()), Next::Skip { .. }), "a small one does not");
    world.facts.clear();
    assert!(matches!(next(&world.situation()), Next::Skip { .. }), "where nobody can settle the track, nobody is paid");
}

#[test]
fn an_answer_that_is_kept_is_taken_for_free_though_the_track_does_not_need_it() {
    let mut world = World::new();
    steps_for(&mut world, &[("who.look", 2, "contact.seniority")]);
    assert!(matches!(next(&world.situation()), Next::Skip { .. }));
    world.kept.insert("who.look".into());
    assert_eq!(asked(&next(&world.situation())), "who.look");
}

/// The phone that somebody signed up with.
fn phone(world: &mut World) {
    let told = Fact { value: Value::text("+15550100"), ..fact(6000, Millis(0)) };
    world.facts.insert(Field::known("contact.phone"), told);
}

#[test]
fn a_check_of_another_field_matters_as_that_field_does() {
    let mut world = World::new();
    steps_for(&mut world, &[("phone.check", 1, "phone.valid")]);
    world.rules = route(&[("has(contact.phone)", Track::SdrQueue)]);
    phone(&mut world);
    assert_eq!(asked(&next(&world.situation())), "phone.check", "an invalid number is not a known one");
}

#[test]
fn a_call_that_may_exclude_the_lead_from_a_paid_one_goes_before_it() {
    let mut world = World::new();
    steps_for(&mut world, &[("what.look", 1, "company.industry"), ("size.look", 2, "company.headcount")]);
    world.eligibility.exclude = vec![crate::eligibility::Exclusion {
        segment: "government".into(),
        when: Condition::parse("company.industry == \"government\"", &world.schema).unwrap(),
        entities: vec![crate::schema::Entity::Account],
        because: None,
    }];
    assert_eq!(asked(&next(&world.situation())), "what.look");
}

#[test]
fn what_is_wanted_is_reached_through_the_call_that_its_step_depends_on() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("phone.look", 2, "contact.phone")]);
    world.rules = route(&[]);
    world.plan.steps[1].when = Some(Condition::parse("company.headcount >= 50", &world.schema).unwrap());
    world.plan.wanted = vec![Field::known("contact.phone")];
    assert_eq!(asked(&next(&world.situation())), "size.look");
    world.plan.wanted.clear();
    world.plan.steps[1].required = true;
    assert_eq!(asked(&next(&world.situation())), "size.look");
}

#[test]
fn a_rate_limit_is_not_waited_for_where_the_answer_changes_nothing() {
    let mut world = World::new();
    world.log("paid.a", CallOutcome::RateLimited { retry_at: NOW.after(Millis::seconds(3)) });
    world.rules = route(&[]);
    assert!(matches!(skipped(&next(&world.situation())), Skip::ChangesNothing { track: Some(Track::SelfServe) }));
}

#[test]
fn a_rate_limit_is_waited_for_beyond_the_time_of_one_claim() {
    let mut world = World::new();
    let retry_at = NOW.after(Millis::seconds(3));
    world.log("paid.a", CallOutcome::RateLimited { retry_at });
    let over = Situation { finish_by: NOW, ..world.situation() };
    assert_eq!(next(&over), Next::Wait { until: retry_at });
    assert_eq!(open_fields(&over), [Field::known("company.headcount")]);
}

#[test]
fn x_31_while_the_gate_would_hold_the_lead_only_what_may_change_that_is_paid_for() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("mail.check", 1, "email.disposable")]);
    world.plan.steps[1].stop = Some(Stop::Confirmations(2));
    world.facts.insert(Field::known("email.disposable"), Fact { value: Value::Bool(true), ..fact(7000, Millis(0)) });
    let gate = [GateRule {
        when: Condition::parse("email.disposable", &world.schema).unwrap(),
        verdict: Verdict::Reject,
        because: "a throw-away address".into(),
    }];
    let held = Situation { rules: Rules { gate: &gate, ..world.situation().rules }, ..world.situation() };
    assert_eq!(asked(&next(&held)), "mail.check");
}

fn gate(when: &str) -> [GateRule; 1] {
    let when = Condition::parse(when, &Schema::default()).unwrap();
    [GateRule { when, verdict: Verdict::Verify, because: "evidence".into() }]
}

#[test]
fn x_31_the_gate_hears_free_evidence_before_the_first_paid_call_and_then_nothing_is_paid_for() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("dns.look", 0, "email.mx_found")]);
    let gate = gate("not email.mx_found");
    let judged = |world: &World| next(&Situation { rules: Rules { gate: &gate, ..world.situation().rules }, ..world.situation() });
    assert_eq!(asked(&judged(&world)), "dns.look");
    world.calls.push(Call { step: "dns.look".into(), ..line("dns.look", CallOutcome::Hit { fields: Vec::new() }) });
    assert_eq!(asked(&judged(&world)), "size.look", "what the gate does not know holds nobody");
    world.facts.insert(Field::known("email.mx_found"), Fact { value: Value::Bool(false), ..fact(7000, Millis(0)) });
    assert_eq!(*skipped(&judged(&world)), Skip::HeldByGate);
}

#[test]
fn s3_74_the_companys_size_is_paid_for_where_the_domain_is_too_young_to_pass_without() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount")]);
    world.rules = route(&[]);
    let gate = gate("not fraud.domain_age_plausible");
    let mut at_age = |days: i64| {
        world.facts.insert(Field::known("email.domain_age_days"), Fact { value: Value::number(days), ..fact(7000, Millis(0)) });
        next(&Situation { rules: Rules { gate: &gate, ..world.situation().rules }, ..world.situation() })
    };
    assert_eq!(asked(&at_age(20)), "size.look");
    assert_eq!(*skipped(&at_age(4000)), Skip::ChangesNothing { track: Some(Track::SelfServe) });
}

#[test]
fn s0_27_what_a_record_lacks_may_still_come() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount"), ("site.look", 0, "company.name")]);
    world.eligibility.needs = vec![crate::eligibility::Minimum::CompanyName];
    assert_eq!(asked(&next(&world.situation())), "site.look");
    world.calls.push(Call { step: "site.look".into(), ..line("site.look", CallOutcome::NoMatch) });
    assert!(matches!(skipped(&next(&world.situation())), Skip::Ineligible { .. }));
}

#[test]
fn an_answer_counts_for_every_step_that_names_its_operation() {
    let mut world = World::new();
    steps_for(&mut world, &[("size.look", 2, "company.headcount")]);
    world.plan.steps.push(Step { name: "again".into(), ..world.plan.steps[0].clone() });
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::NoMatch) });
    assert_eq!(next(&world.situation()), Next::Done);
}

#[test]
fn beyond_the_cap_a_call_is_made_rather_than_left_out_and_the_walk_ends() {
    let mut world = World::new();
    let fields = ["company.sic", "company.naics", "company.city", "company.state", "company.country", "company.cms", "company.cdn"];
    let operations = fields.map(|field| (field, 1, field));
    steps_for(&mut world, &operations);
    let words = ["a", "b", "c", "d", "e", "f"];
    let rules = fields.iter().flat_map(|field| words.map(|word| format!("{field} == \"{word}\"")));
    let score: Vec<crate::score::ScoreRule> = rules
        .map(|text| crate::score::ScoreRule { when: Condition::parse(&text, &world.schema).unwrap(), points: 9, because: text })
        .collect();
    world.rules = route(&[("score >= 64", Track::AeQueue)]);
    let many = Situation { rules: Rules { score: &score, ..world.situation().rules }, ..world.situation() };
    assert!(matches!(next(&many), Next::Ask(_)), "at most 63 points can be reached, which takes too many runs to see");
}

#[test]
fn what_a_provider_is_still_at_work_on_counts_against_the_budget_of_its_step() {
    let mut world = World::new();
    world.plan.steps[0].budget = Some(Credits::whole(3));
    assert_eq!(asked(&next(&world.situation())), "paid.a");
    world.log("paid.a", CallOutcome::NoMatch);
    assert_eq!(asked(&next(&world.situation())), "paid.b");
    world.calls.clear();
    world.log("paid.a", CallOutcome::Pending { until: NOW.after(Millis::minutes(1)) });
    assert_eq!(*skipped(&next(&world.situation())), Skip::StepBudget, "2 of 3 credits may yet be billed");
}

#[test]
fn a_step_does_not_wait_for_what_only_its_own_calls_could_overturn() {
    let mut world = World::new();
    world.plan.steps[0].when = Some(Condition::parse("has(company.headcount)", &world.schema).unwrap());
    world.plan.steps[0].stop = Some(Stop::Confirmations(2));
    world.know(fact(6000, Millis(0)));
    assert_eq!(asked(&next(&world.situation())), "paid.a", "a second source for what one has told");
    world.plan.steps.insert(0, Step { name: "size".into(), ..step(&["paid.b"]) });
    world.plan.steps[0].stop = Some(Stop::Confirmations(2));
    assert_eq!(asked(&next(&world.situation())), "paid.b", "another step may overturn it, and is asked first");
}

#[test]
fn s1_05_a_channel_is_not_given_up_before_it_is_known_whether_an_audience_requires_it() {
    let mut world = World::new();
    steps_for(&mut world, &[("who.look", 0, "contact.seniority"), ("phone.look", 2, "contact.phone")]);
    world.rules = route(&[]);
    // Nobody tells the stage, so nobody is asked who it is, and that nobody knows who it is stands only then.
    world.plan.steps[0].when = Some(Condition::parse("company.funding_stage == \"seed\"", &world.schema).unwrap());
    let when = Condition::parse("!has(contact.seniority)", &world.schema).unwrap();
    world.audiences = vec![Audience { name: "unknown".into(), when, requires: vec![crate::coverage::Channel::Phone] }];
    assert_eq!(*skipped(&next(&world.situation())), Skip::ConditionUnknown);
    world.calls.push(Call { step: "who.look".into(), ..line("who.look", CallOutcome::NotMade { why: Skip::ConditionUnknown }) });
    assert_eq!(asked(&next(&world.situation())), "phone.look");
}
