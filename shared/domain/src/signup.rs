//! A signup as every issuer's event is reduced to: who, from where, when, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::{Domain, Email, EmailKind, HashKey, KeyKind, LookupKey};
use crate::units::Timestamp;

/// What the person did (S3-04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Created an account.
    #[default]
    Signup,
    /// Joined a waitlist.
    Waitlist,
    /// Wrote to sales.
    ContactSales,
    /// Asked for a demo.
    DemoRequest,
    /// Activated a free tier.
    FreeTier,
}

impl Arrival {
    /// All arrivals.
    pub const ALL: [Self; 5] = [Self::Signup, Self::Waitlist, Self::ContactSales, Self::DemoRequest, Self::FreeTier];

    /// Reads the word a form sends as `signup_source`; an unknown one is a plain signup, its word kept beside it.
    #[must_use]
    pub fn of_source(source: &str) -> Self {
        match source.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "waitlist" => Self::Waitlist,
            "contact_sales" | "contact_us" | "enterprise_inquiry" => Self::ContactSales,
            "demo" | "demo_request" | "book_a_demo" => Self::DemoRequest,
            "free_tier" | "free" => Self::FreeTier,
            _ => Self::Signup,
        }
    }

    /// The word used in conditions and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Waitlist => "waitlist",
            Self::ContactSales => "contact_sales",
            Self::DemoRequest => "demo_request",
            Self::FreeTier => "free_tier",
        }
    }
}

/// One signup, verified and normalised. `Debug` names issuer and arrival only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signup {
    /// Who sent the event, such as `clerk` or `signup` (the plain form).
    pub issuer: String,
    /// The issuer's id of this delivery; the same id is the same run.
    pub delivery: String,
    /// What the person did.
    #[serde(default)]
    pub arrival: Arrival,
    /// The address, where the issuer knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Whether the issuer itself verified the address.
    #[serde(default)]
    pub email_verified: bool,
    /// The person's name as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The company as typed; messy (S3-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The job role as typed (S3-10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_role: Option<String>,
    /// The company's domain, where the form asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// A social profile URL (S3-52).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_url: Option<String>,
    /// The company's LinkedIn page, where somebody typed that instead of their own profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_linkedin_url: Option<String>,
    /// The identity a single sign-on provider asserted, `provider:subject` (S3-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_identity: Option<String>,
    /// The issuer's own id of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The word the form sent as its source, such as `free_trial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it happened, by the issuer's clock.
    pub occurred_at: Timestamp,
    /// Further values by name, for the custom fields that configuration declares.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, serde_json::Value>,
}

impl fmt::Debug for Signup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signup").field("issuer", &self.issuer).field("arrival", &self.arrival).finish_non_exhaustive()
    }
}

/// A signup that names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signup needs an email, a company domain, a social profile URL, or a name with a company")]
pub struct NobodyNamed;

impl Signup {
    /// The keys this signup can be looked up by, strongest first.
    #[must_use]
    pub fn lookup_keys(&self) -> Vec<LookupKey> {
        let mut keys = Vec::new();
        let mut push = |kind, value: &str| keys.push(LookupKey { kind, value: value.to_owned() });
        if let Some(url) = &self.social_url {
            push(KeyKind::SocialUrl, url);
        }
        if let Some(identity) = &self.sso_identity {
            push(KeyKind::SsoIdentity, identity);
        }
        let kind = self.email.as_ref().map(Email::kind);
        let email_domain = self.email.as_ref().filter(|_| names_company(kind)).map(Email::domain);
        if let (Some(email), Some(EmailKind::Work)) = (&self.email, kind) {
            push(KeyKind::BusinessEmail, email.expose());
        }
        if let Some(domain) = self.given_domain().or(email_domain.as_ref()) {
            push(KeyKind::Domain, domain.as_str());
        }
        if let (Some(email), Some(EmailKind::Personal)) = (&self.email, kind) {
            push(KeyKind::PersonalEmail, email.expose());
        }
        if let (Some(name), Some(company)) = (&self.name, &self.company_name) {
            push(KeyKind::NameAndCompany, &format!("{name}|{company}"));
        }
        if let Some(url) = &self.company_linkedin_url {
            push(KeyKind::CompanyLinkedinUrl, url);
        }
        if let Some(company) = &self.company_name {
            push(KeyKind::CompanyName, company);
        }
        if let Some(email) = &self.email {
            push(KeyKind::Email, email.expose());
        }
        if let Some(domain) = &email_domain {
            push(KeyKind::EmailDomain, domain.as_str());
        }
        keys
    }

