use super::*;
use crate::condition::View;
use crate::config::Config;
use crate::config::tests::{assert_found, config, facts, findings};
use crate::rules::{Event, Happening, matching};
use crate::value::Value;

/// The four kinds of the source document, and a scheduled one.
const RULES: &str = "segments: {enterprise: company.headcount >= 1000}
rules:
  - {name: enterprise_fast, trigger: record_created, filter: segment.enterprise, entity: lead, action: all_missing, priority: critical, deadline: 5m}
  - {name: negotiation, trigger: {stage_changed: negotiation}, entity: account, action: all_missing, max_age: 1d}
  - {name: hot_without_phone, trigger: {score_above: 80}, filter: score > 80 && not has(contact.phone), entity: contact, action: {fields: [contact.phone]}, budget: 500}
  - {name: from_salesforce, trigger: {integration_sync: salesforce}, filter: '!has(contact.linkedin_url)', action: {fields: [contact.linkedin_url]}}
  - {name: quarterly_accounts, trigger: {scheduled: quarterly}, entity: account, action: all_missing, priority: low, max_age: 80d}
  - {name: moved, trigger: {field_changed: [company.domain, person.title]}, action: all_missing}
  - {name: imported, trigger: record_imported, action: all_missing}
";

fn called(config: &Config, entity: Entity, what: Happening, view: &View<'_>) -> Vec<String> {
    let event = Event { entity, what };
    matching(&config.rules, &event, view).iter().map(|rule| rule.name.clone()).collect()
}

#[test]
fn s0_90_a_rule_for_a_segment_carries_its_deadline_and_is_called_by_creation() {
    let config = config(RULES, "");
    let rule = &config.rules[0];
    assert_eq!((rule.deadline, rule.priority), (Some(Millis::minutes(5)), Priority::Critical));
    let known = |headcount: i64| facts(&config, &[("company.headcount", Value::number(headcount))]);
    let (large, small) = (known(2000), known(20));
    assert_eq!(called(&config, Entity::Lead, Happening::Created, &View::of(&large)), ["enterprise_fast"]);
    assert_eq!(called(&config, Entity::Lead, Happening::Created, &View::of(&small)), [""; 0]);
    assert_eq!(called(&config, Entity::Lead, Happening::Created, &View::default()), [""; 0], "not known to be one");
    assert_eq!(called(&config, Entity::Account, Happening::Created, &View::of(&large)), [""; 0], "S0-95: another kind of record");
}

#[test]
fn s0_91_a_stage_rule_is_called_by_its_stage_however_it_is_written() {
    let config = config(RULES, "");
    let stage = |stage: &str, entity| called(&config, entity, Happening::Stage(stage.into()), &View::default());
    assert_eq!(stage("Negotiation", Entity::Account), ["negotiation"]);
    assert_eq!((stage("closed won", Entity::Account), stage("negotiation", Entity::Contact)), (vec![], vec![]));
}

#[test]
fn s0_92_a_score_rule_is_called_once_on_the_way_up() {
    let config = config(RULES, "");
    let scored =
        |before, after| called(&config, Entity::Contact, Happening::Scored { before, after }, &View::default().with_score(after, after));
    assert_eq!(scored(Some(80), 81), ["hot_without_phone"]);
    assert_eq!(scored(None, 95), ["hot_without_phone"]);
    assert_eq!((scored(Some(81), 95), scored(Some(10), 80)), (vec![], vec![]));
    let known = facts(&config, &[("contact.phone", Value::text("+4930123456"))]);
    let up = Happening::Scored { before: None, after: 95 };
    assert_eq!(called(&config, Entity::Contact, up, &View::of(&known).with_score(95, 95)), [""; 0], "there is a phone number");
    assert_eq!(config.rules[2].action, Action::Fields(vec![Field::known("contact.phone")]), "S0-96");
    assert_eq!(config.rules[2].budget, Some(Credits::whole(500)), "S0-98");
}

#[test]
fn s0_93_an_integration_rule_is_called_by_its_sync() {
    let config = config(RULES, "");
    let synced = |from: &str| called(&config, Entity::Contact, Happening::Synced(from.into()), &View::default());
    assert_eq!((synced("Salesforce"), synced("hubspot")), (vec!["from_salesforce".to_owned()], vec![]));
}

#[test]
fn s0_94_each_trigger_is_called_by_its_own_event_only() {
    let config = config(RULES, "");
    let known = facts(&config, &[("company.headcount", Value::number(2000))]);
    for (what, names) in [
        (Happening::Imported, &["imported"][..]),
        (Happening::Changed(Field::known("contact.title")), &["moved"]),
        (Happening::Changed(Field::known("company.name")), &[]),
        (Happening::Due("quarterly_accounts".into()), &["quarterly_accounts"]),
        (Happening::Due("imported".into()), &[]),
    ] {
        assert_eq!(called(&config, Entity::Account, what.clone(), &View::of(&known)), names, "{what:?}");
    }
}

