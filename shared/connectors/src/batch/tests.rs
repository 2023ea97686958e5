//! Batched or not, each key gets the same reply.

use std::sync::LazyLock;

use domain::config::Sources;
use domain::identity::KeyKind;
use domain::reply::Reply;
use domain::schema::Schema;
use domain::units::Timestamp;
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::BatchForm;
use crate::connector::{Connector, Http, Speech};
use crate::egress::Answer;
use crate::load::load;

const NOW: Timestamp = Timestamp::from_millis(0);

fn connector(text: &str) -> Connector {
    let sources = Sources::new([("connectors/crustdata.company.yaml".to_owned(), text.to_owned())]);
    load(&sources, &Schema::default()).unwrap().take("crustdata.company").unwrap()
}

/// The vendor that repeats the keys, and the same one answering in their order.
static CONNECTORS: LazyLock<[Connector; 2]> = LazyLock::new(|| {
    let by_key = include_str!("../../../../config/connectors/crustdata.company.yaml");
    let in_order = by_key.replace(" by: $.matched_on,", "");
    assert_ne!(by_key, in_order);
    [connector(by_key), connector(&in_order)]
});

fn parts(connector: &Connector) -> (&Http, &BatchForm) {
    let Speech::Http(http) = &connector.speech else { panic!("no vendor") };
    (http, http.batch.as_ref().unwrap())
}

fn answer(status: u16, body: &Json) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
}

fn read_one(connector: &Connector, status: u16, body: &Json) -> Reply {
    parts(connector).0.read(&connector.operation, &answer(status, body), NOW)
}

fn read_all(connector: &Connector, keys: &[String], status: u16, body: &Json) -> Vec<Reply> {
    let (http, form) = parts(connector);
    http.read_all(form, &connector.operation, (KeyKind::Domain, keys), &answer(status, body), NOW)
}

/// What the vendor says about one company.
fn said() -> impl Strategy<Value = Json> {
    let company = (any::<u32>(), "[a-z]{0,6}", any::<bool>()).prop_map(|(headcount, name, is_sure)| {
        let data = json!({"headcount": {"total": headcount}, "basic_info": {"name": name}});
        json!({"matches": [{"confidence_score": if is_sure { 0.97 } else { 0.4 }, "company_data": data}]})
    });
    let others = [json!({"matches": []}), json!({"matches": "none"}), json!({"matches": [5]}), json!({}), json!({"error": {"type": "x"}})];
    prop_oneof![4 => company, 3 => prop::sample::select(others.to_vec())]
}

/// Some companies, and for each the place of its entry in the answer; `None` where it is left out.
fn batch() -> impl Strategy<Value = Vec<(Json, Option<u16>, bool)>> {
    prop::collection::vec((said(), prop::option::weighted(0.9, any::<u16>()), any::<bool>()), 2..25)
}

fn key(number: usize) -> String {
    format!("company{number}.io")
}

proptest! {
    #[test]
    fn s4_33_batched_or_not_each_key_gets_the_same_reply_in_whichever_order(companies in batch(), under_results: bool) {
        let [by_key, in_order] = &*CONNECTORS;
        let keys: Vec<String> = (0..companies.len()).map(key).collect();
        let wrapped = |list: Vec<Json>| if under_results { json!({"results": list}) } else { Json::Array(list) };
        let entry = |number: usize, said: &Json, is_loud: bool| {
            let mut entry = said.clone();
            entry["matched_on"] = if is_loud { format!(" https://{}/", key(number).to_uppercase()).into() } else { key(number).into() };
            entry
        };
        let single: Vec<Reply> = companies.iter().enumerate().map(|(number, (said, _, is_loud))| {
            read_one(by_key, 200, &wrapped(vec![entry(number, said, *is_loud)]))
        }).collect();

        let all = companies.iter().enumerate().map(|(number, (said, _, is_loud))| entry(number, said, *is_loud)).collect();
        prop_assert_eq!(&read_all(in_order, &keys, 200, &wrapped(all)), &single);

        let mut shown: Vec<(u16, Json)> = companies.iter().enumerate().filter_map(|(number, (said, place, is_loud))| {
            Some(((*place)?, entry(number, said, *is_loud)))
        }).collect();
        shown.sort_by_key(|(place, _)| *place);
        let replies = read_all(by_key, &keys, 200, &wrapped(shown.into_iter().map(|(_, entry)| entry).collect()));
        for ((reply, single), (_, place, _)) in replies.iter().zip(&single).zip(&companies) {
            match place {
                Some(_) => prop_assert_eq!(reply, single),
                None => prop_assert!(matches!(reply, Reply::Unreadable { .. }), "nobody knows what became of it: {:?}", reply),
            }
        }
    }

    #[test]
    fn what_is_no_answer_means_to_each_key_what_it_means_to_a_single_one(status in 200u16..600, body in prop_oneof![
        Just(json!({})), Just(json!("x")), Just(json!({"results": 5})), Just(json!({"error": {"type": "insufficient_credits"}})),
    ]) {
        let [by_key, _] = &*CONNECTORS;
        let keys = [key(1), key(2)];
        let replies = read_all(by_key, &keys, status, &body);
        let mut single = read_one(by_key, status, &body);
        if single == Reply::NoMatch {
            // Nothing at all under a success is no match to a single question, and no word about any of several.
            single = crate::answer::unreadable(crate::answer::OTHER_SHAPE);
        }
        prop_assert_eq!(replies, vec![single; 2]);
    }
}

#[test]
fn an_answer_in_order_with_one_entry_too_few_is_nobodys() {
    let [_, in_order] = &*CONNECTORS;
    let company = json!({"matches": [{"company_data": {"headcount": {"total": 5}}}]});
    let replies = read_all(in_order, &[key(1), key(2)], 200, &json!([company]));
    assert!(replies.iter().all(|reply| matches!(reply, Reply::Unreadable { .. })), "{replies:?}");
}
