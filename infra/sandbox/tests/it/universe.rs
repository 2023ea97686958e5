//! Who exists.

use serde_json::{Value, json};

use crate::client::Client;

#[tokio::test]
async fn the_same_seed_gives_the_same_bodies_in_any_order_and_another_seed_gives_others() {
    let (one, two, other) = (Client::seeded(7), Client::seeded(7), Client::seeded(8));
    let domains: Vec<String> = (0..20).map(|n| format!("firm-{n}.example")).collect();
    let mut differ = false;
    for domain in &domains {
        let email = format!("kit.moreno@{domain}");
        let first = (one.company(domain).await.text, one.person(&email).await.text, one.get(&format!("/websites/{domain}/")).await.text);
        let site = two.get(&format!("/websites/{domain}/")).await.text;
        let second = (two.company(domain).await.text, two.person(&email).await.text, site);
        assert_eq!(first, second);
        differ |= first.0 != other.company(domain).await.text;
    }
    assert!(differ);
}

#[tokio::test]
async fn names_are_marked_invented_wherever_they_appear() {
    let client = Client::new();
    for domain in ["northwind-grid.example", "some-firm.example", "a-real-looking-name.com"] {
        let company = client.company(domain).await.json();
        let name = company[0]["matches"][0]["company_data"]["basic_info"]["name"].as_str().unwrap().to_owned();
        assert!(name.ends_with("(invented)"), "{name}");
        let person = client.person(&format!("vp@{domain}")).await.json();
        let person = &person[0]["matches"][0]["person_data"];
        assert_eq!(person["experience"]["employment_details"]["current"][0]["name"], name.as_str());
        assert!(person["basic_profile"]["headline"].as_str().unwrap().contains("(invented)"));
    }
    let mira = client.person("mira.codes@gmail.com").await;
    assert!(mira.text.contains("Freelance developer (invented)"));
}

#[tokio::test]
async fn the_named_companies_are_what_the_samples_say() {
    let client = Client::new();
    let expected = [
        ("northwind-grid.example", json!(1200), json!("Series C"), json!(0.22)),
        ("hexa-labs.example", json!(180), json!("Series B"), json!(0.18)),
        ("tinyforge.example", json!(4), Value::Null, json!(-0.05)),
        ("colossus-industries.example", json!(84000), Value::Null, json!(0.02)),
        ("quietriver.example", json!(35), json!("Seed"), json!(0.08)),
    ];
    for (domain, headcount, round, growth) in expected {
        let body = client.company(domain).await.json();
        let company = &body[0]["matches"][0]["company_data"];
        assert_eq!(company["headcount"]["total"], headcount, "{domain}");
        assert_eq!(company["funding"]["last_round_type"], round, "{domain}");
        assert_eq!(company["web_traffic"]["growth_90d"], growth, "{domain}");
    }
    let colossus = client.company("colossus-industries.example").await.json();
    assert_eq!(colossus[0]["matches"][0]["company_data"]["basic_info"]["company_type"], "Public Company");
}

#[tokio::test]
async fn the_named_people_have_the_samples_titles() {
    let client = Client::new();
    let expected = [
        ("dana.cho@northwind-grid.example", "VP Engineering", "VP"),
        ("vp@northwind-grid.example", "VP Engineering", "VP"),
        ("lee.park@hexa-labs.example", "Director of Platform", "Director"),
        ("sam@tinyforge.example", "Software engineer", "Entry"),
        ("ada@colossus-industries.example", "Chief Procurement Officer", "CXO"),
    ];
    for (email, title, seniority) in expected {
        let body = client.person(email).await.json();
        let job = &body[0]["matches"][0]["person_data"]["experience"]["employment_details"]["current"][0];
        assert_eq!((job["title"].as_str(), job["seniority_level"].as_str()), (Some(title), Some(seniority)), "{email}");
    }
}

#[tokio::test]
async fn about_one_field_in_ten_is_missing_in_made_up_companies() {
    let client = Client::new();
    let mut missing = 0;
    for n in 0..400 {
        let body = client.company(&format!("firm-{n}.example")).await.json();
        if body[0]["matches"][0]["company_data"]["headcount"]["total"].is_null() {
            missing += 1;
        }
    }
    assert!((20..=60).contains(&missing), "{missing} of 400");
}

#[tokio::test]
async fn a_domain_is_read_as_people_write_it() {
    let client = Client::new();
    for domain in ["HEXA-LABS.example", "www.hexa-labs.example", "https://hexa-labs.example/about"] {
        let body = client.company(domain).await.json();
        assert_eq!(body[0]["matches"][0]["company_data"]["headcount"]["total"], 180, "{domain}");
    }
    assert_eq!(client.company("not a domain").await.json()[0]["matches"], json!([]));
}
