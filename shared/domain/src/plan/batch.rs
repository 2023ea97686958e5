//! Calls of several runs that go out as one request, for the price of bulk (S4-33).

use serde::Deserialize;

use crate::credits::Price;
use crate::identity::KeyKind;
use crate::units::Millis;

/// How a provider is asked by several keys in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchTerms {
    /// The kinds of key that it takes, each in requests of its own.
    pub keys: Vec<KeyKind>,
    /// So many keys at most.
    pub most: u32,
    /// From so many on; fewer are asked one by one.
    pub at_least: u32,
    /// What one of its entries costs; never more than a call.
    pub price: Price,
}

/// What a step says of it: how many of its calls go out together at most, and how long the first of them waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Full with so many calls, at least 2; the vendor may take fewer.
    pub size: u32,
    /// Then it goes out as it is; more than zero.
    pub wait: Millis,
}

/// For whom and how long a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gather {
    /// With so many calls it goes out.
    pub size: u32,
    /// With fewer keys than these each is asked by itself.
    pub at_least: u32,
    /// It goes out after this long, whoever has come.
    pub wait: Millis,
}

impl Gather {
    /// What a step's calls to an operation may wait for, within the time that is left beside the call itself; `None` where they go
    /// out at once.
    #[must_use]
    pub fn of(batch: Option<Batch>, terms: Option<&BatchTerms>, time: Millis) -> Option<Self> {
        let (batch, terms) = batch.zip(terms)?;
        let gather = Self { size: batch.size.min(terms.most), at_least: terms.at_least, wait: batch.wait };
        gather.within(time).filter(|gather| gather.size > 1)
    }

    /// The same, waiting no longer than this; `None` where no time is left to wait.
    #[must_use]
    pub fn within(self, time: Millis) -> Option<Self> {
        (time > Millis(0)).then(|| Self { wait: self.wait.min(time), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_33_a_call_waits_no_longer_than_its_run_can_and_for_no_more_than_the_vendor_takes() {
        let batch = Some(Batch { size: 100, wait: Millis::seconds(2) });
        let terms = BatchTerms { keys: vec![KeyKind::Domain], most: 25, at_least: 1, price: Price::default() };
        let wait = |time: i64| Gather::of(batch, Some(&terms), Millis(time)).map(|gather| (gather.size, gather.wait.0));
        assert_eq!((wait(9_000), wait(500), wait(0), wait(-1)), (Some((25, 2_000)), Some((25, 500)), None, None));
        assert_eq!((Gather::of(None, Some(&terms), Millis(9)), Gather::of(batch, None, Millis(9))), (None, None));
    }
}
