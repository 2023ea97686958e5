//! The canonical schema: every field a contact, an account or a lead can carry, its type and how fast it ages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::EmailKind;
use crate::signup::Arrival;

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

/// The fields whose words are all known, with these words.
const VOCABULARIES: &[(&str, &[&str])] = &[
    ("signup.arrival", ARRIVALS),
    ("email.kind", EMAIL_KINDS),
    ("contact.seniority", SENIORITIES),
    ("phone.type", &["mobile", "landline", "voip"]), // S4-06
    ("company.funding_stage", FUNDING_STAGES),
];

/// What a person can have done (S3-04).
const ARRIVALS: &[&str] = &[
    Arrival::Signup.as_str(),
    Arrival::Waitlist.as_str(),
    Arrival::ContactSales.as_str(),
    Arrival::DemoRequest.as_str(),
    Arrival::FreeTier.as_str(),
];

/// What an address can be (S4-08).
const EMAIL_KINDS: &[&str] =
    &[EmailKind::Work.as_str(), EmailKind::Personal.as_str(), EmailKind::Disposable.as_str(), EmailKind::Role.as_str()];

/// The rungs that the normaliser `seniority` gives (S3-59).
const SENIORITIES: &[&str] = &["c_level", "vp", "founder", "owner", "partner", "director", "manager", "senior", "entry"];

/// The rungs that the normaliser `funding_stage` gives (S3-57). It keeps the names of rounds without a place on the
/// ladder, so the usual ones stand here too; a vendor's further one is added here before a rule can read it.
#[rustfmt::skip] // one letter a line would say no more
const FUNDING_STAGES: &[&str] = &[
    "pre_seed", "seed", "angel",
    "series_a", "series_b", "series_c", "series_d", "series_e", "series_f", "series_g", "series_h", "series_i",
    "series_j", "series_k", "series_l", "series_m", "series_n", "series_o", "series_p", "series_q", "series_r",
    "series_s", "series_t", "series_u", "series_v", "series_w", "series_x", "series_y", "series_z",
    "ipo", "debt", "grant", "acquired",
    "bridge", "convertible_note", "corporate_round", "equity_crowdfunding", "growth", "initial_coin_offering",
    "non_equity_assistance", "private_equity", "product_crowdfunding", "secondary_market", "venture",
];

/// All words that a field of a closed vocabulary can hold; `None` for a field that can hold others.
#[must_use]
pub fn words_of(field: &Field) -> Option<&'static [&'static str]> {
    VOCABULARIES.iter().find(|(path, _)| *path == field.as_str()).map(|(_, words)| *words)
}

/// The name most like a mistyped one; `None` when none is close.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    likeness.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Other spellings of whole prefixes, read as the canonical one (X-33, S4-02, S3-56…60).
const PREFIX_ALIASES: &[(&str, &str)] = &[("person.", "contact."), ("account.", "company."), ("lead.", ""), ("appended.", "")];

/// Other spellings of single fields (S4-02, S4-18, S4-23).
const ALIASES: &[(&str, &str)] = &[
    ("company.size", "company.headcount_range"),
    ("company.employee_count", "company.headcount"),
    ("phone_1", "contact.phone"),
    ("email_1", "contact.email"),
    ("contact.job_title", "contact.title"),
    ("email.score", "email.risk_score"),
];

/// The words a condition may use for the lead's own score.
const SCORE_NAMES: &[&str] = &["score", "lead_score", "lead.score", "lead.lead_score"];

