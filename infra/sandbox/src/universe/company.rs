//! An invented company, as the vendor and its own website know it.

use std::time::Duration;

/// A company. `None` is what the vendor does not have.
pub(crate) struct Company {
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) id: u64,
    /// Whether the vendor has it at all.
    pub(crate) listed: bool,
    pub(crate) site: Option<Site>,
    /// How long the vendor thinks about it, beyond its usual latency.
    pub(crate) answer_delay: Duration,
    pub(crate) company_type: &'static str,
    pub(crate) industry: Option<&'static str>,
    pub(crate) year_founded: Option<u64>,
    pub(crate) headcount: Option<u64>,
    /// In percent.
    pub(crate) headcount_growth: Option<f64>,
    pub(crate) funding: Funding,
    pub(crate) place: Option<Place>,
    /// Bounds of a year's revenue, USD.
    pub(crate) revenue: Option<(u64, u64)>,
    /// Visitors a month.
    pub(crate) visitors: Option<u64>,
    /// Change of the visitors over 90 days, as a fraction.
    pub(crate) traffic_growth: Option<f64>,
    pub(crate) openings: Option<u64>,
    pub(crate) technologies: Option<Vec<&'static str>>,
}

#[derive(Default)]
pub(crate) struct Funding {
    pub(crate) total_usd: Option<u64>,
    pub(crate) last_round: Option<&'static str>,
    pub(crate) last_date: Option<&'static str>,
}

#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// ISO 3166 alpha-2.
    pub(crate) country: &'static str,
    pub(crate) country_name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) city: &'static str,
}

/// What a company's home page gives away.
pub(crate) struct Site {
    pub(crate) generator: &'static str,
    pub(crate) scripts: Vec<&'static str>,
    /// Whether it has a page about SOC 2 and SSO.
    pub(crate) security: bool,
}

pub(crate) const PLACES: [Place; 8] = [
    Place { country: "US", country_name: "United States", state: "California", city: "San Francisco" },
    Place { country: "US", country_name: "United States", state: "Texas", city: "Austin" },
    Place { country: "US", country_name: "United States", state: "New York", city: "New York" },
    Place { country: "GB", country_name: "United Kingdom", state: "England", city: "London" },
    Place { country: "DE", country_name: "Germany", state: "Berlin", city: "Berlin" },
    Place { country: "FR", country_name: "France", state: "Île-de-France", city: "Paris" },
    Place { country: "CA", country_name: "Canada", state: "Ontario", city: "Toronto" },
    Place { country: "IN", country_name: "India", state: "Karnataka", city: "Bengaluru" },
];

impl Company {
    /// The handle of its invented profile pages.
    pub(crate) fn handle(&self) -> String {
        format!("invented-{}", self.domain.replace('.', "-"))
    }

    /// The vendor's band for the headcount.
    pub(crate) fn employee_range(&self) -> Option<&'static str> {
        let range = match self.headcount? {
            0..=10 => "1-10",
            11..=50 => "11-50",
            51..=200 => "51-200",
            201..=500 => "201-500",
            501..=1_000 => "501-1000",
            1_001..=5_000 => "1001-5000",
            5_001..=10_000 => "5001-10000",
            _ => "10001+",
        };
        Some(range)
    }
}

/// A name that nobody takes for real: `northwind-grid.example` becomes `Northwind Grid (invented)`.
pub(crate) fn name_of(domain: &str) -> String {
    let label = domain.split('.').next().unwrap_or_default();
    format!("{} (invented)", capitalised(label))
}

/// `dana.cho` becomes `Dana Cho`.
pub(crate) fn capitalised(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for word in words.split(['-', '.', '_', '+']).filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
    }
    text
}
