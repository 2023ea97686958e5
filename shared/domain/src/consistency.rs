//! Whether the fields of a lead fit each other (S0-86): pure questions over values, answered by the merge.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::identity::{Domain, Email};
use crate::schema::Field;
use crate::units::BasisPoints;
use crate::value::{Value, title};

/// What a check of consistency leaves of the confidence of a value that failed it.
pub(crate) const FACTOR_FAILED: BasisPoints = BasisPoints::new(7500);

/// A check that a value went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// Revenue divided by headcount is usual for the industry.
    RevenuePerHead,
    /// The work address is at the company's domain.
    EmailDomain,
    /// The title names the rung that the seniority says.
    TitleSeniority,
    /// `email.deliverable` says whether mail arrives (S0-87).
    Deliverability,
    /// `phone.valid` says whether the number exists (S0-87).
    PhoneCheck,
}

impl CheckName {
    /// What was compared, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RevenuePerHead => "revenue per head of the industry",
            Self::EmailDomain => "work email against the company's domain",
            Self::TitleSeniority => "title against seniority",
            Self::Deliverability => "deliverability",
            Self::PhoneCheck => "phone check",
        }
    }
}

/// How a check ended. One whose input is missing did not take place: that is no evidence, for or against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The values fit.
    Passed,
    /// They do not.
    Failed,
}

impl CheckOutcome {
    pub(crate) const fn of(fits: bool) -> Self {
        if fits { Self::Passed } else { Self::Failed }
    }
}

/// A check and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Check {
    /// The check.
    pub name: CheckName,
    /// How it ended.
    pub outcome: CheckOutcome,
}

impl Check {
    /// `deliverability passed`.
    #[must_use]
    pub fn words(self) -> String {
        let ended = if self.outcome == CheckOutcome::Passed { "passed" } else { "failed" };
        format!("{} {ended}", self.name.words())
    }
}

/// How the checks that concern a field end for `value`, with what is `known` of the other fields.
pub(crate) fn check<'a>(field: &Field, value: &'a Value, known: impl Fn(&'static str) -> Option<&'a Value>) -> Option<Check> {
    let (name, fits) = match field.as_str() {
        "company.headcount" => (CheckName::RevenuePerHead, revenue_fits(value, known("company.revenue")?, known("company.industry"))?),
        "company.revenue" => (CheckName::RevenuePerHead, revenue_fits(known("company.headcount")?, value, known("company.industry"))?),
        "contact.work_email" => (CheckName::EmailDomain, is_at(value, known("company.domain")?)?),
        "contact.title" => (CheckName::TitleSeniority, title_fits(value, known("contact.seniority")?)?),
        "contact.seniority" => (CheckName::TitleSeniority, title_fits(known("contact.title")?, value)?),
        _ => return None,
    };
    Some(Check { name, outcome: CheckOutcome::of(fits) })
}

/// The fields that [`check`] measures by this one.
pub(crate) fn measured_by(field: &Field) -> &'static [&'static str] {
    match field.as_str() {
        "company.headcount" => &["company.revenue"],
        "company.revenue" => &["company.headcount"],
        "company.industry" => &["company.headcount", "company.revenue"],
        "company.domain" => &["contact.work_email"],
        "contact.seniority" => &["contact.title"],
        "contact.title" => &["contact.seniority"],
        _ => &[],
    }
}

/// Yearly revenue per head in USD that is plausible for industries whose name has one of these words; the first row counts.
/// Wide on purpose: `company.revenue` is the lower bound of an estimate, and only what is absurd may cost confidence.
const REVENUE_PER_HEAD: &[(&[&str], i64, i64)] = &[
    (&["nonprofit", "charity", "education", "school", "government"], 2_000, 1_000_000),
    (&["restaurant", "restaurants", "hospitality", "hotel", "hotels", "cleaning", "childcare"], 5_000, 400_000),
    (&["bank", "banking", "insurance", "investment", "financial", "finance", "fintech", "capital"], 10_000, 20_000_000),
    (&["oil", "gas", "energy", "utilities", "mining", "petroleum", "commodities"], 20_000, 50_000_000),
    (&["wholesale", "trading", "distribution", "retail", "ecommerce", "automotive", "pharmaceutical", "biotechnology"], 10_000, 10_000_000),
    (&["software", "internet", "technology", "it", "saas", "computer"], 5_000, 3_000_000),
    (&["consulting", "staffing", "legal", "accounting", "marketing", "advertising", "services"], 10_000, 2_000_000),
];

