//! CEL, of which the language is a subset, answers the same wherever everything is known. Texts are in small letters
//! throughout: CEL tells `AWS` from `aws`, we on purpose do not.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::parser::PrattParser;
use cel::{Context, Env};
use domain::condition::{Truth, View};
use domain::value::Value;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::generate::{Known, complete, shared};
use crate::{cases, facts, parse};

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

fn context(known: &Known) -> Context<'_, '_> {
    let mut variables: BTreeMap<&str, Json> = ["company", "phone", "email", "contact"].map(|name| (name, json!({}))).into();
    for (path, value) in known {
        match path.split_once('.') {
            Some((group, name)) => drop(object(&mut variables, group).insert(name.to_owned(), cel_value(value))),
            None => drop(variables.insert(path, cel_value(value))),
        }
    }
    let mut context = Context::with_env(ENV.clone());
    for (name, value) in variables {
        context.add_variable(name, value).unwrap();
    }
    context
}

fn object<'a>(variables: &'a mut BTreeMap<&str, Json>, group: &str) -> &'a mut Map<String, Json> {
    variables.get_mut(group).unwrap().as_object_mut().unwrap()
}

fn cel_value(value: &Value) -> Json {
    match value {
        Value::Number(number) => json!(number.to_string().parse::<f64>().unwrap()),
        Value::Text(text) => json!(text),
        Value::Bool(yes) => json!(yes),
        Value::List(words) => json!(words),
    }
}

fn by_cel(text: &str, known: &Known) -> bool {
    let expression = PrattParser::new().parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match cel::Value::resolve(&expression, &context(known)) {
        Ok(cel::Value::Bool(holds)) => holds,
        other => panic!("{text}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn cel_answers_the_same_where_everything_is_known(written in shared(), known in complete()) {
        let answer = parse(&written.ours).evaluate(&View::of(&facts(known.clone())));
        let by_cel = if by_cel(&written.cel, &known) { Truth::True } else { Truth::False };
        prop_assert_eq!(answer, by_cel, "{} | {}", written.ours, written.cel);
    }
}