    /// The company's domain: the one given, or that of a work or role address. A personal domain names no company.
    #[must_use]
    pub fn company_domain(&self) -> Option<Domain> {
        let email = || self.email.as_ref().filter(|email| names_company(Some(email.kind())));
        self.given_domain().cloned().or_else(|| email().map(Email::domain))
    }

    fn given_domain(&self) -> Option<&Domain> {
        self.domain.as_ref().filter(|domain| !domain.is_personal())
    }

    /// Checks that the signup names somebody (S3-47 as X-28 reads it).
    ///
    /// # Errors
    /// [`NobodyNamed`] when there is nothing to look up.
    pub fn check(&self) -> Result<(), NobodyNamed> {
        let name_with_company = self.name.is_some() && self.company_name.is_some();
        let person_named = self.email.is_some() || self.social_url.is_some() || self.sso_identity.is_some();
        let company_named = || self.company_domain().is_some() || self.company_linkedin_url.is_some();
        if person_named || name_with_company || company_named() { Ok(()) } else { Err(NobodyNamed) }
    }

    /// The id of the run that this delivery starts: the same delivery is the same run.
    #[must_use]
    pub fn run_id(&self, key: &HashKey) -> RunId {
        RunId(key.hash(&["run", &self.issuer, &self.delivery]))
    }

    /// The same signup as a delivery of its own, which looks up in the background what this one was not asked (S3-55).
    #[must_use]
    pub fn for_refresh(&self) -> Self {
        Self { delivery: format!("{}/refresh", self.delivery), ..self.clone() }
    }

    /// The hash under which the same person is recognised for an hour; `None` for a signup that names only a company,
    /// for two people of one company are not the same.
    #[must_use]
    pub fn identity(&self, key: &HashKey) -> Option<String> {
        let name_and_company = self.name.as_ref().zip(self.company_name.as_ref()).map(|(name, company)| format!("{name}|{company}"));
        let named = [
            ("email", self.email.as_ref().map(|email| email.expose().to_owned())),
            ("social_url", self.social_url.clone()),
            ("sso_identity", self.sso_identity.clone()),
            ("external_id", self.external_id.as_ref().map(|id| format!("{}:{id}", self.issuer))),
            ("name_and_company", name_and_company),
        ];
        let (kind, value) = named.into_iter().find_map(|(kind, value)| Some((kind, value?)))?;
        Some(key.hash(&["identity", kind, &value]))
    }

    /// A hash of what the signup says: another signup under the same delivery id is noticed by it. The parts are listed,
    /// so that a new field in a later version does not make strangers of the runs in flight; the moment is none of them,
    /// for it may be clamped to when the delivery came in.
    #[must_use]
    pub fn payload_hash(&self, key: &HashKey) -> String {
        let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let parts = [
            "payload-1".to_owned(),
            self.issuer.clone(),
            self.delivery.clone(),
            self.arrival.as_str().to_owned(),
            self.email.as_ref().map(|email| email.expose().to_owned()).unwrap_or_default(),
            text(&self.name),
            text(&self.company_name),
            text(&self.job_role),
            self.domain.as_ref().map(ToString::to_string).unwrap_or_default(),
            text(&self.social_url),
            text(&self.sso_identity),
            text(&self.external_id),
            text(&self.source),
            text(&self.company_linkedin_url),
        ];
        key.hash(&parts.each_ref().map(String::as_str))
    }
}

/// Whether the domain of an address of this kind is a company's: that of a mailbox provider tells nothing of anybody.
const fn names_company(kind: Option<EmailKind>) -> bool {
    matches!(kind, Some(EmailKind::Work | EmailKind::Role))
}

/// The name of a run: an HMAC, so that it can be shown and logged, and guessed by nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Takes an id that was shown before; it names a run only if that run exists.
    ///
    /// # Errors
    /// Anything but 43 URL-safe base64 characters is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidRunId> {
        let is_hash = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if is_hash { Ok(Self(text.to_owned())) } else { Err(InvalidRunId) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number that the id stands for, as evenly spread as the HMAC it is: a draw that comes out the same for ever.
    #[must_use]
    pub fn draw(&self) -> u64 {
        // The first 60 of its bits, by the alphabet of URL-safe base64.
        self.0.bytes().take(10).fold(0, |drawn, letter| drawn << 6 | u64::from(place_in_alphabet(letter)))
    }
}

