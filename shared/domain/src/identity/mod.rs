//! Who a signup is: addresses that mask themselves, their kind, and the keys people and companies are looked up by.

mod certificate;
mod disposable;
mod keys;
#[cfg(test)]
mod tests;

use std::fmt;

pub use certificate::{certificate_in, is_certificate_id};
pub use keys::{HashKey, KeyKind, LookupKey, WeakHashKey};
use serde::{Deserialize, Serialize};

/// A longer address is refused (RFC 5321 path limit less the angle brackets).
const EMAIL_MAX_BYTES: usize = 254;

/// Providers of personal mailboxes: their domain says nothing about an employer.
const PERSONAL_DOMAINS: &[&str] = &[
    "aol.com",
    "duck.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "t-online.de",
    "tutanota.com",
    "web.de",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
    "163.com",
    "126.com",
];

/// Mailbox names that belong to a function, not a person (RFC 2142 and the ones seen in signups).
const ROLE_NAMES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "careers",
    "compliance",
    "contact",
    "dev",
    "devops",
    "finance",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "invoices",
    "it",
    "jobs",
    "legal",
    "mail",
    "marketing",
    "media",
    "news",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "operations",
    "ops",
    "orders",
    "partners",
    "postmaster",
    "press",
    "privacy",
    "purchasing",
    "recruiting",
    "root",
    "sales",
    "security",
    "service",
    "support",
    "team",
    "test",
    "webmaster",
];

/// A syntactically valid email address, trimmed, lower-cased, its domain in ASCII form.
/// `Debug` and `Display` mask it; only [`Email::expose`] and serialization into an encrypted store show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what is wrong with the address, without repeating it.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        if text.len() > EMAIL_MAX_BYTES {
            return Err(InvalidAddress("an email address has at most 254 bytes"));
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress("an email address has an @ between mailbox and domain"))?;
        let domain = idna::domain_to_ascii(domain).map_err(|_| InvalidAddress("the part after the @ is not a domain name"))?;
        if Domain::parse(&domain).is_err() {
            return Err(InvalidAddress("the part after the @ is not a registrable domain"));
        }
        let address = format!("{}@{domain}", local.to_lowercase());
        if address.len() > EMAIL_MAX_BYTES || !email_address::EmailAddress::is_valid(&address) {
            return Err(InvalidAddress("not an email address by RFC 5321"));
        }
        Ok(Self(address))
    }

    /// The whole address. Never pass it to a log, an error or a URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The mailbox name, before the last `@`. Personal data like the whole.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain after the `@`, in ASCII form, with its subdomains.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The registrable domain of the address.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain(psl::domain_str(self.host()).unwrap_or(self.host()).to_owned())
    }

    /// Whether the address belongs to work, a personal mailbox, a throw-away service or a function.
    #[must_use]
    pub fn kind(&self) -> EmailKind {
        let domain = self.domain();
        if disposable::is_disposable(self.host()) {
            EmailKind::Disposable
        } else if domain.is_personal() {
            EmailKind::Personal
        } else if ROLE_NAMES.contains(&self.local()) {
            EmailKind::Role
        } else {
            EmailKind::Work
        }
    }
}

/// Why an address was refused; the text names the rule and never the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(&'static str);

/// What an address says about its owner (S3-70, S4-08, X-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// A person at a company's own domain.
    Work,
    /// A mailbox at a consumer provider.
    Personal,
    /// A throw-away address.
    Disposable,
    /// A function of a company, such as `billing@`.
    Role,
}

impl EmailKind {
    /// The word used in conditions and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Personal => "personal",
            Self::Disposable => "disposable",
            Self::Role => "role",
        }
    }
}

/// A registrable domain in ASCII form, such as `acme.co.uk` or `xn--mller-kva.de`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Domain(String);

impl Domain {
    /// Reads a domain out of a host name, a URL or an address typed by a person.
    ///
    /// # Errors
    /// Says why `text` holds no registrable domain.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.');
        let ascii = idna::domain_to_ascii(host).map_err(|_| InvalidAddress("not a domain name"))?;
        // The address of a version 6 has colons, at which the host was cut.
        if ascii.ends_with(|last: char| last.is_ascii_digit()) && ascii.parse::<std::net::IpAddr>().is_ok() {
            return Err(InvalidAddress("an IP address is not a company's domain"));
        }
        let registrable = psl::domain_str(&ascii).ok_or(InvalidAddress("not a registrable domain such as example.com"))?;
        let has_known_suffix = psl::suffix(ascii.as_bytes()).is_some_and(|suffix| suffix.is_known());
        if !has_known_suffix && !is_reserved_for_tests(registrable) {
            return Err(InvalidAddress("not a domain under a public suffix"));
        }
        Ok(Self(registrable.to_owned()))
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the domain hosts personal mailboxes, so that it names no company.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        PERSONAL_DOMAINS.contains(&self.as_str())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 2606 top-level names, which samples and the sandbox use.
fn is_reserved_for_tests(domain: &str) -> bool {
    domain.ends_with(".example") || domain.ends_with(".test")
}

/// A phone number in E.164 form, `+15125550100`. `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Reads an international number with its leading `+`; spaces, dots, dashes and brackets are dropped.
    ///
    /// # Errors
    /// A national number is refused: without a country it names nobody.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let digits = text.trim().strip_prefix('+').ok_or(InvalidAddress("a phone number starts with + and its country code"))?;
        let digits: String = digits.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
        let is_e164 = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if !is_e164 {
            return Err(InvalidAddress("a phone number has 8 to 15 digits after the + (E.164)"));
        }
        Ok(Self(format!("+{digits}")))
    }

    /// The whole number. Never pass it to a log, an error or a URL of ours; vendors who check numbers want them in theirs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The ten digits of a number under country code 1 (the United States, Canada and their neighbours).
    #[must_use]
    pub fn north_american(&self) -> Option<&str> {
        self.0.strip_prefix("+1").filter(|digits| digits.len() == 10)
    }
}

/// Gives a type of personal data its mask and its checked deserialization.
macro_rules! personal {
    ($type:ident, $mask:literal) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($mask)
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($mask)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}
personal!(Email, "[email]");
personal!(Phone, "[phone]");

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
