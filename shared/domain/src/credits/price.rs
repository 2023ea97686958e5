use serde::{Deserialize, Serialize};

use crate::units::{Credits, written_credits};

/// What an operation costs. The parts add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// For each call, whatever it returns.
    #[serde(deserialize_with = "written_credits")]
    pub per_call: Credits,
    /// For each call that found something.
    #[serde(deserialize_with = "written_credits")]
    pub per_hit: Credits,
    /// For each channel that was filled.
    #[serde(deserialize_with = "written_credits")]
    pub per_channel: Credits,
}

/// At which price a reply came (S4-33).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tariff {
    /// A call of its own.
    #[default]
    Single,
    /// One entry of a request for several keys.
    Bulk,
    /// The same entry as another run's, which pays for it.
    Shared,
}

impl Tariff {
    /// Whether it is the price of a call of its own.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        matches!(self, Self::Single)
    }
}

impl Price {
    /// Whether a call can cost nothing at all.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }

    /// The most a call can cost when it is asked for `channels` channels: what is reserved.
    #[must_use]
    pub fn worst_case(&self, channels: usize) -> Credits {
        self.actual(true, channels)
    }

    /// What a call costs that found something or not, and filled this many channels: what is settled.
    #[must_use]
    pub fn actual(&self, hit: bool, channels: usize) -> Credits {
        let per_hit = if hit { self.per_hit } else { Credits::ZERO };
        let channels = i64::try_from(channels).unwrap_or(i64::MAX);
        let for_channels = Credits::from_micros(self.per_channel.micros().saturating_mul(channels));
        self.per_call.plus(per_hit).plus(for_channels)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn x_08_a_miss_costs_only_the_call() {
        let price = Price { per_call: Credits::whole(1), per_hit: Credits::whole(2), per_channel: Credits::whole(3) };
        assert_eq!(price.worst_case(2), Credits::whole(9));
        assert_eq!(price.actual(false, 0), Credits::whole(1));
        assert!(Price::default().is_free());
    }

    proptest! {
        #[test]
        fn x_08_nothing_ever_costs_more_than_its_worst_case(
            parts in proptest::array::uniform3(0i64..1_000_000_000), asked in 0usize..9, filled in 0usize..9, hit: bool,
        ) {
            let [per_call, per_hit, per_channel] = parts.map(Credits::from_micros);
            let price = Price { per_call, per_hit, per_channel };
            prop_assert!(price.actual(hit, filled.min(asked)) <= price.worst_case(asked));
        }
    }
}
