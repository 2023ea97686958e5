//! Rules of which the first that holds decides: those that no lead comes to, because the ones before them hold first.

use super::never::{contradiction, is_switched_off, never_holds};
use super::sheet::{Placed, Routed, Scored, Sheet};
use super::worlds::{Points, Worlds};
use crate::condition::{Condition, Truth};
use crate::config::Finding;
use crate::schema::Schema;

/// Scores that no lead has: where a condition holds for one of them and for none of the others, it asks for too much.
const FAR: Points<'_> = Points::Between(-100, 1000);

/// Why no lead comes to a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// It never holds.
    Never,
    /// It holds exactly when this earlier one does.
    Same(usize),
    /// Whenever it holds, this earlier one does, which may hold always.
    Under { earlier: usize, always: bool },
    /// Whenever it holds, one of these earlier ones does.
    Among(Vec<usize>),
}

/// How the rules of one list can be asked.
struct Ordered<'a, W> {
    conditions: Vec<&'a Condition>,
    /// The worlds that some of them can tell apart.
    worlds: W,
    /// Whether an answer counts as holding.
    holds: fn(Truth) -> bool,
}

impl<'a, W: Fn(&[&'a Condition]) -> Option<Worlds<'a>>> Ordered<'a, W> {
    fn fault(&self, nth: usize) -> Option<Fault> {
        let (own, earlier) = (self.conditions[nth], &self.conditions[..nth]);
        if let Some(same) = earlier.iter().position(|other| other.same_as(own)) {
            return Some(Fault::Same(same));
        }
        let before = |truths: &[Truth]| truths[..truths.len() - 1].iter().all(|truth| *truth != Truth::True);
        let comes_here = |truths: &[Truth]| (self.holds)(truths[truths.len() - 1]) && before(truths);
        let of_all = self.any(&self.conditions[..=nth], comes_here);
        if of_all == Some(true) {
            return None;
        }
        if self.any(&[own], |truths| (self.holds)(truths[0])) == Some(false) {
            return Some(Fault::Never);
        }
        for (place, other) in earlier.iter().enumerate() {
            if self.any(&[*other, own], comes_here) == Some(false) {
                let apart = self.any(&[*other, own], |truths| truths[0] != truths[1]);
                let always = self.any(&[*other], |truths| truths[0] != Truth::True) == Some(false);
                return Some(if apart == Some(false) { Fault::Same(place) } else { Fault::Under { earlier: place, always } });
            }
        }
        of_all.map(|_| Fault::Among(self.cover(nth, comes_here)))
    }

    /// Earlier rules that leave this one nothing, none of which could be spared.
    fn cover(&self, nth: usize, comes_here: impl Fn(&[Truth]) -> bool) -> Vec<usize> {
        let mut cover: Vec<usize> = (0..nth).collect();
        for spared in 0..nth {
            let fewer = cover.iter().copied().filter(|place| *place != spared);
            let conditions: Vec<&Condition> = fewer.chain([nth]).map(|place| self.conditions[place]).collect();
            if self.any(&conditions, &comes_here) == Some(false) {
                cover.retain(|place| *place != spared);
            }
        }
        cover
    }

