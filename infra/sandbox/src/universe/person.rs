//! Invented people: who is behind an email.

use super::company::{Company, PLACES, capitalised};
use super::dice::Dice;

/// A person. `None` is what the vendor does not have.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) title: Option<&'static str>,
    /// The vendor's word: `CXO`, `VP`, `Director`, `Manager`, `Senior`, `Entry`.
    pub(crate) seniority: Option<&'static str>,
    pub(crate) country: Option<&'static str>,
    pub(crate) started: Option<&'static str>,
    /// `None` for a freelancer.
    pub(crate) employer: Option<Employer>,
    pub(crate) has_profile: bool,
    /// Between 0 and 1.
    pub(crate) match_score: f64,
}

pub(crate) struct Employer {
    pub(crate) name: String,
    pub(crate) domain: String,
}

const JOBS: [(&str, &str); 10] = [
    ("Software engineer", "Entry"),
    ("Senior software engineer", "Senior"),
    ("Staff engineer", "Senior"),
    ("Engineering manager", "Manager"),
    ("Product manager", "Manager"),
    ("Director of Engineering", "Director"),
    ("Director of Platform", "Director"),
    ("VP Engineering", "VP"),
    ("Chief Technology Officer", "CXO"),
    ("Marketing associate", "Entry"),
];
const STARTS: [&str; 5] = ["2019-09-01", "2021-04-01", "2022-11-01", "2024-02-01", "2025-06-01"];

/// The samples' people: local part, domain, title, seniority.
const NAMED: &[(&str, &str, &str, &str)] = &[
    ("dana.cho", "northwind-grid.example", "VP Engineering", "VP"),
    ("lee.park", "hexa-labs.example", "Director of Platform", "Director"),
    ("sam", "tinyforge.example", "Software engineer", "Entry"),
    ("ada", "colossus-industries.example", "Chief Procurement Officer", "CXO"),
];

/// Somebody who works at a company.
pub(crate) fn employee(seed: u64, local: &str, company: Company) -> Person {
    let email = format!("{local}@{}", company.domain);
    let dice = Dice::new(seed, &format!("person:{email}"));
    let named = NAMED.iter().find(|(who, domain, ..)| *who == local && *domain == company.domain);
    let vp = (local == "vp").then_some(("VP Engineering", "VP"));
    let fixed = named.map(|(_, _, title, seniority)| (*title, *seniority)).or(vp);
    let (title, seniority) = match fixed {
        Some((title, seniority)) => (Some(title), Some(seniority)),
        None => {
            let (title, seniority) = dice.pick("job", &JOBS);
            (dice.known("title", title), dice.known("seniority", seniority))
        }
    };
    let country = company.place.map_or_else(|| dice.pick("country", &PLACES).country_name, |place| place.country_name);
    Person {
        name: if local == "vp" { "Vera Prill".to_owned() } else { capitalised(local) },
        title,
        seniority,
        country: if fixed.is_some() { Some(country) } else { dice.known("country", country) },
        started: if fixed.is_some() { Some(STARTS[3]) } else { dice.known("started", dice.pick("started", &STARTS)) },
        employer: Some(Employer { name: company.name, domain: company.domain }),
        has_profile: fixed.is_some() || !dice.chance("no profile", 10),
        match_score: dice.fraction("match", 820, 990),
        email,
    }
}

/// The one person whom the vendor knows behind a private mailbox.
pub(crate) fn freelancer(seed: u64, local: &str, domain: &str) -> Option<Person> {
    if (local, domain) != ("mira.codes", "gmail.com") {
        return None;
    }
    let email = format!("{local}@{domain}");
    Some(Person {
        name: "Mira Codes".to_owned(),
        title: Some("Freelance developer"),
        seniority: Some("Entry"),
        country: Some("Germany"),
        started: None,
        employer: None,
        has_profile: true,
        match_score: Dice::new(seed, &email).fraction("match", 820, 990),
        email,
    })
}

const HANDLE: &str = "https://www.linkedin.com/in/invented-";

/// A profile address that leads to nobody real, and from which the email can be read back.
pub(crate) fn profile_url(person: &Person) -> Option<String> {
    let (local, domain) = person.email.split_once('@')?;
    person.has_profile.then(|| format!("{HANDLE}{}-at-{}", local.replace('.', "-"), domain.replace('.', "--")))
}

/// The email behind one of our profile addresses.
pub(crate) fn email_of_profile(url: &str) -> Option<String> {
    let lower = url.trim().trim_end_matches('/').to_lowercase();
    let (local, domain) = lower.strip_prefix(HANDLE)?.split_once("-at-")?;
    Some(format!("{}@{}", local.replace('-', "."), domain.replace("--", ".")))
}

#[cfg(test)]
mod tests {
    use super::super::Universe;
    use super::*;

    #[test]
    fn a_profile_address_leads_back_to_its_person() {
        let person = Universe::new(1).person("dana.cho@northwind-grid.example").unwrap();
        let url = profile_url(&person).unwrap();
        assert!(url.contains("invented"));
        assert_eq!(email_of_profile(&url).as_deref(), Some("dana.cho@northwind-grid.example"));
        assert_eq!(email_of_profile("https://www.linkedin.com/in/somebody"), None);
    }
}
