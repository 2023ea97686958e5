//! The keys people and companies are looked up by, and the secret under which they are hashed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The secret under which people are hashed, so that a table never holds an address as a key.
pub struct HashKey(SecretBox<Vec<u8>>);

impl HashKey {
    /// A key of at least 16 bytes.
    ///
    /// # Errors
    /// A shorter key could be guessed and is refused.
    pub fn new(bytes: Vec<u8>) -> Result<Self, WeakHashKey> {
        if bytes.len() < 16 {
            return Err(WeakHashKey);
        }
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }

    /// HMAC-SHA256 over the parts, each preceded by its length so that no two lists collide; 43 URL-safe characters.
    #[must_use]
    pub fn hash(&self, parts: &[&str]) -> String {
        let mut mac = self.mac();
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length, so this cannot fail")]
    fn mac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes any key length")
    }
}

/// A hash key that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash key needs at least 16 bytes")]
pub struct WeakHashKey;

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey([secret])")
    }
}

/// The ways a person or company can be looked up, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A person's social profile URL.
    SocialUrl,
    /// The identity asserted by a single sign-on provider.
    SsoIdentity,
    /// An address at a company's domain.
    BusinessEmail,
    /// A company's registrable domain.
    Domain,
    /// An address at a consumer provider.
    PersonalEmail,
    /// A person's name with the company's.
    NameAndCompany,
    /// A company's LinkedIn page.
    CompanyLinkedinUrl,
    /// A company's name alone; low confidence.
    CompanyName,
    /// An address of any kind, for checks of the address itself; it identifies nobody beyond the keys above.
    Email,
    /// The domain of a work or role address, for checks of the address's domain: whatever company somebody names beside it.
    EmailDomain,
    /// A phone number in E.164 form, for checks of the number itself.
    Phone,
    /// The ten digits of a number under country code 1, for vendors who know no other numbers.
    NorthAmericanPhone,
    /// The id of a consent certificate (S4-14).
    Certificate,
}

impl KeyKind {
    /// The word used in connectors and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SocialUrl => "social_url",
            Self::SsoIdentity => "sso_identity",
            Self::BusinessEmail => "business_email",
            Self::Domain => "domain",
            Self::PersonalEmail => "personal_email",
            Self::NameAndCompany => "name_and_company",
            Self::CompanyLinkedinUrl => "company_linkedin_url",
            Self::CompanyName => "company_name",
            Self::Email => "email",
            Self::EmailDomain => "email_domain",
            Self::Phone => "phone",
            Self::NorthAmericanPhone => "north_american_phone",
            Self::Certificate => "certificate",
        }
    }

    /// The fields that give a key of this kind as soon as somebody tells one, the best first (S3-50).
    #[must_use]
    pub const fn given_by(self) -> &'static [&'static str] {
        match self {
            Self::Domain => &["company.domain"],
            Self::Phone | Self::NorthAmericanPhone => &["contact.phone", "contact.direct_phone", "contact.mobile_phone"],
            Self::Certificate => &["trustedform.cert_id"],
            Self::SocialUrl | Self::SsoIdentity | Self::BusinessEmail | Self::PersonalEmail | Self::Email | Self::EmailDomain => &[],
            Self::NameAndCompany | Self::CompanyLinkedinUrl | Self::CompanyName => &[],
        }
    }
}

/// One key a provider can be asked by. `Debug` shows the kind only: the value may name a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LookupKey {
    /// How the provider is asked.
    pub kind: KeyKind,
    /// What it is asked for, in normal form.
    pub value: String,
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupKey({})", self.kind.as_str())
    }
}