#[test]
fn x_03_a_schedule_that_freshness_would_cancel_is_found() {
    let scheduled = |inner: &str| format!("rules:\n  - {{name: again, action: all_missing, trigger: {{scheduled: {inner}}}");
    for (written, said) in [
        (
            format!("freshness: crm\n{}, entity: account}}\n", scheduled("quarterly")),
            "rule `again` comes round every 90d and finds what it looked up still fresh, for 180d; write for example `max_age: 81d`",
        ),
        (
            format!("{}, max_age: 7d}}\n", scheduled("weekly")),
            "rule `again` comes round every 7d and finds what it looked up still fresh, for 7d; write for example `max_age: 6d`",
        ),
        (
            format!("{}, entity: contact}}\n", scheduled("24h")),
            "rule `again` comes round every 1d and finds what it looked up still fresh, for 30d; write for example `max_age: 21h`",
        ),
    ] {
        let found = findings(&written, "");
        assert!(matches!(found.as_slice(), [finding] if finding.message == said), "{written}: {found:?}");
    }
    let of_phone = "rules:\n  - {name: again, action: {fields: [phone.valid]}, trigger: {scheduled: WHEN}}\n";
    assert_eq!(findings(&of_phone.replace("WHEN", "8d"), ""), [], "a phone check is fresh for 7 days, whatever a person is");
    let found = findings(&of_phone.replace("WHEN", "weekly"), "");
    assert!(matches!(found.as_slice(), [finding] if finding.message.contains("still fresh, for 7d")), "{found:?}");
    let strategic = "segments: {strategic: company.headcount >= 1000}\nfreshness: {preset: crm, segments: {strategic: {company: 30d}}}\n";
    let again = format!("{strategic}{}, entity: account}}\n", scheduled("quarterly"));
    assert_eq!(findings(&again, ""), [], "strategic accounts are stale by then");
    for written in ["90d, max_age: 81d", "quarterly, entity: contact"] {
        let (every, rest) = written.split_once(", ").unwrap();
        assert_eq!(findings(&format!("{}, {rest}}}\n", scheduled(every)), ""), [], "{written}");
    }
}

#[test]
fn s0_89_mistakes_in_rules_are_found_in_their_line() {
    let rule = |inner: &str| format!("rules:\n  - name: one\n    trigger: record_created\n    action: all_missing\n    {inner}\n");
    assert_found(&[
        (&rule("budget: 0"), 4, "rule `one` may spend nothing, so it never looks anything up; write credits a month or leave it out"),
        (&rule("budget: 1001"), 4, "rule `one` may spend more than the month's allocation of 1000; lower its budget"),
        (&rule("deadline: 0s"), 4, "rule `one`: `deadline` is no time at all; write for example 5m"),
        (&rule("max_age: 0d"), 4, "rule `one`: `max_age` is no time at all; write for example 5m"),
        (&rule("filter: segment.big"), 4, "there is no segment `segment.big`; define it under `segments:` (at column 1)"),
        (
            &format!("{}  - {{name: one, trigger: record_imported, action: all_missing}}\n", rule("priority: low")),
            5,
            "there are two rules named `one`; give each its own name",
        ),
        (
            "rules:\n  - {name: One, trigger: record_created, action: all_missing}\n",
            1,
            "rules: `One` is no name; begin with a letter and write lower-case words joined by _",
        ),
        (
            "rules:\n  - {name: free_tier, trigger: record_created, action: all_missing}\n",
            1,
            "rules: `free_tier` is how a signup arrives and has its cap under credits.caps.rule; write another name",
        ),
        (
            "rules:\n  - {name: one, trigger: record_created, action: {fields: [contact.phon]}}\n",
            1,
            "`contact.phon` is not a field; did you mean `contact.phone`?",
        ),
        (
            "rules:\n  - {name: one, trigger: {field_changed: []}, action: all_missing}\n",
            1,
            "rule `one`: its trigger names no field; write one or more",
        ),
        (
            "rules:\n  - {name: one, trigger: {score_above: 100}, action: all_missing}\n",
            1,
            "rule `one`: a score is never above 100 or below 0; write 0 to 99",
        ),
        (
            "rules:\n  - {name: one, trigger: {scheduled: 5m}, action: all_missing}\n",
            1,
            "rule `one`: `5m` is no cadence; write daily, weekly, monthly, quarterly or a time from 1h on, such as 7d",
        ),
    ]);
    for (written, said) in [
        (
            "{name: one, trigger: record_creatd, action: all_missing}",
            "`record_creatd` does not say enough; write record_created, record_imported",
        ),
        ("{name: one, trigger: stage_changed, action: all_missing}", "`stage_changed` does not say enough; write record_created"),
        ("{name: one, trigger: {score_over: 5}, action: all_missing}", "`score_over` is not one of these alone; write record_created"),
        ("{name: one, trigger: {scheduled: 7d, every: 7d}, action: all_missing}", "`scheduled` is not one of these alone; write"),
        (
            "{name: one, trigger: record_created, action: everything}",
            "`everything` does not say enough; write all_missing or {fields: [contact.phone]}",
        ),
        ("{name: one, trigger: record_created, action: [x]}", "all_missing or {fields: [contact.phone]}"),
        ("{name: one, trigger: record_created, action: all_missing, priority: urgent}", "critical"),
        ("{name: one, trigger: record_created, action: all_missing, entity: person}", "contact"),
    ] {
        let found = findings(&format!("rules:\n  - {written}\n"), "");
        assert!(matches!(found.as_slice(), [finding] if finding.line == 5 && finding.message.contains(said)), "{written}: {found:?}");
    }
}
