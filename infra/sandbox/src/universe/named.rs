//! The companies that the sample events and the demonstration talk about. All invented, all under `.example`.

use std::time::Duration;

use super::company::{Company, Funding, PLACES, Site, name_of};
use super::dice::Dice;
use super::invented::{SEGMENT, STRIPE};

/// The named company of a domain, if it is one of these.
pub(crate) fn company(seed: u64, domain: &str) -> Option<Company> {
    let base = plain(seed, domain);
    let company = match domain {
        "northwind-grid.example" => northwind_grid(base),
        "hexa-labs.example" | "newborn-works.example" => hexa_labs(base),
        "tinyforge.example" => tinyforge(base),
        "colossus-industries.example" => colossus_industries(base),
        "quietriver.example" => quietriver(base),
        "latepost.example" => latepost(base),
        "unlisted.example" => Company { listed: false, ..base },
        "ghost.example" => Company { listed: false, site: None, ..base },
        _ => return None,
    };
    Some(company)
}

/// A company of which only a home page is known.
fn plain(seed: u64, domain: &str) -> Company {
    Company {
        domain: domain.to_owned(),
        name: name_of(domain),
        id: Dice::new(seed, &format!("company:{domain}")).between("id", 100_000, 9_999_999),
        listed: true,
        site: Some(Site { generator: "Hugo 0.140", scripts: vec![SEGMENT], security: false }),
        answer_delay: Duration::ZERO,
        company_type: "Privately Held",
        industry: Some("Software Development"),
        year_founded: None,
        headcount: None,
        headcount_growth: None,
        funding: Funding::default(),
        place: None,
        revenue: None,
        visitors: None,
        traffic_growth: None,
        openings: None,
        technologies: None,
    }
}

/// The best lead: an enterprise that builds developer tools.
fn northwind_grid(base: Company) -> Company {
    Company {
        site: Some(Site { generator: "Next.js", scripts: vec![SEGMENT, STRIPE], security: true }),
        year_founded: Some(2014),
        headcount: Some(1_200),
        headcount_growth: Some(18.5),
        funding: round(185_000_000, "Series C", "2026-03-05"),
        place: Some(PLACES[0]),
        revenue: Some((120_000_000, 180_000_000)),
        visitors: Some(640_000),
        traffic_growth: Some(0.22),
        openings: Some(74),
        technologies: Some(vec!["aws", "kubernetes", "postgresql", "segment", "stripe", "terraform"]),
        ..base
    }
}

fn hexa_labs(base: Company) -> Company {
    Company {
        site: Some(Site { generator: "Next.js", scripts: vec![SEGMENT], security: true }),
        year_founded: Some(2019),
        headcount: Some(180),
        headcount_growth: Some(31.0),
        funding: round(42_000_000, "Series B", "2025-11-18"),
        place: Some(PLACES[1]),
        revenue: Some((14_000_000, 22_000_000)),
        visitors: Some(96_000),
        traffic_growth: Some(0.18),
        openings: Some(19),
        technologies: Some(vec!["aws", "python", "react", "segment"]),
        ..base
    }
}

/// Too small for sales, and shrinking.
fn tinyforge(base: Company) -> Company {
    Company {
        site: Some(Site { generator: "WordPress 6.6", scripts: vec![STRIPE], security: false }),
        year_founded: Some(2024),
        headcount: Some(4),
        headcount_growth: Some(0.0),
        funding: Funding { total_usd: Some(0), ..Funding::default() },
        place: Some(PLACES[4]),
        revenue: Some((100_000, 400_000)),
        visitors: Some(2_100),
        traffic_growth: Some(-0.05),
        openings: Some(0),
        technologies: Some(vec!["react", "stripe", "vercel"]),
        ..base
    }
}

/// The Fortune-500 case: too large for the seed score, public, no rounds.
fn colossus_industries(base: Company) -> Company {
    Company {
        company_type: "Public Company",
        industry: Some("Manufacturing"),
        year_founded: Some(1921),
        headcount: Some(84_000),
        headcount_growth: Some(1.2),
        place: Some(PLACES[2]),
        revenue: Some((21_000_000_000, 24_000_000_000)),
        visitors: Some(3_900_000),
        traffic_growth: Some(0.02),
        openings: Some(1_310),
        technologies: Some(vec!["azure", "salesforce", "snowflake"]),
        ..base
    }
}

fn quietriver(base: Company) -> Company {
    Company {
        year_founded: Some(2023),
        headcount: Some(35),
        headcount_growth: Some(40.0),
        funding: round(3_500_000, "Seed", "2026-03-05"),
        place: Some(PLACES[3]),
        revenue: Some((1_000_000, 2_000_000)),
        visitors: Some(12_000),
        traffic_growth: Some(0.08),
        openings: Some(3),
        technologies: Some(vec!["gcp", "postgresql", "react"]),
        ..base
    }
}

/// A good lead whose vendor takes three seconds.
fn latepost(base: Company) -> Company {
    Company {
        answer_delay: Duration::from_secs(3),
        year_founded: Some(2016),
        headcount: Some(700),
        headcount_growth: Some(12.0),
        funding: round(64_000_000, "Series B", "2025-04-22"),
        place: Some(PLACES[6]),
        revenue: Some((60_000_000, 90_000_000)),
        visitors: Some(210_000),
        traffic_growth: Some(0.11),
        openings: Some(28),
        technologies: Some(vec!["gcp", "kubernetes", "postgresql"]),
        ..base
    }
}

fn round(total_usd: u64, last_round: &'static str, last_date: &'static str) -> Funding {
    Funding { total_usd: Some(total_usd), last_round: Some(last_round), last_date: Some(last_date) }
}