    /// Whether some world gives these conditions answers of this kind; `None` where there are too many to look.
    fn any(&self, conditions: &[&'a Condition], is_so: impl Fn(&[Truth]) -> bool) -> Option<bool> {
        (self.worlds)(conditions)?.any(|view| is_so(&conditions.iter().map(|condition| condition.evaluate(view)).collect::<Vec<_>>()))
    }
}

/// The route rules, the default ones and those of the sets.
pub(super) fn routes(sheet: &Sheet<'_>) -> Vec<Finding> {
    // A set with scoring rules alone takes the default routes, and one with routes alone the default score.
    let of_sets = sheet.sets.iter().filter(|set| set.route.is_none()).filter_map(|set| set.score.as_deref());
    let scores: Vec<&[Scored<'_>]> = [sheet.score.as_slice()].into_iter().chain(of_sets).collect();
    let mut found = of_list(&sheet.route, &scores, sheet.schema);
    for set in &sheet.sets {
        let score = set.score.as_deref().unwrap_or(&sheet.score);
        found.extend(set.route.iter().flat_map(|route| of_list(route, &[score], sheet.schema)));
    }
    found
}

/// `scores` are the scoring rules that the list may stand behind: a fault is one only if it is one behind all of them.
fn of_list(rules: &[Routed<'_>], scores: &[&[Scored<'_>]], schema: &Schema) -> Vec<Finding> {
    let fault = |nth: usize, score| {
        let conditions = rules.iter().map(|rule| &rule.placed.when).collect();
        let worlds = |some: &[_]| Worlds::decided(some, Points::Of(score), schema);
        Ordered { conditions, worlds, holds: |truth| truth != Truth::False }.fault(nth)
    };
    let mut found = Vec::new();
    for (nth, rule) in rules.iter().enumerate().filter(|(_, rule)| !is_switched_off(&rule.placed.when)) {
        let faults: Option<Vec<Fault>> = scores.iter().map(|score| fault(nth, score)).collect();
        let Some(fault) = faults.and_then(|faults| faults.into_iter().next()) else { continue };
        found.push(match fault {
            Fault::Never => out_of_reach(&rule.placed, scores[0], schema).unwrap_or_else(|| contradiction(&rule.placed)),
            Fault::Same(other) if rules[other].to != rule.to => diverging(rule, &rules[other]),
            other => hidden(&rule.placed, &other, &rules.iter().map(|rule| &rule.placed).collect::<Vec<_>>()),
        });
    }
    found
}

/// The sets: the first whose condition holds is used.
pub(super) fn sets(sheet: &Sheet<'_>) -> Vec<Finding> {
    let placed: Vec<&Placed<'_>> = sheet.sets.iter().map(|set| &set.placed).collect();
    let conditions = placed.iter().map(|placed| &placed.when).collect();
    let worlds = |some: &[_]| Worlds::of_signup(some, sheet.schema);
    let ordered = Ordered { conditions, worlds, holds: |truth| truth == Truth::True };
    let meant = (0..placed.len()).filter(|nth| !is_switched_off(&placed[*nth].when));
    let faults = meant.filter_map(|nth| Some((placed[nth], ordered.fault(nth)?)));
    let finding = |(own, fault)| if fault == Fault::Never { contradiction(own) } else { hidden(own, &fault, &placed) };
    faults.map(finding).collect()
}

/// What is said of a rule behind others that hold first.
fn hidden(own: &Placed<'_>, fault: &Fault, all: &[&Placed<'_>]) -> Finding {
    let message = match fault {
        Fault::Never => return contradiction(own),
        Fault::Same(other) => format!("{} says the same as the one in line {}; drop one of them", own.what, all[*other].line),
        Fault::Under { earlier, always } => {
            let (line, when) = (all[*earlier].line, if *always { "the" } else { "whenever it holds, the" });
            let does = if *always { "always holds" } else { "holds" };
            format!("nothing comes to {}: {when} one in line {line} {does} and comes first; write it above that one, or drop it", own.what)
        }
        Fault::Among(others) => {
            let lines: Vec<String> = others.iter().map(|other| all[*other].line.to_string()).collect();
            let lines = lines.split_last().map_or_else(String::new, |(last, first)| format!("{} and {last}", first.join(", ")));
            format!(
                "nothing comes to {}: whenever it holds, one of those in lines {lines} holds and comes first; write it above them, or drop it",
                own.what
            )
        }
    };
    Finding::new(own.file, own.line, message)
}

/// Two rules that hold together and send the lead to different tracks.
fn diverging(own: &Routed<'_>, first: &Routed<'_>) -> Finding {
    let message = format!(
        "{} holds exactly when the one in line {} does, which comes first and leads to {}: nothing comes here to go to {}; let the two \
         differ, or drop one of them",
        own.placed.what,
        first.placed.line,
        first.to.as_str(),
        own.to.as_str()
    );
    Finding::new(own.placed.file, own.placed.line, message)
}

/// What is said of a rule that asks for a score which the scoring rules do not give where the rest of it holds.
fn out_of_reach(placed: &Placed<'_>, score: &[Scored<'_>], schema: &Schema) -> Option<Finding> {
    if !placed.when.reads_score() || never_holds(&placed.when, FAR, schema) {
        return None;
    }
    let mut given: Option<(i64, i64)> = None;
    Worlds::decided(&[&placed.when], Points::Of(score), schema)?.any_scored(|view, score| {
        let rest = placed.when.evaluate(&view.clone().with_score(i64::from(i32::MIN), i64::from(i32::MAX)));
        if let Some(score) = score.filter(|_| rest != Truth::False) {
            given = Some(given.map_or((score, score), |(low, high)| (low.min(score), high.max(score))));
        }
        false
    })?;
    let (low, high) = given?;
    let place = if placed.when.fields().is_empty() { "" } else { "where the rest of it does, " };
    let message = format!(
        "{}: `{}` never holds: {place}the score rules give {low} to {high} points; write a score that they reach, or drop it",
        placed.what, placed.when
    );
    Some(Finding::new(placed.file, placed.line, message))
}