/// The same for any other industry, and where the industry is not known.
const ANY_REVENUE_PER_HEAD: (i64, i64) = (5_000, 5_000_000);

/// `None` without people or revenue: a bound of zero says nothing, and a company before its first revenue is no anomaly.
fn revenue_fits(headcount: &Value, revenue: &Value, industry: Option<&Value>) -> Option<bool> {
    let (headcount, revenue) = (headcount.as_number()?, revenue.as_number()?);
    if headcount <= Decimal::ZERO || revenue <= Decimal::ZERO {
        return None;
    }
    let (low, high) = industry.map_or(ANY_REVENUE_PER_HEAD, revenue_per_head);
    let least = Decimal::from(low).checked_mul(headcount)?;
    let most = Decimal::from(high).checked_mul(headcount)?;
    Some((least..=most).contains(&revenue))
}

fn revenue_per_head(industry: &Value) -> (i64, i64) {
    let Value::Text(industry) = industry else { return ANY_REVENUE_PER_HEAD };
    let industry = industry.to_lowercase();
    let words: Vec<&str> = industry.split(|c: char| !c.is_alphanumeric()).collect();
    let row = REVENUE_PER_HEAD.iter().find(|(names, ..)| words.iter().any(|word| names.contains(word)));
    row.map_or(ANY_REVENUE_PER_HEAD, |&(_, low, high)| (low, high))
}

/// Registrable domains are compared: `jane@mail.acme.io` is at `acme.io`.
fn is_at(email: &Value, domain: &Value) -> Option<bool> {
    let (Value::Text(email), Value::Text(domain)) = (email, domain) else { return None };
    Some(Email::parse(email).ok()?.domain() == Domain::parse(domain).ok()?)
}

/// The rungs of the seniority vocabulary, lowest first; those beside each other in a row are one.
const RUNGS: &[&[&str]] = &[&["entry"], &["senior"], &["manager"], &["director"], &["vp"], &["c_level", "founder", "owner", "partner"]];

/// So many rungs apart contradict each other; fewer are read differently by different vendors, which is no evidence.
const RUNGS_APART: usize = 3;

fn title_fits(job_title: &Value, seniority: &Value) -> Option<bool> {
    let (Value::Text(job_title), Value::Text(seniority)) = (job_title, seniority) else { return None };
    let rung = |word: &str| RUNGS.iter().position(|words| words.contains(&word));
    let (said, named) = (rung(seniority)?, rung(rung_of_title(job_title)?)?);
    let apart = said.abs_diff(named);
    if apart == 0 { Some(true) } else { (apart >= RUNGS_APART).then_some(false) }
}

