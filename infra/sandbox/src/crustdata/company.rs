//! A company as the vendor writes it.

use serde_json::{Map, Value, json};

use super::call::Found;
use crate::universe::{Company, Universe};

const BY_DOMAIN: &str = "domain";
/// Stands beside the sections, whatever was asked for.
pub(crate) const ID: &str = "crustdata_company_id";

pub(crate) const IDENTIFIERS: &[(&str, &str)] = &[
    ("domains", BY_DOMAIN),
    ("names", "name"),
    ("professional_network_profile_urls", "professional_network_profile_url"),
    ("crustdata_company_ids", ID),
];
pub(crate) const SECTIONS: &[&str] =
    &["basic_info", "headcount", "funding", "locations", "taxonomy", "revenue", "hiring", "web_traffic", "technographics", "people"];

pub(crate) fn find(universe: &Universe, match_type: &str, key: &str) -> Option<Found> {
    if match_type != BY_DOMAIN {
        return None;
    }
    let company = universe.company(key).filter(|company| company.listed)?;
    Some(Found { sections: sections(&company), match_score: 1.0, delay: company.answer_delay })
}

fn sections(company: &Company) -> Map<String, Value> {
    let funding = &company.funding;
    let sections = [
        ("basic_info", basic_info(company)),
        (ID, json!(company.id)),
        ("headcount", json!({"total": company.headcount, "growth_percent": company.headcount_growth})),
        (
            "funding",
            json!({
                "total_investment_usd": funding.total_usd,
                "last_round_type": funding.last_round,
                "last_fundraise_date": funding.last_date,
            }),
        ),
        ("locations", locations(company)),
        ("taxonomy", taxonomy(company)),
        ("revenue", revenue(company)),
        ("hiring", json!({"openings": company.openings})),
        ("web_traffic", json!({"monthly_visitors": company.visitors, "growth_90d": company.traffic_growth})),
        ("technographics", json!({"technologies": company.technologies})),
        ("people", json!({})),
    ];
    sections.into_iter().map(|(name, section)| (name.to_owned(), section)).collect()
}

fn basic_info(company: &Company) -> Value {
    json!({
        "name": company.name,
        "primary_domain": company.domain,
        "all_domains": [company.domain],
        "website": format!("https://{}/", company.domain),
        "professional_network_url": format!("https://www.linkedin.com/company/{}", company.handle()),
        "year_founded": company.year_founded.map(year_text),
        "company_type": company.company_type,
        "employee_count_range": company.employee_range(),
        "industries": company.industry.into_iter().collect::<Vec<_>>(),
    })
}

/// A string, sometimes `2017` and sometimes `2017-01-01`, as the vendor has it.
fn year_text(year: u64) -> String {
    if year.is_multiple_of(2) { year.to_string() } else { format!("{year}-01-01") }
}

fn locations(company: &Company) -> Value {
    let place = company.place;
    json!({
        "hq_country": place.map(|place| place.country),
        "hq_state": place.map(|place| place.state),
        "hq_city": place.map(|place| place.city),
        "headquarters": place.map(|place| format!("{}, {}, {}", place.city, place.state, place.country_name)),
    })
}

fn taxonomy(company: &Company) -> Value {
    json!({"professional_network_industry": company.industry, "categories": company.industry.into_iter().collect::<Vec<_>>()})
}

fn revenue(company: &Company) -> Value {
    json!({"estimated": {
        "lower_bound_usd": company.revenue.map(|(low, _)| low),
        "upper_bound_usd": company.revenue.map(|(_, high)| high),
    }})
}
