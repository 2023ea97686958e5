//! The canonical schema: every field a contact, an account or a lead can carry, its type and how fast it ages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of record (S0-01). A lead carries the fields of both others (S0-53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A person.
    Contact,
    /// A company.
    Account,
    /// A person with their company.
    Lead,
}

/// The type of a field's value; it decides how two sources are compared and what a condition may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Free text.
    Text,
    /// A word out of a small set, such as `series_a` or `vp`.
    Word,
    /// A decimal number.
    Number,
    /// Yes or no.
    Bool,
    /// A set of words.
    List,
    /// A calendar date, `2026-04-18`, optionally with a time.
    Date,
    /// A web address.
    Url,
    /// A registrable domain.
    Domain,
    /// An email address.
    Email,
    /// A phone number in E.164 form.
    Phone,
    /// A company's name; legal forms do not count when names are compared.
    CompanyName,
    /// A job title.
    Title,
}

/// How fast a field ages and how long it counts as fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// About a person: job, seniority, profile.
    Person,
    /// About a company: size, funding, technology.
    Company,
    /// A check of a phone number.
    Phone,
    /// A check of an address, consent, suppression, risk: anything of the moment.
    Check,
}

/// One field of the canonical schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Where it stands, such as `company.headcount`.
    pub path: Cow<'static, str>,
    /// What it holds.
    pub kind: FieldKind,
    /// How it ages.
    pub class: FieldClass,
}

/// The path of a field of the schema, such as `company.headcount`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Field(Cow<'static, str>);

