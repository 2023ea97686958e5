//! Companies made up from a hash of their domain.

use std::time::Duration;

use super::company::{Company, Funding, PLACES, Site, name_of};
use super::dice::Dice;

const INDUSTRIES: [&str; 8] = [
    "Software Development",
    "Financial Services",
    "Retail",
    "Hospitals and Health Care",
    "Manufacturing",
    "Education",
    "Logistics",
    "Marketing Services",
];
const TECHNOLOGIES: [&str; 14] = [
    "aws",
    "kubernetes",
    "gcp",
    "azure",
    "postgresql",
    "react",
    "python",
    "salesforce",
    "hubspot",
    "segment",
    "stripe",
    "terraform",
    "snowflake",
    "vercel",
];
const GENERATORS: [&str; 4] = ["Hugo 0.140", "WordPress 6.6", "Next.js", "Webflow"];
const DATES: [&str; 6] = ["2024-03-14", "2024-10-02", "2025-04-22", "2025-11-18", "2026-03-05", "2026-08-27"];
pub(super) const SEGMENT: &str = "https://cdn.segment.com/analytics.js/v1/invented/analytics.min.js";
pub(super) const STRIPE: &str = "https://js.stripe.com/v3/";

pub(crate) fn company(seed: u64, domain: &str) -> Company {
    let dice = Dice::new(seed, &format!("company:{domain}"));
    let headcount = headcount(&dice);
    Company {
        domain: domain.to_owned(),
        name: name_of(domain),
        id: dice.between("id", 100_000, 9_999_999),
        listed: true,
        site: site(&dice),
        answer_delay: Duration::ZERO,
        company_type: if headcount > 10_000 { "Public Company" } else { "Privately Held" },
        industry: dice.known("industry", dice.pick("industry", &INDUSTRIES)),
        year_founded: dice.known("founded", dice.between("founded", 1985, 2025)),
        headcount: dice.known("headcount", headcount),
        headcount_growth: dice.known("growth", dice.fraction("growth", -200, 600) * 100.0).map(tenths),
        funding: funding(&dice, headcount),
        place: dice.known("place", dice.pick("place", &PLACES)),
        revenue: dice.known("revenue", (headcount * 60_000, headcount * 220_000)),
        visitors: dice.known("visitors", headcount * dice.between("visitors", 40, 900)),
        traffic_growth: dice.known("traffic", dice.fraction("traffic", -250, 450)),
        openings: dice.known("openings", headcount * dice.between("openings", 0, 12) / 100),
        technologies: dice.known("technologies", technologies(&dice)),
    }
}

/// One decimal, so that bodies do not carry the noise of binary fractions.
fn tenths(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

/// Most companies are small; two in a hundred are giants.
fn headcount(dice: &Dice) -> u64 {
    let (low, high) = match dice.between("size", 0, 99) {
        0..=24 => (1, 10),
        25..=54 => (11, 50),
        55..=74 => (51, 200),
        75..=89 => (201, 1_000),
        90..=97 => (1_001, 10_000),
        _ => (10_001, 120_000),
    };
    dice.between("headcount", low, high)
}

fn funding(dice: &Dice, headcount: u64) -> Funding {
    let rounds = match headcount {
        0..=10 => [None, None, Some("Pre Seed"), Some("Seed")],
        11..=50 => [None, Some("Seed"), Some("Seed"), Some("Series A")],
        51..=200 => [None, Some("Series A"), Some("Series A"), Some("Series B")],
        201..=1_000 => [Some("Private Equity"), Some("Series B"), Some("Series C"), Some("Series C")],
        1_001..=10_000 => [Some("Private Equity"), Some("Series C"), Some("Series D"), None],
        _ => [None; 4],
    };
    let Some(round) = dice.pick("round", &rounds) else {
        // Nothing was ever raised: the vendor says so only by leaving the round out.
        return Funding { total_usd: dice.known("raised", 0), ..Funding::default() };
    };
    let thousands = headcount * dice.between("raised", 60, 300);
    Funding {
        total_usd: dice.known("raised", thousands * 1_000),
        last_round: dice.known("round", round),
        last_date: dice.known("round date", dice.pick("round date", &DATES)),
    }
}

fn technologies(dice: &Dice) -> Vec<&'static str> {
    let mut found: Vec<&str> = TECHNOLOGIES.into_iter().filter(|name| dice.chance(name, 30)).collect();
    if found.is_empty() {
        found.push(dice.pick("technology", &TECHNOLOGIES));
    }
    found
}

fn site(dice: &Dice) -> Option<Site> {
    let mut scripts = vec![if dice.chance("first script", 50) { SEGMENT } else { STRIPE }];
    if dice.chance("second script", 30) {
        scripts = vec![SEGMENT, STRIPE];
    }
    let site = Site { generator: dice.pick("generator", &GENERATORS), scripts, security: dice.chance("security", 40) };
    dice.known("site", site)
}
