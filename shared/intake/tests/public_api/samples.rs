//! The sample events of the repository's `events/` folder.

use std::collections::BTreeMap;
use std::path::Path;

use domain::signup::{Arrival, Signup};
use domain::units::Millis;
use intake::sample::{Before, RepeatAs, Sample};

use crate::{Held, SECRET, current, now, signed, signup_in, taken};

fn samples() -> BTreeMap<String, Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let read = names.filter_map(|name| {
        let case = Sample::case_of(&name)?.to_owned();
        let file = std::fs::read_to_string(folder.join(&name)).unwrap();
        Some((case, Sample::parse(&file).unwrap_or_else(|error| panic!("{name}: {error}"))))
    });
    read.collect()
}

fn signup_of(sample: &Sample) -> Signup {
    let request = signed(&sample.issuer, &sample.render(now()), sample.delivery.as_deref(), now());
    signup_in(taken(&sample.issuer, request, &Held(Some(vec![current(SECRET)])), now()))
}

#[test]
fn every_sample_event_parses_as_its_issuers_signup() {
    let samples = samples();
    assert_eq!(samples.len(), 17, "{:?}", samples.keys());
    for (case, sample) in &samples {
        let signup = signup_of(sample);
        assert_eq!(signup.issuer, sample.issuer, "{case}");
        assert!(signup.email.is_some() && !sample.note.is_empty(), "{case}");
    }
}

#[test]
fn samples_write_to_nobody_real() {
    for (case, sample) in &samples() {
        let host = signup_of(sample).email.map(|email| email.host().to_owned()).unwrap_or_default();
        let invented =
            host.ends_with(".example") || [("personal-email", "gmail.com"), ("disposable", "mailinator.com")].contains(&(case, &host));
        assert!(invented, "{case}");
    }
}

#[test]
fn x_01_the_duplicate_delivery_is_one_delivery_and_the_double_click_two() {
    let samples = samples();
    let (duplicate, click) = (&samples["duplicate-delivery"], &samples["double-click"]);
    assert_eq!((duplicate.repeat, duplicate.repeat_as), (2, RepeatAs::Delivery));
    assert!(duplicate.delivery.is_some());
    let later = now().after(Millis::days(1));
    assert_eq!(duplicate.render(now()), duplicate.render(later), "a retry repeats the bytes whenever it comes");
    assert_eq!((click.repeat, click.repeat_as), (2, RepeatAs::Click));
    assert_ne!(click.render(now()), click.render(now().after(Millis(1))));
}

#[test]
fn samples_ask_for_what_their_case_needs() {
    let samples = samples();
    assert_eq!(samples["spend-cap"].before, Some(Before::ExhaustDayCap));
    for case in ["hot", "late-answer"] {
        assert_eq!(samples[case].prefer.as_deref(), Some("wait=2"), "{case}");
    }
    for (case, arrival) in [("hot", Arrival::DemoRequest), ("contact-sales", Arrival::ContactSales), ("mid-market", Arrival::Signup)] {
        assert_eq!(signup_of(&samples[case]).arrival, arrival, "{case}");
    }
}
