//! The tables of the schema: fields, closed vocabularies, other spellings.

use super::{FieldClass, FieldKind};
use crate::identity::EmailKind;
use crate::signup::Arrival;

use super::FieldClass::{Check, Company, Person, Phone as PhoneCheck};
use super::FieldKind::{Bool, CompanyName, Date, Domain, Email, List, Number, Phone, Text, Title, Url, Word};

/// The canonical fields: path, type, ageing class. The comments name the feature lines that ask for them.
pub(super) const FIELDS: &[(&str, FieldKind, FieldClass)] = &[
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
    // When it was registered does not change, so it is kept as long as a company's facts; the age is derived from it.
    ("email.domain_registered_at", Date, Company),
    ("email.domain_age_days", Number, Check),
    ("email.domain_exists", Bool, Check),
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
    // Credit: one word of a vendor of yours, for finance products (S4-45).
    ("credit.indicator", Word, Check),
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
    // Fraud: derived (S3-72, S3-73, S3-74), and a vendor's score from 0 to 100 (S4-46).
    ("fraud.company_at_domain", Bool, Check),
    ("fraud.email_of_person", Bool, Check),
    ("fraud.domain_age_plausible", Bool, Check),
    ("fraud.risk_score", Number, Check),
    // Customer: whether they were one before (S4-46).
    ("customer.previous", Bool, Check),
    // Postal address (S4-20).
    ("address.line", Text, Person),
    ("address.city", Text, Person),
    ("address.state", Text, Person),
    ("address.postal_code", Word, Person),
    ("address.country", Word, Person),
    ("address.corrected", Bool, Check),
];

/// The fields whose words are all known, with these words.
pub(super) const VOCABULARIES: &[(&str, &[&str])] = &[
    ("signup.arrival", ARRIVALS),
    ("email.kind", EMAIL_KINDS),
    ("contact.seniority", SENIORITIES),
    ("phone.type", &["mobile", "landline", "voip"]), // S4-06
    ("company.funding_stage", FUNDING_STAGES),
];

/// What a person can have done (S3-04).
pub(super) const ARRIVALS: &[&str] = &[
    Arrival::Signup.as_str(),
    Arrival::Waitlist.as_str(),
    Arrival::ContactSales.as_str(),
    Arrival::DemoRequest.as_str(),
    Arrival::FreeTier.as_str(),
];

/// What an address can be (S4-08).
pub(super) const EMAIL_KINDS: &[&str] =
    &[EmailKind::Work.as_str(), EmailKind::Personal.as_str(), EmailKind::Disposable.as_str(), EmailKind::Role.as_str()];

/// The rungs that the normaliser `seniority` gives (S3-59).
pub(super) const SENIORITIES: &[&str] = &["c_level", "vp", "founder", "owner", "partner", "director", "manager", "senior", "entry"];

/// The rungs that the normaliser `funding_stage` gives (S3-57). It keeps the names of rounds without a place on the
/// ladder, so the usual ones stand here too; a vendor's further one is added here before a rule can read it.
#[rustfmt::skip] // one letter a line would say no more
pub(super) const FUNDING_STAGES: &[&str] = &[
    "pre_seed", "seed", "angel",
    "series_a", "series_b", "series_c", "series_d", "series_e", "series_f", "series_g", "series_h", "series_i",
    "series_j", "series_k", "series_l", "series_m", "series_n", "series_o", "series_p", "series_q", "series_r",
    "series_s", "series_t", "series_u", "series_v", "series_w", "series_x", "series_y", "series_z",
    "ipo", "debt", "grant", "acquired",
    "bridge", "convertible_note", "corporate_round", "equity_crowdfunding", "growth", "initial_coin_offering",
    "non_equity_assistance", "private_equity", "product_crowdfunding", "secondary_market", "venture",
];

/// Other spellings of whole prefixes, read as the canonical one (X-33, S4-02, S3-56…60).
pub(super) const PREFIX_ALIASES: &[(&str, &str)] = &[("person.", "contact."), ("account.", "company."), ("lead.", ""), ("appended.", "")];

/// Other spellings of single fields (S3-56…60, S4-02, S4-18, S4-23).
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("company.size", "company.headcount_range"),
    ("company.employee_count", "company.headcount"),
    ("phone_1", "contact.phone"),
    ("email_1", "contact.email"),
    ("contact.job_title", "contact.title"),
    // What the vendor's script calls the hidden input of a form.
    ("xxTrustedFormCertUrl", "trustedform.cert_id"),
    ("email.score", "email.risk_score"),
    ("headcount", "company.headcount"),
    ("funding_stage", "company.funding_stage"),
    ("tech_stack", "company.tech_stack"),
    ("seniority", "contact.seniority"),
    ("traffic_trend_90d", "company.traffic_trend_90d"),
];

/// The words a condition may use for the lead's own score.
pub(super) const SCORE_NAMES: &[&str] = &["score", "lead_score", "lead.score", "lead.lead_score"];

/// The words of the condition language, which no field can be named by.
pub(super) const RESERVED: &[&str] = &["and", "false", "has", "in", "not", "or", "true"];