impl Field {
    /// Names a field that is known to stand in the schema; the schema's tests keep the constants below honest.
    #[must_use]
    pub const fn known(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four channels a person can be reached by (S1-08), and the spellings of them that providers fill.
const CHANNELS: &[&str] = &[
    "contact.work_email",
    "contact.personal_email",
    "contact.phone",
    "contact.direct_phone",
    "contact.mobile_phone",
    "contact.linkedin_url",
];

/// Whether a field is a channel, which some vendors charge for one by one (S1-12).
#[must_use]
pub fn is_channel(field: &Field) -> bool {
    CHANNELS.contains(&field.as_str())
}

use FieldClass::{Check, Company, Person, Phone as PhoneCheck};
use FieldKind::{Bool, CompanyName, Date, Domain, Email, List, Number, Phone, Text, Title, Url, Word};

/// The canonical fields: path, type, ageing class. The comments name the feature lines that ask for them.
const FIELDS: &[(&str, FieldKind, FieldClass)] = &[
    // The signup itself (S3-32, S3-46, S4-24).
    ("signup.arrival", Word, Check),
    ("signup.issuer", Word, Check),
    ("signup.source", Word, Check),
    ("source.type", Word, Check),
    ("product", Word, Check),
    ("loan_amount", Number, Check),
    // Contact: professional (S0-38) and identity (S2-20, S3-08).
    ("contact.full_name", Text, Person),
    ("contact.first_name", Text, Person),
    ("contact.last_name", Text, Person),
    ("contact.title", Title, Person),
    ("contact.seniority", Word, Person),
    ("contact.department", Word, Person),
    ("contact.role", Word, Person),
    ("contact.tenure_months", Number, Person),
    ("contact.hiring_authority", Bool, Person),
    ("contact.location", Text, Person),
    ("contact.country", Word, Person),
    // Contact: details (S0-39, S1-08, S2-49, S2-50).
    ("contact.email", Email, Person),
    ("contact.work_email", Email, Person),
    ("contact.personal_email", Email, Person),
    ("contact.phone", Phone, Person),
    ("contact.direct_phone", Phone, Person),
    ("contact.mobile_phone", Phone, Person),
    // Contact: social (S0-40) and background (S0-41).
    ("contact.linkedin_url", Url, Person),
    ("contact.twitter", Text, Person),
    ("contact.github", Text, Person),
    ("contact.education", List, Person),
    ("contact.previous_companies", List, Person),
    ("contact.years_experience", Number, Person),
    // Contact: engagement (S0-42, S2-65).
    ("contact.email_status", Word, Check),
    ("contact.deliverability", Number, Check),
    ("engagement.score", Number, Check),
    ("engagement.last_at", Date, Check),
    // Account: firmographics (S0-43, S4-18).
    ("company.name", CompanyName, Company),
    ("company.domain", Domain, Company),
    ("company.legal_name", CompanyName, Company),
    ("company.description", Text, Company),
    ("company.industry", Word, Company),
    ("company.sub_industry", Word, Company),
    ("company.sic", Word, Company),
    ("company.naics", Word, Company),
    ("company.founded_year", Number, Company),
    ("company.years_in_business", Number, Company),
    ("company.type", Word, Company),
    // Account: size (S0-44).
    ("company.headcount", Number, Company),
    ("company.headcount_range", Word, Company),
    ("company.headcount_growth", Number, Company),
    ("company.revenue", Number, Company),
    ("company.revenue_range", Word, Company),
    // Account: location (S0-45).
    ("company.address", Text, Company),
    ("company.city", Text, Company),
    ("company.state", Text, Company),
    ("company.country", Word, Company),
    ("company.postal_code", Word, Company),
    ("company.locations", List, Company),
    // Account: online presence (S0-46).
    ("company.website", Url, Company),
    ("company.linkedin_url", Url, Company),
    ("company.twitter", Url, Company),
    ("company.facebook", Url, Company),
    ("company.crunchbase_url", Url, Company),
    // Account: financial (S0-47).
    ("company.funding_total", Number, Company),
    ("company.funding_stage", Word, Company),
    ("company.last_funding_at", Date, Company),
    ("company.investors", List, Company),
    ("company.ipo_status", Word, Company),
    // Account: organisation (S0-48).
    ("company.parent", CompanyName, Company),
    ("company.subsidiaries", List, Company),
    // Account: signals (S3-09, S3-14).
    ("company.web_traffic", Number, Company),
    ("company.traffic_trend_90d", Number, Company),
    ("company.job_postings", Number, Company),
    ("company.hiring", Bool, Company),
    ("company.sso", Bool, Company),
    ("company.soc2", Bool, Company),
    ("company.founder_pedigree", Bool, Company),
    // Technographics (S0-49…52).
    ("company.tech_stack", List, Company),
    ("company.cms", Word, Company),
    ("company.hosting", Word, Company),
    ("company.cdn", Word, Company),
    ("company.analytics", List, Company),
    ("company.crm", Word, Company),
    ("company.marketing_automation", Word, Company),
    ("company.helpdesk", Word, Company),
    ("company.erp", Word, Company),
    ("company.languages", List, Company),
    ("company.frameworks", List, Company),
    ("company.cloud_provider", Word, Company),
    ("company.email_provider", Word, Company),
    ("company.collaboration", List, Company),
    ("company.video_conferencing", Word, Company),
    // Phone check (S4-06).
    ("phone.valid", Bool, PhoneCheck),
    ("phone.type", Word, PhoneCheck),
    ("phone.carrier", Word, PhoneCheck),
    ("phone.prepaid", Bool, PhoneCheck),
    ("phone.risk_score", Number, PhoneCheck),
    // Email check (S4-08).
    ("email.kind", Word, Check),
    ("email.deliverable", Bool, Check),
    ("email.risk_score", Word, Check),
    ("email.domain_age_days", Number, Check),
    ("email.mx_found", Bool, Check),
    ("email.role_account", Bool, Check),
    ("email.disposable", Bool, Check),
    // Identity check (S4-10).
    ("identity.verified", Bool, Check),
    ("identity.confidence", Number, Check),
    ("identity.name_match", Bool, Check),
    ("identity.address_match", Bool, Check),
    ("identity.age_range", Word, Check),
    ("identity.deceased", Bool, Check),
    // Demographics (S4-12).
    ("demographics.income_range", Word, Person),
    ("demographics.home_owner", Bool, Person),
    ("demographics.home_value", Number, Person),
    ("demographics.marital_status", Word, Person),
    ("demographics.presence_of_children", Bool, Person),
    ("demographics.education", Word, Person),
    ("demographics.occupation", Word, Person),
    // Consent certificate (S4-14).
    ("trustedform.cert_id", Word, Check),
    ("trustedform.created_at", Date, Check),
    ("trustedform.age_seconds", Number, Check),
    ("trustedform.page_url", Url, Check),
    ("trustedform.consent_text", Text, Check),
    ("trustedform.score", Number, Check),
    // Suppression (S4-16).
    ("dnc.registered", Bool, Check),
    ("dnc.registration_date", Date, Check),
    ("litigation.history", Bool, Check),
    ("complaints.count", Number, Check),
    // Postal address (S4-20).
    ("address.line", Text, Person),
    ("address.city", Text, Person),
    ("address.state", Text, Person),
    ("address.postal_code", Word, Person),
    ("address.country", Word, Person),
    ("address.corrected", Bool, Check),
];

/// Other spellings of whole prefixes, read as the canonical one (X-33, S4-02, S3-56…60).
const PREFIX_ALIASES: &[(&str, &str)] = &[("person.", "contact."), ("account.", "company."), ("lead.", ""), ("appended.", "")];

/// Other spellings of single fields (S4-18, S4-23).
const ALIASES: &[(&str, &str)] = &[
    ("company.size", "company.headcount_range"),
    ("company.employee_count", "company.headcount"),
    ("phone_1", "contact.phone"),
    ("email_1", "contact.email"),
    ("contact.job_title", "contact.title"),
];

/// The words a condition may use for the lead's own score.
const SCORE_NAMES: &[&str] = &["score", "lead_score", "lead.score", "lead.lead_score"];

/// The schema in force: the canonical fields and the custom ones that configuration declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    custom: BTreeMap<String, FieldSpec>,
}

/// What a written path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A field of the schema.
    Field(Field),
    /// The lead's score, an interval.
    Score,
}

