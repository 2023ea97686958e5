//! Random conditions over a dozen fields, written in our language and in CEL, and random records to try them on.

use domain::value::Value;
use proptest::prelude::*;
use proptest::sample::select;

/// Few enough that equality is met often.
const NUMBERS: &[&str] = &["-1", "0", "0.15", "0.150", "50", "200.5", "5000"];
const WORDS: &[&str] = &["aws", "kubernetes", "react", "vercel"];
const NUMBER_FIELDS: &[&str] = &["company.headcount", "company.traffic_trend_90d", "loan_amount"];
const BOOL_FIELDS: &[&str] = &["phone.valid", "email.disposable"];
const TEXT_FIELDS: &[&str] = &["company.cms", "product"];
const LIST_FIELDS: &[&str] = &["company.tech_stack", "company.languages"];
/// Read by `has` alone, so that CEL, which knows no unknown, may miss it.
const OPTIONAL_FIELD: &str = "contact.phone";

/// One condition in both languages.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) ours: String,
    pub(crate) cel: String,
    binds: Binds,
}

/// How strongly its parts hold together, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    Or,
    And,
    Not,
}

impl Written {
    fn clause(ours: String, cel: String) -> Self {
        Self { ours, cel, binds: Binds::Not }
    }

    fn same(text: String) -> Self {
        Self::clause(text.clone(), text)
    }

    /// In our language with brackets only where they are needed.
    fn within(&self, binds: Binds) -> String {
        if self.binds < binds { format!("({})", self.ours) } else { self.ours.clone() }
    }
}

/// A condition of up to three levels that both languages can say.
pub(crate) fn shared() -> impl Strategy<Value = Written> {
    tree(clause().boxed())
}

/// A condition of our own language, the score included.
pub(crate) fn own() -> impl Strategy<Value = String> {
    let score = (operator(), select(&["0", "40", "60.5", "100"][..]));
    let score = score.prop_map(|(operator, bound)| Written::same(format!("score {operator} {bound}")));
    tree(prop_oneof![4 => clause(), 1 => score].boxed()).prop_map(|written| written.ours)
}

fn tree(clause: BoxedStrategy<Written>) -> impl Strategy<Value = Written> {
    clause.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => (prop::collection::vec(inner.clone(), 2..4), select(&["&&", "and", "AND"][..])).prop_map(|(parts, word)| join(&parts, word, "&&", Binds::And)),
            3 => (prop::collection::vec(inner.clone(), 2..4), select(&["||", "or", "OR"][..])).prop_map(|(parts, word)| join(&parts, word, "||", Binds::Or)),
            1 => (inner, select(&["!", "not ", "NOT "][..])).prop_map(|(inner, word)| Written {
                ours: format!("{word}{}", inner.within(Binds::Not)),
                cel: format!("!({})", inner.cel), // CEL's `!` binds more strongly than a comparison, ours less
                binds: Binds::Not,
            }),
        ]
    })
}

fn join(parts: &[Written], ours: &str, cel: &str, binds: Binds) -> Written {
    let ours = parts.iter().map(|part| part.within(binds)).collect::<Vec<_>>().join(&format!(" {ours} "));
    let cel = parts.iter().map(|part| format!("({})", part.cel)).collect::<Vec<_>>().join(cel);
    Written { ours, cel, binds }
}

