use super::fields::ARRIVALS;
use super::*;
use crate::signup::Arrival;

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
    ("S3-14", "company.headcount company.funding_stage company.tech_stack"),
    ("S3-14", "company.sso company.soc2 company.traffic_trend_90d company.founder_pedigree"),
    ("S3-72", "fraud.company_at_domain email.domain_exists"),
    ("S3-73", "fraud.email_of_person"),
    ("S3-74", "fraud.domain_age_plausible email.domain_registered_at"),
    ("S4-06", "phone.valid phone.type phone.carrier phone.prepaid phone.risk_score"),
    ("S4-08", "email.kind email.deliverable email.risk_score email.domain_age_days email.mx_found email.role_account email.disposable"),
    ("S4-10", "identity.verified identity.confidence identity.name_match identity.address_match identity.age_range identity.deceased"),
    ("S4-12", "demographics.income_range demographics.home_owner demographics.home_value"),
    ("S4-12", "demographics.marital_status demographics.presence_of_children demographics.education demographics.occupation"),
    ("S4-14", "trustedform.cert_id trustedform.created_at trustedform.age_seconds"),
    ("S4-14", "trustedform.page_url trustedform.consent_text trustedform.score"),
    ("S4-16", "dnc.registered dnc.registration_date litigation.history complaints.count"),
    ("S4-18", "company.name company.size company.revenue company.industry company.years_in_business"),
    ("S4-46", "fraud.risk_score litigation.history customer.previous"),
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

#[test]
fn s0_72_what_is_looked_up_follows_from_the_class_of_the_operation() {
    let entities = [FieldClass::Company, FieldClass::Person, FieldClass::Phone, FieldClass::Check].map(Entity::of_class);
    assert_eq!(entities, [Entity::Account, Entity::Contact, Entity::Contact, Entity::Lead]);
}
