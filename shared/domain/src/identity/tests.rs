use proptest::prelude::*;

use super::*;

#[test]
fn an_address_is_lower_cased_and_its_domain_made_ascii() {
    let email = Email::parse(" Jane.Doe+Trial@MÜLLER.de ").unwrap();
    assert_eq!(email.expose(), "jane.doe+trial@xn--mller-kva.de");
    assert_eq!(email.domain().as_str(), "xn--mller-kva.de");
}

#[test]
fn quoted_mailboxes_are_addresses_too() {
    assert!(Email::parse("\"jane doe\"@acme.io").is_ok());
}

#[test]
fn what_is_not_an_address_is_refused_without_being_repeated() {
    let long = format!("{}@acme.io", "x".repeat(250));
    for text in [
        "",
        "jane",
        "jane@",
        "@acme.io",
        "jane@@acme.io",
        "jane@localhost",
        "jane doe@acme.io",
        "jane@10.0.0.1",
        "jane@[10.0.0.1]",
        long.as_str(),
    ] {
        let refusal = Email::parse(text).unwrap_err().to_string();
        assert!(text.is_empty() || !refusal.contains(text), "{refusal}");
    }
}

#[test]
fn s3_70_the_kind_of_an_address_follows_its_domain_and_mailbox() {
    for (text, kind) in [
        ("jane@acme.io", EmailKind::Work),
        ("jane@gmail.com", EmailKind::Personal),
        ("jane@mail.outlook.com", EmailKind::Personal),
        ("x@mailinator.com", EmailKind::Disposable),
        ("billing@acme.io", EmailKind::Role),
    ] {
        assert_eq!(Email::parse(text).unwrap().kind(), kind, "{text}");
    }
}

#[test]
fn a_domain_is_found_in_what_people_type() {
    for text in ["acme.co.uk", "https://www.acme.co.uk/about?x=1", "WWW.ACME.CO.UK.", "http://user@shop.acme.co.uk:8080/"] {
        assert_eq!(Domain::parse(text).unwrap().as_str(), "acme.co.uk", "{text}");
    }
    for text in ["", "co.uk", "localhost", "10.0.0.1", "Acme Inc", "[::1]"] {
        assert!(Domain::parse(text).is_err(), "{text}");
    }
}

#[test]
fn personal_data_is_masked_in_debug_and_display() {
    let email = Email::parse("canary@acme.io").unwrap();
    let phone = Phone::parse("+1 (512) 555-0100").unwrap();
    let key = LookupKey { kind: KeyKind::BusinessEmail, value: email.expose().to_owned() };
    assert_eq!(format!("{email} {email:?} {phone} {phone:?} {key:?}"), "[email] [email] [phone] [phone] LookupKey(business_email)");
    assert_eq!(phone.expose(), "+15125550100");
}

#[test]
fn a_hash_depends_on_key_and_on_where_parts_end() {
    let key = HashKey::new(vec![7; 32]).unwrap();
    let other = HashKey::new(vec![8; 32]).unwrap();
    assert_ne!(key.hash(&["ab", "c"]), key.hash(&["a", "bc"]));
    assert_ne!(key.hash(&["ab"]), other.hash(&["ab"]));
    assert_eq!(key.hash(&["ab"]).len(), 43);
    assert!(HashKey::new(vec![1; 8]).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in any::<String>()) {
        let _ = Email::parse(&text);
        let _ = Domain::parse(&text);
        let _ = Phone::parse(&text);
    }

    #[test]
    fn an_address_reads_back_as_itself(local in "[a-z0-9]{1,20}", domain in "[a-z]{3,12}") {
        let email = Email::parse(&format!("{local}@{domain}.com")).unwrap();
        prop_assert_eq!(Email::parse(email.expose()).unwrap(), email);
    }
}
