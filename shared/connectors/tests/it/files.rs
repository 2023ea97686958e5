//! The connector files of the repository, and what is said about wrong ones.

use connectors::{Connector, Connectors, Endpoints, Resale, configure, configure_for_use, load};
use domain::config::{Config, Findings, Sources};
use domain::identity::KeyKind;
use domain::schema::Schema;
use domain::units::Credits;

use crate::world::{connectors, sources};

const GOOD: &str = r#"provider: acme
operation: company
family: acme
class: company
about: {primary_data: headcount, coverage: anvils, resale: forbidden}
timeout: 1s
request:
  method: POST
  base_url: https://api.acme.example
  path: /v1/company
auth: {header: x-api-key, value: "{{secret}}", secret: acme_key}
keys:
  domain: {body: {domain: "{{key}}"}}
reply:
  hit: $.company
  no_match: $.company
  fields:
    company.headcount: {path: $.size, as: number}
examples:
  - {name: hit, body: {company: {size: 5}}, expect: {company.headcount: 5}}
"#;

fn findings(text: &str) -> Vec<String> {
    let sources = Sources::new([("connectors/acme.company.yaml".to_owned(), text.to_owned())]);
    load(&sources, &Schema::default()).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_recorded_example_comes_out_as_it_expects() {
    let count = connectors().check_examples().unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(count >= 30, "{count}");
    for connector in connectors().iter() {
        assert!(connector.operation().family.len() > 2 && !connector.about().coverage.is_empty());
    }
}

#[test]
fn the_whole_configuration_is_right() {
    let (config, connectors) = configure(&sources()).unwrap_or_else(|findings| panic!("{findings}"));
    assert_eq!(config.catalogue, connectors.catalogue());
}

#[test]
fn a_function_reads_the_same_configuration_without_the_examples() {
    let ((config, connectors), (of_function, without)) = (configure(&sources()).unwrap(), configure_for_use(&sources()).unwrap());
    assert_eq!(config.hash, of_function.hash);
    assert_eq!(config.catalogue, of_function.catalogue);
    for connector in connectors.iter() {
        let same = without.get(&connector.operation().name).unwrap();
        assert_eq!(connector.operation(), same.operation());
        assert_eq!(connector.about(), same.about());
        // `examples` stands last in what Debug shows, and is the one difference.
        let all_but_examples = |connector: &Connector| format!("{connector:?}").split_once(", examples: [").unwrap().0.to_owned();
        assert_eq!(all_but_examples(connector), all_but_examples(same));
        assert!(format!("{same:?}").ends_with(", examples: [] }"), "{same:?}");
    }
}

/// The examples may stand anywhere in a file; what comes after them is read.
#[test]
fn whatever_begins_a_line_ends_the_examples() {
    let good = GOOD.replace("family: acme\n", "");
    for end in ["family: acme\n", "\"family\": acme\n", "'family': acme\n", "# a remark\n\n\"family\": acme\n", "? family\n: acme\n"] {
        let text = format!("{good}{end}");
        let with = |load: fn(&Sources) -> Result<(Config, Connectors), Findings>| {
            let others = sources().below("").map(|(file, text)| (file.to_owned(), text.to_owned())).collect::<Vec<_>>();
            let one = [("connectors/acme.company.yaml".to_owned(), text.clone())];
            let (_, connectors) = load(&Sources::new(others.into_iter().chain(one))).unwrap_or_else(|findings| panic!("{findings}"));
            connectors.get("acme.company").unwrap().operation().family.clone()
        };
        assert_eq!((with(configure), with(configure_for_use)), ("acme".to_owned(), "acme".to_owned()), "{end}");
    }
}

#[test]
fn an_endpoint_of_somebody_whom_nobody_asks_is_an_error_with_those_who_are_asked() {
    let endpoint_of = |provider: &str| Endpoints::new([(provider.to_owned(), "https://proxy.internal".to_owned())]).unwrap();
    for provider in ["crustdata", "dns", "rdap", "website", "hubspot"] {
        assert_eq!(endpoint_of(provider).check(&connectors()), Ok(()));
    }
    let error = endpoint_of("crusdata").check(&connectors()).unwrap_err().to_string();
    assert!(["`crusdata`", "apollo, ", "crustdata, ", "hubspot, ", "website"].iter().all(|name| error.contains(name)), "{error}");
    assert!(endpoint_of("email").check(&connectors()).is_err());
}

#[test]
fn a_mistake_has_the_same_line_with_and_without_the_examples() {
    let (file, text) =
        sources().below("connectors/crustdata.company").next().map(|(file, text)| (file.to_owned(), text.to_owned())).unwrap();
    let wrong = format!("{text}\nfamly: nobody\n");
    let broken =
        || sources().below("").map(|(f, t)| (f.to_owned(), if f == file { wrong.clone() } else { t.to_owned() })).collect::<Vec<_>>();
    let (with, without) = (configure(&Sources::new(broken())).unwrap_err(), configure_for_use(&Sources::new(broken())).unwrap_err());
    assert_eq!(with.0[0].line, without.0[0].line);
    assert!(with.0[0].line > 1);
}

#[test]
fn s0_11_s3_76_the_catalogue_says_what_a_provider_is_asked_by_and_what_it_costs() {
    let (connectors, catalogue) = (connectors(), connectors().catalogue());
    let names: Vec<&str> = catalogue.keys().map(String::as_str).collect();
    for name in ["crustdata.company", "crustdata.person", "dns", "dns.address", "email", "rdap", "website"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let person = &catalogue["crustdata.person"];
    assert_eq!(person.keys, [KeyKind::SocialUrl, KeyKind::BusinessEmail, KeyKind::PersonalEmail]);
    assert_eq!(catalogue["email"].keys, [KeyKind::BusinessEmail, KeyKind::PersonalEmail, KeyKind::Email]);
    assert_eq!(catalogue["crustdata.company"].price.per_hit, Credits::whole(4));
    assert!(catalogue["website"].price.is_free() && catalogue["email"].price.is_free());
    let secrets = connectors.secrets();
    assert!(secrets.contains("crustdata_api_key") && secrets.contains("twilio_credentials"), "{secrets:?}");
    let company = connectors.get("crustdata.company").unwrap();
    assert_eq!((company.about().resale, company.rate_limit().unwrap().per_minute), (Resale::ByContract, 15));
}

#[test]
fn a_right_file_has_no_findings() {
    assert_eq!(findings(GOOD), [""; 0]);
}

#[test]
fn every_mistake_has_its_line_and_says_what_to_write() {
    for (right, wrong, line, says) in [
        ("provider: acme", "provider: other", 1, "call the file connectors/other.company.yaml"),
        ("family: acme", "familly: acme", 3, "familly"),
        ("class: company", "class: firm", 4, "firm"),
        ("resale: forbidden", "resale: maybe", 5, "by_contract"),
        ("timeout: 1s", "timeout: 1", 6, "1500ms"),
        ("timeout: 1s", "timeout: 2h", 6, "at most 30s"),
        ("method: POST", "method: PUT", 8, "POST"),
        ("https://api", "http://api", 9, "write https://"),
        ("path: /v1/company", "path: v1", 10, "from the first slash"),
        ("path: /v1/company", "path: /v1/{{contact.email}}", 10, "only {{key}}"),
        ("path: /v1/company", "path: /v1/{{contact.email | all}}", 10, "only {{key}}"),
        ("path: /v1/company", "path: /v1/{{key | all}}", 10, "only {{key}}"),
        ("path: /v1/company", "path: /v1/company\n  follow_redirects: true", 11, "only a GET without `auth`"),
        ("{{secret}}", "abc123", 11, "write {{secret}}"),
        ("secret: acme_key", "secret: sk-123", 11, "crustdata_api_key"),
        ("domain: {body", "domaine: {body", 13, "domaine"),
        ("{header: x-api-key, value: \"{{secret}}\"", "{value: \"{{secret}}\"", 11, "say once where the secret goes"),
        ("header: x-api-key", "header: x-api-key, basic: \"{{secret}}\"", 11, "say once where the secret goes"),
        ("header: x-api-key", "header: x api key", 11, "no header name"),
        ("header: x-api-key, value: \"{{secret}}\"", "basic: \"API\"", 11, "write {{secret}}"),
        ("method: POST", "method: GET\n  encoding: xml", 9, "xml"),
        ("\"{{key}}\"", "x", 13, "the key is not sent"),
        ("\"{{key}}\"", "\"{{key\"", 13, "only {{key}}"),
        ("domain: {body: {domain: \"{{key}}\"}}", "business_email: {query: {email: \"{{key}}\"}}", 13, "may not stand in a URL"),
        ("hit: $.company", "hit: company", 15, "RFC 9535"),
        ("company.headcount: {path", "company.headcont: {path", 18, "did you mean `company.headcount`"),
        ("as: number", "as: text", 18, "write `as: number"),
        ("as: number", "as: nummber", 18, "nummber"),
        ("as: number}", "as: number, default: 0}", 18, "default"),
        ("path: $.size", "path: size", 18, "RFC 9535"),
        ("expect: {company.headcount: 5}", "expect: perhaps", 20, "no_match"),
        ("expect: {company.headcount: 5}", "expect: {company.headcount: null}", 20, "leave the line out"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let found = findings(&GOOD.replacen(right, wrong, 1));
        let place = format!("config/connectors/acme.company.yaml:{line}: ");
        assert!(found.iter().any(|finding| finding.starts_with(&place) && finding.contains(says)), "{wrong}: {found:#?}");
    }
}

#[test]
fn a_base_url_that_is_never_called_is_found_with_its_line() {
    for (url, says) in [
        ("https://127.0.0.1", "not public"),
        ("https://10.0.0.1/v1", "not public"),
        ("https://[::1]", "not public"),
        ("https://2130706433", "not public"),
        ("https://1.1.1.1", "public host name"),
        ("https://localhost", "not public"),
        ("https://metadata.google.internal", "not public"),
        ("https://api.acme.example:8443", "port"),
        ("https://api.acme.example:0", "port"),
        ("https://key@api.acme.example", "user name"),
        ("https://:key@api.acme.example", "user name"),
        ("https://api.acme.example#top", "no base URL"),
        ("api.acme.example", "no base URL"),
    ] {
        let found = findings(&GOOD.replace("https://api.acme.example", &format!("'{url}'")));
        let place = "config/connectors/acme.company.yaml:9: ";
        assert!(matches!(&found[..], [one] if one.starts_with(place) && one.contains(says)), "{url}: {found:#?}");
        assert!(!found[0].contains("key@"), "a credential in a URL is not repeated");
    }
    assert_eq!(findings(&GOOD.replace("https://api.acme.example", "https://api.acme.example:443/v2/")), [""; 0]);
}

#[test]
fn a_rate_limit_that_allows_no_call_is_found_with_its_line() {
    let limited = |limit: &str| findings(&GOOD.replace("timeout: 1s", &format!("timeout: 1s\nrate_limit: {limit}")));
    assert_eq!(limited("{per_minute: 1, reset_header: x-reset}"), [""; 0]);
    for (limit, says) in [("{per_minute: 0}", "no call"), ("{per_minute: 5, reset_header: x reset}", "no header name")] {
        let found = limited(limit);
        assert!(matches!(&found[..], [one] if one.contains(".yaml:7: ") && one.contains(says)), "{found:#?}");
    }
}

#[test]
fn x_36_a_confidence_that_no_example_fills_is_found_with_its_line() {
    let examined = |path: &str, body: &str| {
        let text = GOOD.replace("  fields:", &format!("  confidence: {path}\n  fields:")).replace("{size: 5}", body);
        let sources = Sources::new([("connectors/acme.company.yaml".to_owned(), text)]);
        load(&sources, &Schema::default()).unwrap().check_examples().map_err(|found| found[0].to_string())
    };
    assert_eq!(examined("$.sure", "{size: 5, sure: 0.9}"), Ok(1));
    assert!(examined("[$.sure, $.certain]", "{size: 5, certain: 1}").unwrap_err().contains("`$.sure`"));
    for (path, body) in [("$.shure", "{size: 5, sure: 0.9}"), ("$.company.sure", "{size: 5, sure: 0.9}"), ("$.sure", "{size: 5, sure: 90}")]
    {
        let found = examined(path, body).unwrap_err();
        assert!(found.starts_with("config/connectors/acme.company.yaml:17: confidence: "), "{found}");
    }
}

#[test]
fn a_secret_that_is_written_down_is_found_with_its_line_and_not_repeated() {
    let with = |line: &str| GOOD.replace("  path: /v1/company\n", &format!("  path: /v1/company\n  {line}\n"));
    for (line, name, auth) in [
        ("headers: {Authorization: Bearer sk-canary-1}", "Authorization", "{header: authorization, value: \"Bearer {{secret}}\""),
        ("headers: {x-api-key: canary}", "x-api-key", "{header: x-api-key, value: \"{{secret}}\""),
        ("headers: {Ocp-Apim-Subscription-Key: canary}", "Ocp-Apim-Subscription-Key", "{header: Ocp-Apim-Subscription-Key,"),
        ("query: {api_key: canary}", "api_key", "{query: api_key,"),
        ("query: {key: AIzaCanary0123456789}", "key", "{query: key,"),
        ("query: {token: canary0123456789}", "token", "{query: token,"),
        ("body: {credentials: [{apiKey: canary}]}", "apiKey", "{body: apiKey,"),
        ("body: {password: 12345678}", "password", "{body: password,"),
    ] {
        let found = findings(&with(line));
        let place = "config/connectors/acme.company.yaml:11: ";
        assert!(
            matches!(&found[..], [one] if one.starts_with(place) && one.contains(&format!("`{name}`")) && one.contains(auth)),
            "{found:#?}"
        );
        assert!(!found[0].to_lowercase().contains("canary"), "{found:?}");
    }
    let of_key = GOOD.replace("{body: {domain: \"{{key}}\"}}", "{body: {domain: \"{{key}}\", access_token: canary0123456789}}");
    assert!(findings(&of_key)[0].starts_with("config/connectors/acme.company.yaml:13: `access_token`"));
    for line in [
        "query: {key: domain, token: \"{{key}}\", sort_key: headcount}",
        "headers: {x-api-version: \"2025-11-01\", accept: application/json}",
        "body: {key: website, author: canary0123456789, keys: [a0123456789012]}",
    ] {
        assert_eq!(findings(&with(line)), [""; 0], "{line}");
    }
    // What was published before anybody looked goes on working.
    let published = sources().below("").map(|(file, text)| (file.to_owned(), text.to_owned())).collect::<Vec<_>>();
    let written = published.into_iter().chain([("connectors/acme.company.yaml".to_owned(), with("query: {api_key: canary}"))]);
    let written = Sources::new(written);
    assert!(configure(&written).is_err() && configure_for_use(&written).is_ok());
}

#[test]
fn all_mistakes_are_found_together() {
    let wrong = GOOD.replace("timeout: 1s", "timeout: 0ms").replace("as: number", "as: text").replace("hit: $.company", "hit: x");
    assert_eq!(findings(&wrong).len(), 3);
}

#[test]
fn a_connector_must_say_what_no_match_is() {
    assert!(findings(&GOOD.replace("  no_match: $.company\n", ""))[0].contains("no match"));
}

#[test]
fn an_example_that_comes_out_otherwise_is_found_without_its_values() {
    let text = GOOD.replace("expect: {company.headcount: 5}", "expect: {company.headcount: 6, company.revenue: 1}");
    let sources = Sources::new([("connectors/acme.company.yaml".to_owned(), text)]);
    let found = load(&sources, &Schema::default()).unwrap().check_examples().unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "config/connectors/acme.company.yaml:20: example `hit`: company.headcount has another value, company.revenue is missing"
    );
}
