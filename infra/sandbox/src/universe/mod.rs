//! Everybody and everything that exists in the sandbox. All of it is invented.

mod company;
mod dice;
mod invented;
mod mailbox;
mod named;
mod person;

pub(crate) use company::{Company, Site};
pub(crate) use person::{Person, email_of_profile, profile_url};

/// Answers who somebody is; the same seed gives the same answers, in any order of asking.
pub(crate) struct Universe {
    seed: u64,
}

impl Universe {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The company of a domain; `None` for mailbox hosts such as `gmail.com`, and for what is no domain.
    pub(crate) fn company(&self, domain: &str) -> Option<Company> {
        let domain = normal_domain(domain);
        if mailbox::is_mailbox_host(&domain) || !domain.contains('.') || domain.split('.').any(str::is_empty) {
            return None;
        }
        Some(named::company(self.seed, &domain).unwrap_or_else(|| invented::company(self.seed, &domain)))
    }

    /// The person behind an email; `None` where the vendor knows nobody.
    pub(crate) fn person(&self, email: &str) -> Option<Person> {
        let email = email.trim().to_lowercase();
        let (local, domain) = email.split_once('@')?;
        if local.is_empty() {
            return None;
        }
        if mailbox::is_mailbox_host(domain) {
            return person::freelancer(self.seed, local, domain);
        }
        if mailbox::is_role(local) {
            return None;
        }
        let company = self.company(domain).filter(|company| company.listed)?;
        Some(person::employee(self.seed, local, company))
    }
}

/// Lower case, without a scheme, a `www.` or a path.
fn normal_domain(domain: &str) -> String {
    let lower = domain.trim().to_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).trim_end_matches('.').to_owned()
}