const fn place_in_alphabet(letter: u8) -> u8 {
    match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        _ => 63,
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot be a run's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run id has 43 characters from A-Z a-z 0-9 - _")]
pub struct InvalidRunId;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> HashKey {
        HashKey::new(vec![1; 32]).unwrap()
    }

    fn from(email: &str) -> Signup {
        Signup { issuer: "signup".into(), delivery: "d1".into(), email: Some(Email::parse(email).unwrap()), ..Signup::default() }
    }

    #[test]
    fn x_20_keys_come_strongest_first() {
        let signup = Signup {
            social_url: Some("https://www.linkedin.com/in/jane".into()),
            name: Some("Jane".into()),
            company_name: Some("Acme".into()),
            ..from("jane@acme.io")
        };
        let kinds: Vec<KeyKind> = signup.lookup_keys().iter().map(|key| key.kind).collect();
        assert_eq!(
            kinds,
            [
                KeyKind::SocialUrl,
                KeyKind::BusinessEmail,
                KeyKind::Domain,
                KeyKind::NameAndCompany,
                KeyKind::CompanyName,
                KeyKind::Email,
                KeyKind::EmailDomain,
            ]
        );
        assert!(kinds.is_sorted());
    }

    #[test]
    fn the_domain_of_the_address_is_checked_whatever_domain_somebody_names() {
        let keys_of = |signup: &Signup| {
            let of_kind = |kind: KeyKind| signup.lookup_keys().into_iter().find(|key| key.kind == kind).map(|key| key.value);
            (of_kind(KeyKind::Domain), of_kind(KeyKind::EmailDomain))
        };
        let named = |email: &str| Signup { domain: Some(Domain::parse("google.com").unwrap()), ..from(email) };
        assert_eq!(keys_of(&named("jane@fresh.io")), (Some("google.com".to_owned()), Some("fresh.io".to_owned())));
        assert_eq!(keys_of(&named("jane@gmail.com")), (Some("google.com".to_owned()), None));
    }

    #[test]
    fn x_15_a_personal_address_gives_no_company_domain() {
        assert_eq!(from("jane@gmail.com").company_domain(), None);
        assert_eq!(from("jane@gmail.com").lookup_keys()[0].kind, KeyKind::PersonalEmail);
        assert_eq!(from("billing@acme.io").company_domain().unwrap().as_str(), "acme.io");
    }

    #[test]
    fn x_28_a_signup_that_names_nobody_is_refused() {
        assert_eq!(Signup::default().check(), Err(NobodyNamed));
        assert_eq!(Signup { name: Some("Jane".into()), ..Signup::default() }.check(), Err(NobodyNamed));
        let personal = Signup { domain: Some(Domain::parse("gmail.com").unwrap()), ..Signup::default() };
        assert_eq!(personal.check(), Err(NobodyNamed), "a personal domain names nobody");
        assert_eq!(Signup { name: Some("Jane".into()), company_name: Some("Acme".into()), ..Signup::default() }.check(), Ok(()));
    }

    #[test]
    fn x_01_the_same_delivery_is_the_same_run_and_another_delivery_is_not() {
        let (first, second) = (from("jane@acme.io"), Signup { delivery: "d2".into(), ..from("jane@acme.io") });
        assert_eq!(first.run_id(&key()), from("jane@acme.io").run_id(&key()));
        assert_ne!(first.run_id(&key()), second.run_id(&key()));
        assert_eq!(first.identity(&key()), second.identity(&key()));
        assert_ne!(first.payload_hash(&key()), second.payload_hash(&key()));
        assert_eq!(RunId::parse(first.run_id(&key()).as_str()), Ok(first.run_id(&key())));
    }

    #[test]
    fn debug_shows_no_person() {
        let text = format!("{:?}", Signup { name: Some("Canary Jones".into()), ..from("canary@acme.io") });
        assert!(!text.to_lowercase().contains("canary"), "{text}");
    }
}
