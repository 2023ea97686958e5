//! Three-valued logic: the tables, and laws over generated conditions.

use domain::condition::{Condition, Truth, View};
use domain::merge::Facts;
use domain::schema::{Field, Schema};
use proptest::prelude::*;

use crate::generate::{Known, complete, own};
use crate::{cases, facts, parse};

const TRUTHS: [(&str, Truth); 3] = [("true", Truth::True), ("false", Truth::False), ("phone.valid", Truth::Unknown)];

fn with_nothing_known(text: &str) -> Truth {
    parse(text).evaluate(&View::default())
}

#[test]
fn and_or_and_not_follow_the_tables_of_strong_kleene_logic() {
    use Truth::{False, True, Unknown};
    // Rows and columns: true, false, unknown.
    let and = [[True, False, Unknown], [False, False, False], [Unknown, False, Unknown]];
    let or = [[True, True, True], [True, False, Unknown], [True, Unknown, Unknown]];
    let not = [False, True, Unknown];
    for (row, (left, _)) in TRUTHS.iter().enumerate() {
        assert_eq!(with_nothing_known(&format!("not {left}")), not[row], "not {left}");
        for (column, (right, _)) in TRUTHS.iter().enumerate() {
            assert_eq!(with_nothing_known(&format!("{left} and {right}")), and[row][column], "{left} and {right}");
            assert_eq!(with_nothing_known(&format!("{left} or {right}")), or[row][column], "{left} or {right}");
        }
    }
}

#[test]
fn a_chain_is_the_conjunction_of_its_links() {
    for (text, answer) in [
        ("1 < 2 <= 2 < 3", Truth::True),
        ("3 > 2 >= 2 > 2", Truth::False),
        ("3 <= 2 <= company.headcount", Truth::False),
        ("not 3 <= 2 <= company.headcount", Truth::True),
        ("1 <= 2 <= company.headcount", Truth::Unknown),
    ] {
        assert_eq!(with_nothing_known(text), answer, "{text}");
    }
    let score = |low, high| parse("40 <= score < 60").evaluate(&View::default().with_score(low, high));
    assert_eq!((score(40, 59), score(39, 50), score(60, 80), score(0, 39)), (Truth::True, Truth::Unknown, Truth::False, Truth::False));
}

#[test]
fn an_interval_of_scores_answers_as_its_points_do() {
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        let condition = parse(&format!("score {operator} 2"));
        for (low, high) in (0..=4).flat_map(|low| (low..=4).map(move |high| (low, high))) {
            let mut answers: Vec<Truth> = (low..=high).map(|score| condition.evaluate(&View::default().with_score(score, score))).collect();
            answers.dedup();
            let agreed = if answers.len() == 1 { answers[0] } else { Truth::Unknown };
            assert_eq!(condition.evaluate(&View::default().with_score(low, high)), agreed, "{condition} with {low}…{high}");
        }
    }
}

/// What is known at first of a record that will be known whole, and a score that will be known exactly.
#[derive(Debug)]
struct Partly {
    early: Facts,
    open: Vec<Field>,
    late: Facts,
    scores: [(i64, i64); 2],
}

impl Partly {
    fn early(&self) -> View<'_> {
        View::of(&self.early).with_open(self.open.iter().cloned()).with_score(self.scores[0].0, self.scores[0].1)
    }

    fn late(&self) -> View<'_> {
        View::of(&self.late).with_score(self.scores[1].0, self.scores[1].1)
    }
}

fn partly() -> impl Strategy<Value = Partly> {
    let masks = prop::collection::vec(0u8..3, 10);
    (complete(), masks, prop::array::uniform4(0i64..=100)).prop_map(|(known, masks, mut scores)| {
        let path = |path: &str| Schema::default().field(path).unwrap();
        // 0: known from the start; 1: learnt later; 2: never learnt, though a step could have supplied it.
        let masked: Vec<(u8, (&str, domain::value::Value))> = masks.into_iter().chain(std::iter::repeat(0)).zip(known).collect();
        let of = |most: u8| -> Known { masked.iter().filter(|(mask, _)| *mask <= most).map(|(_, known)| known.clone()).collect() };
        scores.sort_unstable();
        Partly {
            early: facts(of(0)),
            open: masked.iter().filter(|(mask, _)| *mask > 0).map(|(_, (field, _))| path(field)).chain([path("contact.phone")]).collect(),
            late: facts(of(1)),
            scores: [(scores[0], scores[3]), (scores[1], scores[2])],
        }
    })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn learning_a_field_never_flips_a_settled_answer(text in own(), record in partly()) {
        let condition = parse(&text);
        let (early, late) = (condition.evaluate(&record.early()), condition.evaluate(&record.late()));
        prop_assert!(early == Truth::Unknown || early == late, "{early:?}, then {late:?}: {text}");
    }

    #[test]
    fn a_not_may_be_drawn_into_the_brackets(a in own(), b in own(), record in partly()) {
        let answer = |text: String| Condition::parse(&text, &Schema::default()).map(|condition| condition.evaluate(&record.early()));
        prop_assert_eq!(answer(format!("!(({a}) && ({b}))")), answer(format!("!({a}) || !({b})")));
        prop_assert_eq!(answer(format!("!(({a}) || ({b}))")), answer(format!("!({a}) && !({b})")));
        prop_assert_eq!(answer(format!("!!({a})")), answer(a));
    }

    #[test]
    fn an_unknown_answer_names_what_it_lacks_and_a_settled_one_its_clauses(text in own(), record in partly()) {
        let condition = parse(&text);
        let because = condition.because(&record.early());
        let clauses = condition.clauses(&record.early());
        prop_assert!(clauses.iter().any(|clause| because.contains(&format!("`{}`", clause.text))), "{because}");
        let is_open = condition.evaluate(&record.early()) == Truth::Unknown;
        prop_assert_eq!(because.contains(" is unknown: "), is_open, "{}: {}", text, because);
        for clause in clauses {
            prop_assert!(text.contains(clause.text));
            prop_assert_eq!(parse(clause.text).evaluate(&record.early()), clause.truth, "{}", clause.text);
        }
    }
}