/// The rung that a title names beyond doubt; an `account manager` manages no people, so `manager` names none.
fn rung_of_title(job_title: &str) -> Option<&'static str> {
    const CHIEFS: &[&str] = &["ceo", "cfo", "chro", "cio", "ciso", "cmo", "coo", "cpo", "cro", "cto", "chief", "president"];
    let folded = title(job_title);
    let words: Vec<&str> = folded.split(' ').collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if has(&["assistant", "secretary", "office", "staff"]) {
        return None; // they may work for the rung that the title names
    }
    if has(&["vp", "svp", "evp"]) {
        return Some("vp");
    }
    if has(CHIEFS) || has(&["founder"]) {
        return Some("c_level");
    }
    if has(&["director"]) {
        return Some("director");
    }
    if has(&["senior", "lead", "principal"]) {
        return Some("senior");
    }
    has(&["intern", "internship", "junior", "trainee"]).then_some("entry")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(field: &'static str, value: &Value, others: &[(&'static str, Value)]) -> Option<CheckOutcome> {
        let known = |name: &'static str| others.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
        check(&Field::known(field), value, known).map(|check| check.outcome)
    }

    const PASSED: Option<CheckOutcome> = Some(CheckOutcome::Passed);
    const FAILED: Option<CheckOutcome> = Some(CheckOutcome::Failed);

    #[test]
    fn s0_86_headcount_is_held_against_revenue_for_the_industry() {
        let headcount = |revenue: i64, industry: &str| {
            let others = [("company.revenue", Value::number(revenue)), ("company.industry", Value::text(industry))];
            ended("company.headcount", &Value::number(200), &others)
        };
        assert_eq!(headcount(20_000_000, "software_development"), PASSED);
        assert_eq!(headcount(900_000, "software_development"), FAILED, "4,500 a head");
        assert_eq!(headcount(900_000, "non-profit; education"), PASSED, "usual in schools");
        assert_eq!(headcount(200_000_000, "restaurants"), FAILED, "a million a head");
        assert_eq!(headcount(200_000_000, "something new"), PASSED);
        assert_eq!(headcount(0, "restaurants"), None, "a bound of zero says nothing");
        assert_eq!(ended("company.headcount", &Value::number(200), &[]), None, "nothing to compare with is no evidence");
    }

    #[test]
    fn s0_86_both_ends_of_a_check_are_told_the_same() {
        for (headcount, revenue) in [(200, 20_000_000), (200, 1_000), (1, 80_000_000)] {
            let (headcount, revenue) = (Value::number(headcount), Value::number(revenue));
            let one = ended("company.headcount", &headcount, &[("company.revenue", revenue.clone())]);
            assert_eq!(one, ended("company.revenue", &revenue, &[("company.headcount", headcount)]));
            assert!(one.is_some());
        }
    }

    #[test]
    fn numbers_beyond_all_companies_are_no_evidence() {
        let others = [("company.revenue", Value::number(i64::MAX))];
        assert_eq!(ended("company.headcount", &Value::Number(Decimal::MAX), &others), None);
    }

    #[test]
    fn s0_86_a_work_address_is_held_against_the_companys_domain() {
        let email = |address: &str| ended("contact.work_email", &Value::text(address), &[("company.domain", Value::text("acme.io"))]);
        assert_eq!(email("jane@acme.io"), PASSED);
        assert_eq!(email("jane@mail.acme.io"), PASSED);
        assert_eq!(email("jane@gmail.com"), FAILED);
        assert_eq!(email("no address"), None);
    }

    #[test]
    fn s0_86_a_title_is_held_against_the_seniority() {
        let fits = |job_title: &str, seniority: &str| {
            ended("contact.title", &Value::text(job_title), &[("contact.seniority", Value::text(seniority))])
        };
        assert_eq!(fits("Vice President, Engineering", "vp"), PASSED);
        assert_eq!(fits("VP of Engineering", "entry"), FAILED);
        assert_eq!(fits("VP of Engineering", "director"), None, "vendors draw this line differently");
        assert_eq!(fits("Co-Founder & CEO", "founder"), PASSED);
        assert_eq!(fits("Assistant to the CEO", "entry"), None);
        assert_eq!(fits("Account Manager", "entry"), None);
        assert_eq!(fits("Engineer", "c_level"), None, "a title without a rung");
    }

    #[test]
    fn every_rung_is_a_word_of_the_schema() {
        let words = crate::schema::words_of(&Field::known("contact.seniority")).unwrap();
        let rungs: Vec<&str> = RUNGS.concat();
        assert!(rungs.iter().all(|rung| words.contains(rung)) && words.iter().all(|word| rungs.contains(word)));
    }
}