fn clause() -> impl Strategy<Value = Written> {
    prop_oneof![
        4 => (select(NUMBER_FIELDS), operator(), select(NUMBERS), any::<bool>()).prop_map(|(field, operator, number, swap)| {
            let float = float(number);
            if swap {
                Written::clause(format!("{number} {operator} {field}"), format!("{float} {operator} {field}"))
            } else {
                Written::clause(format!("{field} {operator} {number}"), format!("{field} {operator} {float}"))
            }
        }),
        1 => (select(NUMBER_FIELDS), operator(), select(NUMBER_FIELDS)).prop_map(|(a, operator, b)| Written::same(format!("{a} {operator} {b}"))),
        2 => (select(TEXT_FIELDS), operator(), select(WORDS)).prop_map(|(field, operator, word)| Written::same(format!("{field} {operator} \"{word}\""))),
        1 => (select(BOOL_FIELDS), select(&["==", "!="][..]), any::<bool>()).prop_map(|(field, operator, yes)| Written::same(format!("{field} {operator} {yes}"))),
        2 => select(BOOL_FIELDS).prop_map(|field| Written::same(field.to_owned())),
        1 => any::<bool>().prop_map(|yes| Written::same(yes.to_string())),
        2 => (select(LIST_FIELDS), select(WORDS)).prop_map(|(field, word)| Written::same(format!("\"{word}\" in {field}"))),
        1 => (select(TEXT_FIELDS), select(LIST_FIELDS)).prop_map(|(text, list)| Written::same(format!("{text} in {list}"))),
        2 => (select(TEXT_FIELDS), prop::collection::vec(select(WORDS), 1..4)).prop_map(|(field, words)| {
            let words = format!("\"{}\"", words.join("\", \""));
            Written::clause(format!("{field} in ({words})"), format!("{field} in [{words}]"))
        }),
        1 => (select(NUMBER_FIELDS), prop::collection::vec(select(NUMBERS), 1..4)).prop_map(|(field, numbers)| {
            let floats: Vec<String> = numbers.iter().map(|number| float(number)).collect();
            Written::clause(format!("{field} in [{}]", numbers.join(", ")), format!("{field} in [{}]", floats.join(", ")))
        }),
        2 => (select(NUMBER_FIELDS), select(NUMBERS), select(NUMBERS), select(&[("<", "<="), ("<=", "<="), (">", ">="), (">", ">")][..])).prop_map(
            |(field, a, b, (first, second))| {
                let (left, right) = (float(a), float(b));
                let cel = format!("({left} {first} {field} && {field} {second} {right})");
                Written::clause(format!("{a} {first} {field} {second} {b}"), cel)
            }
        ),
        2 => select(&[OPTIONAL_FIELD, "company.headcount", "company.cms"][..]).prop_map(|field| Written::same(format!("has({field})"))),
    ]
}

fn operator() -> impl Strategy<Value = &'static str> {
    select(&["==", "!=", "<", "<=", ">", ">="][..])
}

/// CEL compares a whole number and a fraction in ways of its own; here every number is a double. All of them have few
/// digits, so that doubles are equal exactly where decimals are.
fn float(number: &str) -> String {
    if number.contains('.') { number.to_owned() } else { format!("{number}.0") }
}

/// What is known of one signup.
pub(crate) type Known = Vec<(&'static str, Value)>;

/// A record that lacks nothing but, perhaps, the field that only `has` reads.
pub(crate) fn complete() -> impl Strategy<Value = Known> {
    let number = || select(NUMBERS).prop_map(|digits| Value::Number(digits.parse().unwrap()));
    let word = || select(WORDS).prop_map(Value::text);
    let list = || prop::collection::vec(select(WORDS), 1..4).prop_map(Value::list);
    let numbers = prop::collection::vec(number(), NUMBER_FIELDS.len());
    let bools = prop::collection::vec(any::<bool>().prop_map(Value::Bool), BOOL_FIELDS.len());
    let texts = prop::collection::vec(word(), TEXT_FIELDS.len());
    let lists = prop::collection::vec(list(), LIST_FIELDS.len());
    (numbers, bools, texts, lists, any::<bool>()).prop_map(|(numbers, bools, texts, lists, has_phone)| {
        let paths = [NUMBER_FIELDS, BOOL_FIELDS, TEXT_FIELDS, LIST_FIELDS].concat();
        let mut known: Known = paths.into_iter().zip(numbers.into_iter().chain(bools).chain(texts).chain(lists)).collect();
        known.extend(has_phone.then(|| (OPTIONAL_FIELD, Value::text("+14155550100"))));
        known
    })
}
