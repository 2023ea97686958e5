use std::sync::Mutex;

use domain::credits::Limits;
use domain::signup::Arrival;
use domain::units::{Credits, Millis};
use pipeline::messages::LookupMessage;
use tests::sim::{Behaves, Conduct, CrmConduct, Person, Plan, START, Weakness};

/// Who signs up when, and what is special about the world.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) arrivals: Vec<(Millis, LookupMessage)>,
    pub(crate) allocation: i64,
    /// The first answers of the provider by operation; afterwards it answers.
    pub(crate) vendor: Vec<(&'static str, Conduct)>,
    /// The first answers of the CRM; afterwards it writes.
    pub(crate) crm: Vec<CrmConduct>,
    /// The worker dies before this verb, the first time it comes, in the run without faults too.
    pub(crate) dies_before: Option<&'static str>,
    /// The safeguard that is switched off.
    pub(crate) weakness: Option<Weakness>,
}

impl Scenario {
    pub(crate) fn of(name: &'static str, arrivals: Vec<(Millis, LookupMessage)>) -> Self {
        Self { name, arrivals, allocation: 1000, vendor: Vec::new(), crm: Vec::new(), dies_before: None, weakness: None }
    }

    pub(crate) fn plan(&self) -> Plan {
        let (vendor, crm) = (Mutex::new(self.vendor.clone()), Mutex::new(self.crm.clone()));
        let vendor: Behaves = Box::new(move |operation: &str| {
            let mut left = vendor.lock().unwrap();
            let at = left.iter().position(|(of, _)| *of == operation);
            at.map_or(Conduct::Answer(Millis(300)), |at| left.remove(at).1)
        });
        let crm = Box::new(move || {
            let mut left = crm.lock().unwrap();
            if left.is_empty() { CrmConduct::Writes(Millis(100)) } else { left.remove(0) }
        });
        Plan { limits: Limits { allocation: Credits::whole(self.allocation), ..Limits::default() }, vendor, crm, weakness: self.weakness }
    }
}

const JANE: Person = Person { number: 1, company: 1 };
const JOHN: Person = Person { number: 2, company: 1 };

fn at(span: Millis, person: Person, delivery: &str, arrival: Arrival) -> (Millis, LookupMessage) {
    (span, person.signs_up(delivery, arrival, START.after(span)))
}

/// All of them.
pub(crate) fn scenarios() -> Vec<Scenario> {
    let jane = || vec![at(Millis(0), JANE, "d1", Arrival::Signup)];
    let and = |span: Millis, person: Person, delivery: &str, arrival: Arrival| {
        let mut both = jane();
        both.push(at(span, person, delivery, arrival));
        both
    };
    let again = |span: Millis| {
        let mut both = jane();
        both.push((span, both[0].1.clone()));
        both
    };
    let (company, person) = ("crustdata.company", "crustdata.person");
    vec![
        Scenario::of("a plain signup", jane()),
        Scenario::of("a cached company", and(Millis::seconds(30), JOHN, "d2", Arrival::Signup)),
        Scenario::of("two of one company at once", and(Millis(250), JOHN, "d2", Arrival::Signup)),
        Scenario::of("a duplicate delivery at once", again(Millis(250))),
        Scenario::of("a duplicate delivery later", again(Millis::seconds(20))),
        Scenario::of("a second click while the first is at work", and(Millis(500), JANE, "d2", Arrival::Signup)),
        Scenario::of("a second click later", and(Millis::seconds(20), JANE, "d2", Arrival::DemoRequest)),
        Scenario { vendor: vec![(company, Conduct::RateLimits(Millis::seconds(30)))], ..Scenario::of("a rate limit", jane()) },
        Scenario { vendor: vec![(company, Conduct::Hangs)], ..Scenario::of("a time-out", jane()) },
        Scenario { vendor: vec![(person, Conduct::Garbage)], ..Scenario::of("garbage", jane()) },
        Scenario { vendor: vec![(company, Conduct::BillsLate(Millis::seconds(3)))], ..Scenario::of("a late bill", jane()) },
        Scenario::of("nobody known", vec![at(Millis(0), Person { number: 9, company: 6 }, "d1", Arrival::Signup)]),
        Scenario { allocation: 5, ..Scenario::of("a reached cap", jane()) },
        Scenario::of("a held signup", vec![at(Millis(0), Person { number: 1, company: 0 }, "d1", Arrival::Signup)]),
        a_decision_that_comes_back(),
        Scenario::of("a CRM update", and(Millis::hours(2), JANE, "d2", Arrival::DemoRequest)),
        Scenario { crm: vec![CrmConduct::RateLimits(Millis::seconds(5))], ..Scenario::of("a CRM rate limit", jane()) },
        Scenario { crm: vec![CrmConduct::WritesInSilence(Millis::seconds(2))], ..Scenario::of("a silent CRM write", jane()) },
        Scenario { dies_before: Some("look_up"), ..Scenario::of("a sweep after a crash", jane()) },
    ]
}

/// Two hours later a weaker arrival changes the track, and soon a stronger one changes it back.
pub(crate) fn a_decision_that_comes_back() -> Scenario {
    let (small, later) = (Person { number: 2, company: 5 }, Millis::hours(2));
    let arrivals = vec![
        at(Millis(0), small, "d1", Arrival::ContactSales),
        at(later, small, "d2", Arrival::FreeTier),
        at(Millis(later.0 + 100_000), small, "d3", Arrival::ContactSales),
    ];
    Scenario::of("a decision that comes back", arrivals)
}