impl Schema {
    /// Adds a custom field such as `loan_tier`; a canonical field keeps its own type.
    ///
    /// # Errors
    /// Refuses a name that is canonical already, or that is not lower-case words joined by dots and underscores.
    pub fn declare(&mut self, path: &str, kind: FieldKind) -> Result<(), String> {
        if self.spec(path).is_some() {
            return Err(format!("`{path}` is a field already; custom fields need a name of their own"));
        }
        let is_name = !path.is_empty() && path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        if !is_name {
            return Err(format!(
                "`{path}` is not a field name; write lower-case words joined by dots and underscores, such as product.tier"
            ));
        }
        self.custom.insert(path.to_owned(), FieldSpec { path: Cow::Owned(path.to_owned()), kind, class: FieldClass::Check });
        Ok(())
    }

    /// Finds the field that a written path means, aliases included; `None` when there is none.
    #[must_use]
    pub fn resolve(&self, written: &str) -> Option<Resolved> {
        if SCORE_NAMES.contains(&written) {
            return Some(Resolved::Score);
        }
        self.spec(written).map(|spec| Resolved::Field(Field(spec.path)))
    }

    /// Finds the field that a written path means, or says which one may have been meant.
    ///
    /// # Errors
    /// The message to show, with the nearest field name.
    pub fn field(&self, written: &str) -> Result<Field, String> {
        match self.resolve(written) {
            Some(Resolved::Field(field)) => Ok(field),
            Some(Resolved::Score) => Err(format!("`{written}` is the lead's score; a field of the record is needed here")),
            None => Err(self.no_such_field(written)),
        }
    }