/// The words of the condition language, which no field can be named by.
const RESERVED: &[&str] = &["and", "false", "has", "in", "not", "or", "true"];

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
    /// Refuses a name that is taken already, by a canonical field, the score or the condition language, and one that is
    /// not lower-case words joined by dots and underscores with a letter first: no condition could read it.
    pub fn declare(&mut self, path: &str, kind: FieldKind) -> Result<(), String> {
        if self.spec(path).is_some() {
            return Err(format!("`{path}` is a field already; custom fields need a name of their own"));
        }
        if SCORE_NAMES.contains(&path) {
            return Err(format!("`{path}` is the lead's score in conditions; custom fields need a name of their own"));
        }
        if RESERVED.contains(&path) {
            return Err(format!("`{path}` is a word of the condition language; custom fields need a name of their own"));
        }
        let is_name = path.starts_with(|c: char| c.is_ascii_lowercase())
            && path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        if !is_name {
            return Err(format!(
                "`{path}` is not a field name; begin with a letter and write lower-case words joined by dots and underscores, such as product.tier"
            ));
        }
        self.custom.insert(path.to_owned(), FieldSpec { path: Cow::Owned(path.to_owned()), kind, class: FieldClass::Check });
        Ok(())
    }

    /// Whether a field was declared in the configuration.
    #[must_use]
    pub fn is_custom(&self, field: &Field) -> bool {
        self.custom.contains_key(field.as_str())
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
        match nearest(written, names) {
            Some(name) => format!("`{written}` is not a field; did you mean `{name}`?"),
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

    /// The fields that each feature line names. S3-11…13 and the odd lines of S4-07…19 name uses, no fields.
    #[rustfmt::skip] // a feature line stays a line
    const ASKED_FOR: &[(&str, &str)] = &[
        ("S0-38", "contact.title contact.seniority contact.department contact.role"),
        ("S0-39", "contact.email contact.work_email contact.personal_email contact.phone contact.direct_phone contact.mobile_phone"),
        ("S0-40", "contact.linkedin_url contact.twitter contact.github"),
        ("S0-41", "contact.education contact.previous_companies contact.years_experience"),
        ("S0-42", "contact.email_status contact.deliverability"),
        ("S0-43", "company.industry company.sub_industry company.sic company.naics company.founded_year"),
        ("S0-44", "company.headcount company.headcount_range company.revenue company.revenue_range"),
        ("S0-45", "company.address company.city company.state company.country company.postal_code company.locations"),
        ("S0-46", "company.website company.linkedin_url company.twitter company.facebook company.crunchbase_url"),
        ("S0-47", "company.funding_total company.funding_stage company.last_funding_at company.investors company.ipo_status"),
        ("S0-48", "company.parent company.subsidiaries company.legal_name company.description"),
        ("S0-49", "company.cms company.hosting company.cdn company.analytics"),
        ("S0-50", "company.crm company.marketing_automation company.helpdesk company.erp"),
        ("S0-51", "company.languages company.frameworks company.cloud_provider"),
        ("S0-52", "company.email_provider company.collaboration company.video_conferencing"),
        ("S0-53", "contact.full_name contact.first_name contact.last_name company.name company.domain"),
        ("S3-07", "company.headcount company.industry company.funding_stage company.country company.tech_stack"),
        ("S3-08", "contact.title contact.seniority contact.tenure_months contact.linkedin_url"),
        ("S3-09", "company.web_traffic company.job_postings company.hiring"),
        ("S3-10", "contact.full_name contact.personal_email contact.role company.name"),
        ("S3-14", "company.headcount company.funding_stage company.tech_stack company.sso company.soc2 company.traffic_trend_90d company.founder_pedigree"),
        ("S4-06", "phone.valid phone.type phone.carrier phone.prepaid phone.risk_score"),
        ("S4-08", "email.kind email.deliverable email.risk_score email.domain_age_days email.mx_found email.role_account email.disposable"),
        ("S4-10", "identity.verified identity.confidence identity.name_match identity.address_match identity.age_range identity.deceased"),
        ("S4-12", "demographics.income_range demographics.home_owner demographics.home_value demographics.marital_status demographics.presence_of_children demographics.education demographics.occupation"),
        ("S4-14", "trustedform.cert_id trustedform.created_at trustedform.age_seconds trustedform.page_url trustedform.consent_text trustedform.score"),
        ("S4-16", "dnc.registered dnc.registration_date litigation.history complaints.count"),
        ("S4-18", "company.name company.size company.revenue company.industry company.years_in_business"),
        ("S4-20", "address.line address.city address.state address.postal_code address.country address.corrected"),
    ];

    #[test]
    fn s0_38_to_53_s3_07_to_14_and_s4_06_to_20_are_fields() {
        let schema = Schema::default();
        for (feature, paths) in ASKED_FOR {
            for path in paths.split(' ') {
                assert!(schema.field(path).is_ok(), "{feature}: {path}");
            }
        }
        for path in ["engagement.score", "loan_amount", "source.type", "product"] {
            assert!(schema.field(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn x_33_and_s4_02_other_spellings_are_read_as_the_canonical_field() {
        let schema = Schema::default();
        for (written, canonical) in [
            ("lead.phone.carrier", "phone.carrier"),
            ("lead.email.score", "email.risk_score"), // S4-02
            ("lead.address.corrected", "address.corrected"),
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
        for (taken, why) in [
            ("company.name", "is a field already"),
            ("lead.email.score", "is a field already"),
            ("score", "is the lead's score"),
            ("lead_score", "is the lead's score"),
            ("in", "is a word of the condition language"),
            ("true", "is a word of the condition language"),
            ("Product Tier", "is not a field name"),
            ("2nd_product", "begin with a letter"),
            ("_tier", "begin with a letter"),
            ("", "is not a field name"),
        ] {
            let message = schema.declare(taken, FieldKind::Text).unwrap_err();
            assert!(message.contains(why), "{taken}: {message}");
        }
    }

    #[test]
    fn every_vocabulary_belongs_to_a_word_field_and_holds_what_the_core_itself_writes() {
        let schema = Schema::default();
        for (path, words) in VOCABULARIES {
            assert_eq!(schema.kind_of(&schema.field(path).unwrap()).0, FieldKind::Word, "{path}");
            let mut once = words.to_vec();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), words.len(), "{path} names a word twice");
        }
        assert_eq!(ARRIVALS, Arrival::ALL.map(Arrival::as_str));
        assert_eq!(words_of(&Field::known("company.cms")), None, "a vendor may name any product");
    }
}
