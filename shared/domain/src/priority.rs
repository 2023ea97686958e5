//! How urgent a run is, which queue it waits in and which caps it may pass (S0-61…65, X-25).

use serde::{Deserialize, Serialize};

use crate::signup::Arrival;

/// Urgency, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Somebody waits for a salesperson: demo and contact-sales requests, manual enrichment (S0-61).
    Critical,
    /// A newly created record (S0-62).
    High,
    /// Imports and scheduled refreshes (S0-63).
    Normal,
    /// Bulk re-enrichment and background maintenance (S0-64).
    Low,
}

impl Priority {
    /// All priorities, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The priority with which a signup of this kind arrives.
    #[must_use]
    pub const fn of_arrival(arrival: Arrival) -> Self {
        match arrival {
            Arrival::ContactSales | Arrival::DemoRequest => Self::Critical,
            Arrival::Signup | Arrival::Waitlist | Arrival::FreeTier => Self::High,
        }
    }

    /// The word used in queue names and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_25_a_demo_request_is_critical_and_a_plain_signup_high() {
        assert_eq!(Priority::of_arrival(Arrival::DemoRequest), Priority::Critical);
        assert_eq!(Priority::of_arrival(Arrival::Signup), Priority::High);
        assert!(Priority::Critical < Priority::Low, "the more urgent sorts first");
    }
}