    /// The message for a path that is no field, with the nearest one that is.
    #[must_use]
    pub fn no_such_field(&self, written: &str) -> String {
        let names = FIELDS.iter().map(|(path, ..)| *path).chain(self.custom.keys().map(String::as_str));
        let nearest = names
            .map(|name| (strsim::jaro_winkler(written, name), name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, name)) => format!("`{written}` is not a field; did you mean `{name}`?"),
            None => format!("`{written}` is not a field; declare it under `fields:` or see docs/configuration.md for the list"),
        }
    }

    /// Type and class of a field; a path outside the schema reads as free text of the moment.
    #[must_use]
    pub fn kind_of(&self, field: &Field) -> (FieldKind, FieldClass) {
        self.spec(field.as_str()).map_or((FieldKind::Text, FieldClass::Check), |spec| (spec.kind, spec.class))
    }

    /// The canonical and custom fields in order of their path.
    pub fn fields(&self) -> impl Iterator<Item = FieldSpec> + '_ {
        let canonical = FIELDS.iter().map(|&(path, kind, class)| FieldSpec { path: Cow::Borrowed(path), kind, class });
        canonical.chain(self.custom.values().cloned())
    }

    fn spec(&self, written: &str) -> Option<FieldSpec> {
        self.exact(written)
            .or_else(|| {
                let (_, canonical) = ALIASES.iter().find(|(alias, _)| *alias == written)?;
                self.exact(canonical)
            })
            .or_else(|| {
                PREFIX_ALIASES.iter().find_map(|(prefix, canonical)| {
                    let rest = written.strip_prefix(prefix)?;
                    self.spec(&format!("{canonical}{rest}"))
                })
            })
    }

    fn exact(&self, path: &str) -> Option<FieldSpec> {
        let canonical = FIELDS.iter().find(|(known, ..)| *known == path);
        canonical
            .map(|&(path, kind, class)| FieldSpec { path: Cow::Borrowed(path), kind, class })
            .or_else(|| self.custom.get(path).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_stands_once() {
        let mut paths: Vec<&str> = FIELDS.iter().map(|(path, ..)| *path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn s0_38_to_53_and_what_scores_need_are_fields() {
        let schema = Schema::default();
        for path in [
            "contact.title",
            "contact.seniority",
            "contact.department",
            "contact.role",
            "contact.direct_phone",
            "contact.mobile_phone",
            "contact.github",
            "contact.education",
            "contact.previous_companies",
            "contact.years_experience",
            "contact.deliverability",
            "company.industry",
            "company.sub_industry",
            "company.sic",
            "company.naics",
            "company.founded_year",
            "company.headcount",
            "company.headcount_range",
            "company.revenue",
            "company.revenue_range",
            "company.address",
            "company.locations",
            "company.website",
            "company.crunchbase_url",
            "company.funding_total",
            "company.investors",
            "company.ipo_status",
            "company.parent",
            "company.subsidiaries",
            "company.legal_name",
            "company.cms",
            "company.hosting",
            "company.cdn",
            "company.analytics",
            "company.crm",
            "company.helpdesk",
            "company.erp",
            "company.languages",
            "company.frameworks",
            "company.cloud_provider",
            "company.email_provider",
            "company.collaboration",
            "company.video_conferencing",
            "contact.tenure_months",
            "company.web_traffic",
            "company.traffic_trend_90d",
            "company.job_postings",
            "company.hiring",
            "company.sso",
            "company.soc2",
            "company.founder_pedigree",
            "company.tech_stack",
            "address.postal_code",
            "engagement.score",
            "loan_amount",
            "source.type",
            "product",
        ] {
            assert!(schema.field(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn x_33_other_spellings_are_read_as_the_canonical_field() {
        let schema = Schema::default();
        for (written, canonical) in [
            ("lead.phone.carrier", "phone.carrier"),
            ("appended.phone.type", "phone.type"),
            ("person.seniority", "contact.seniority"),
            ("lead.phone_1", "contact.phone"),
            ("company.size", "company.headcount_range"),
        ] {
            assert_eq!(schema.field(written).unwrap().as_str(), canonical);
        }
        assert_eq!(schema.resolve("lead_score"), Some(Resolved::Score));
    }

    #[test]
    fn a_misspelt_field_gets_the_nearest_name() {
        let message = Schema::default().field("company.headcont").unwrap_err();
        assert_eq!(message, "`company.headcont` is not a field; did you mean `company.headcount`?");
    }

    #[test]
    fn custom_fields_are_declared_by_name_and_type() {
        let mut schema = Schema::default();
        schema.declare("product.tier", FieldKind::Word).unwrap();
        assert_eq!(schema.kind_of(&schema.field("product.tier").unwrap()).0, FieldKind::Word);
        assert!(schema.declare("company.name", FieldKind::Text).is_err());
        assert!(schema.declare("Product Tier", FieldKind::Text).is_err());
    }
}
