//! Why a condition answers as it does: its clauses one by one, and those that settled the whole.

use super::{Condition, Expression, Truth, View};
use crate::schema::Field;

/// One clause of a condition: a comparison, an `in`, a `has` or a yes-or-no field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause<'a> {
    /// The clause as it was written; each link of `50 <= x <= 5000` is a clause of its own.
    pub text: &'a str,
    /// What it answers by itself, before a `not` around it.
    pub truth: Truth,
    /// The fields it reads that are not known, sorted.
    pub missing: Vec<Field>,
    reads_score: bool,
}

impl Condition {
    /// The clauses in the order in which they are written.
    #[must_use]
    pub fn clauses(&self, view: &View<'_>) -> Vec<Clause<'_>> {
        let mut leaves = Vec::new();
        self.expression.collect_clauses(&mut leaves);
        debug_assert_eq!(leaves.len(), self.spans.len(), "the parser notes one span a clause");
        let clause = |(leaf, span): (&Expression, &std::ops::Range<usize>)| Clause {
            text: &self.text[span.clone()],
            truth: leaf.evaluate(view),
            missing: missing(leaf, view),
            reads_score: leaf.reads_score(),
        };
        leaves.into_iter().zip(&self.spans).map(clause).collect()
    }

    /// One sentence that names the clauses which settled the answer: the false ones of an `and` that is false, the true
    /// ones of an `or` that is true, the unknown ones with what they lack while the answer is open.
    #[must_use]
    pub fn because(&self, view: &View<'_>) -> String {
        let clauses = self.clauses(view);
        let (_, settling) = settling(&self.expression, &clauses, &mut 0);
        let sentences: Vec<String> = settling.into_iter().map(|nth| sentence(&clauses[nth], view)).collect();
        sentences.join("; ")
    }
}

impl Expression {
    fn collect_clauses<'a>(&'a self, clauses: &mut Vec<&'a Self>) {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().for_each(|part| part.collect_clauses(clauses)),
            Self::Not(inner) => inner.collect_clauses(clauses),
            Self::Compare { .. } | Self::In { .. } | Self::Has(_) | Self::Is(_) | Self::Named(_) => clauses.push(self),
        }
    }
}

fn missing(leaf: &Expression, view: &View<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    leaf.collect_fields(&mut fields);
    fields.retain(|field| view.value(field).is_none());
    fields.sort();
    fields.dedup();
    fields
}

/// The answer and the clauses that settled it: of an `and` or `or`, those of the parts that answer as the whole does.
fn settling(expression: &Expression, clauses: &[Clause<'_>], next: &mut usize) -> (Truth, Vec<usize>) {
    let (parts, settles) = match expression {
        Expression::Any(parts) => (parts, Truth::True),
        Expression::All(parts) => (parts, Truth::False),
        Expression::Not(inner) => {
            let (truth, inner) = settling(inner, clauses, next);
            return (truth.not(), inner);
        }
        Expression::Compare { .. } | Expression::In { .. } | Expression::Has(_) | Expression::Is(_) | Expression::Named(_) => {
            let nth = *next;
            *next += 1;
            return (clauses[nth].truth, vec![nth]);
        }
    };
    let answers: Vec<(Truth, Vec<usize>)> = parts.iter().map(|part| settling(part, clauses, next)).collect();
    let whole = [settles, Truth::Unknown].into_iter().find(|wanted| answers.iter().any(|(truth, _)| truth == wanted));
    let whole = whole.unwrap_or(settles.not());
    (whole, answers.into_iter().filter(|(truth, _)| *truth == whole).flat_map(|(_, clauses)| clauses).collect())
}

fn sentence(clause: &Clause<'_>, view: &View<'_>) -> String {
    let text = clause.text;
    match clause.truth {
        Truth::True => format!("`{text}` holds"),
        Truth::False => format!("`{text}` does not hold"),
        Truth::Unknown => format!("`{text}` is unknown: {}", lacks(clause, view)),
    }
}

fn lacks(clause: &Clause<'_>, view: &View<'_>) -> String {
    let mut lacks: Vec<String> = clause.missing.iter().map(|field| format!("`{field}` is not known")).collect();
    if clause.reads_score {
        lacks.push(match view.score {
            Some((low, high)) => format!("the score is {low}…{high}"),
            None => "there is no score yet".to_owned(),
        });
    }
    lacks.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn parse(text: &str) -> Condition {
        Condition::parse(text, &Schema::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_clause_is_shown_as_written_with_its_answer_and_what_it_lacks() {
        let condition = parse("( score>=60 and !  50 <= lead.headcount <=5000)||has( contact.phone )");
        let view = View::default().with_score(70, 80);
        let shown: Vec<(&str, Truth, usize)> = condition.clauses(&view).iter().map(|c| (c.text, c.truth, c.missing.len())).collect();
        assert_eq!(
            shown,
            [
                ("score>=60", Truth::True, 0),
                ("50 <= lead.headcount", Truth::Unknown, 1),
                ("lead.headcount <=5000", Truth::Unknown, 1),
                ("has( contact.phone )", Truth::False, 1),
            ]
        );
    }

    #[test]
    fn the_reason_names_only_the_clauses_that_settled_the_answer() {
        for (text, because) in [
            ("true and 1 > 2 and phone.valid", "`1 > 2` does not hold"),
            ("1 > 2 and 2 > 3", "`1 > 2` does not hold; `2 > 3` does not hold"),
            ("1 > 2 or 2 > 1 or phone.valid", "`2 > 1` holds"),
            ("1 > 2 or not 2 > 3", "`2 > 3` does not hold"),
            ("not (2 > 1 and not 1 > 2)", "`2 > 1` holds; `1 > 2` does not hold"),
            ("2 > 1 and phone.valid", "`phone.valid` is unknown: `phone.valid` is not known"),
            (
                "company.name = company.legal_name",
                "`company.name = company.legal_name` is unknown: `company.legal_name` is not known, `company.name` is not known",
            ),
            ("2 > 1 and score >= 60", "`score >= 60` is unknown: the score is 55…75"),
        ] {
            assert_eq!(parse(text).because(&View::default().with_score(55, 75)), because, "{text}");
        }
        assert_eq!(parse("score >= 60").because(&View::default()), "`score >= 60` is unknown: there is no score yet");
    }
}
