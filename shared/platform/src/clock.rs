use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{Clock, Entropy};
use rand::Rng as _;

/// The clock of the machine: the only reader of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock; everybody else takes the time as an argument")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(Millis::from_duration(since_epoch).0)
    }
}

/// Names of 128 random bits from a generator that the operating system seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_name_has_22_url_safe_characters_and_is_like_no_other() {
        let (first, second) = (OsEntropy.name(), OsEntropy.name());
        assert_eq!(first.len(), 22);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_ne!(first, second);
    }

    #[test]
    fn the_clock_has_passed_the_year_2026() {
        assert!(SystemClock.now() > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    }
}
