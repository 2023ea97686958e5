//! Repeatable chance: a throw depends on the seed, on whom it is about and on what it decides, and on nothing else.

use sha2::{Digest, Sha256};

pub(crate) struct Dice {
    root: [u8; 32],
}

impl Dice {
    /// Dice for one subject, such as `company:acme.example`.
    pub(crate) fn new(seed: u64, subject: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(subject.as_bytes());
        Self { root: hash.finalize().into() }
    }

    fn throw(&self, what: &str) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.root);
        hash.update(what.as_bytes());
        hash.finalize().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// A number from `low` up to and with `high`.
    pub(crate) fn between(&self, what: &str, low: u64, high: u64) -> u64 {
        low + self.throw(what) % (high - low + 1)
    }

    /// A thousandth-exact fraction between two counts of thousandths.
    pub(crate) fn fraction(&self, what: &str, low: i32, high: i32) -> f64 {
        let width = u64::from(high.abs_diff(low));
        let step = i32::try_from(self.between(what, 0, width)).unwrap_or_default();
        f64::from(low + step) / 1_000.0
    }

    /// True in this many of a hundred cases.
    pub(crate) fn chance(&self, what: &str, percent: u64) -> bool {
        self.throw(what) % 100 < percent
    }

    /// One of several; the list is never empty.
    pub(crate) fn pick<T: Copy, const N: usize>(&self, what: &str, options: &[T; N]) -> T {
        let index = usize::try_from(self.throw(what) % N as u64).unwrap_or_default();
        options[index]
    }

    /// The value, except in the one of ten cases in which a vendor does not have it.
    pub(crate) fn known<T>(&self, what: &str, value: T) -> Option<T> {
        let missing = self.chance(&format!("missing:{what}"), 10);
        if missing { None } else { Some(value) }
    }
}
