//! The worlds that conditions can tell apart: one value of each field for each way in which they can answer, as in
//! [`crate::possible`], and every score that the score rules give there.

use std::collections::BTreeSet;

use super::sheet::Scored;
use crate::condition::{Assumed, Condition, Cuts, Truth, View};
use crate::schema::{Field, Schema};
use crate::signup::Arrival;
use crate::value::Value;

/// More worlds than this are not looked at.
const WORLDS_MAX: usize = 4096;
/// More worlds times ways to score are not looked at.
const SCORINGS_MAX: usize = 65_536;
/// More different sums of points are not looked at.
const SUMS_MAX: usize = 4096;
/// The least and the most points of a lead.
const SCORE: (i64, i64) = (0, 100);

/// Where the score of a world comes from.
#[derive(Clone, Copy)]
pub(super) enum Points<'a> {
    /// It may be any between these two.
    Between(i64, i64),
    /// These rules give it.
    Of(&'a [Scored<'a>]),
}

impl Points<'_> {
    /// Any score that a lead can have.
    pub(super) const ANY: Self = Self::Between(SCORE.0, SCORE.1);
}

/// A field and what it can be: a value that somebody told, one that nobody told, or nothing at all.
struct Axis {
    field: Field,
    states: Vec<Option<(Value, bool)>>,
}

/// The worlds of some conditions.
pub(super) struct Worlds<'a> {
    axes: Vec<Axis>,
    /// Fields that no few values stand for. Whatever reads them is unknown.
    uncut: BTreeSet<Field>,
    scores: Option<Scores<'a>>,
}

/// How a world is scored: rules that share a field are looked at together, and their sums are added up.
enum Scores<'a> {
    Between(i64, i64),
    Of(Vec<Group<'a>>),
}

struct Group<'a> {
    rules: Vec<&'a Scored<'a>>,
    axes: Vec<Axis>,
}

impl<'a> Worlds<'a> {
    /// The worlds after all was asked: what is missing may have any value, as in the choice of a track. `None` where there are
    /// too many.
    pub(super) fn decided(conditions: &[&'a Condition], points: Points<'a>, schema: &Schema) -> Option<Self> {
        let score = match points {
            Points::Of(rules) if conditions.iter().any(|condition| condition.reads_score()) => rules,
            _ => &[],
        };
        let cuts = Cuts::of(conditions.iter().copied().chain(score.iter().map(|rule| &rule.placed.when)));
        let own: BTreeSet<Field> = conditions.iter().flat_map(|condition| condition.fields()).collect();
        let mut uncut = BTreeSet::new();
        let axes = axes_of(&own, &cuts, schema, false, &mut uncut);
        let scores = match points {
            _ if !conditions.iter().any(|condition| condition.reads_score()) => None,
            Points::Between(low, high) => Some(Scores::Between(low, high)),
            Points::Of(rules) => Some(Scores::Of(groups(rules, &own, &cuts, schema, &mut uncut))),
        };
        Self { axes, uncut, scores }.if_few()
    }

    /// The worlds of a signup that never learns more: a field has a value or none. `None` where there are too many, or no few values
    /// stand for all.
    pub(super) fn of_signup(conditions: &[&'a Condition], schema: &Schema) -> Option<Self> {
        let own = conditions.iter().flat_map(|condition| condition.fields()).collect();
        let mut uncut = BTreeSet::new();
        let axes = axes_of(&own, &Cuts::of(conditions.iter().copied()), schema, true, &mut uncut);
        if uncut.is_empty() { Self { axes, uncut, scores: None }.if_few() } else { None }
    }

    fn if_few(self) -> Option<Self> {
        let worlds = count(&self.axes).filter(|worlds| *worlds <= WORLDS_MAX)?;
        if let Some(Scores::Of(groups)) = &self.scores {
            let ways = groups.iter().map(|group| count(&group.axes)).sum::<Option<usize>>()?;
            if worlds.saturating_mul(ways) > SCORINGS_MAX {
                return None;
            }
        }
        Some(self)
    }

    /// Whether something is so in any of them; `None` where the score has too many values.
    pub(super) fn any(&self, mut is_so: impl FnMut(&View<'_>) -> bool) -> Option<bool> {
        self.any_scored(|view, _| is_so(view))
    }

    /// As [`Worlds::any`], told the score where the conditions read it.
    pub(super) fn any_scored(&self, mut is_so: impl FnMut(&View<'_>, Option<i64>) -> bool) -> Option<bool> {
        let open = View::default().with_open(self.uncut.iter().cloned());
        let mut too_many = false;
        let found = any_cell(&self.axes, &mut Vec::new(), &mut |assumed| {
            let Some(scores) = &self.scores else { return is_so(&open.assuming(assumed), None) };
            match scores.of_world(assumed, &open) {
                Some(scores) => scores.into_iter().any(|score| is_so(&open.assuming(assumed).with_score(score, score), Some(score))),
                None => {
                    too_many = true;
                    true
                }
            }
        });
        (!too_many).then_some(found)
    }
}

impl Scores<'_> {
    fn of_world(&self, assumed: &[Assumed<'_>], open: &View<'_>) -> Option<BTreeSet<i64>> {
        let groups = match self {
            Self::Between(low, high) => return Some((*low..=*high).collect()),
            Self::Of(groups) => groups,
        };
        let mut sums = BTreeSet::from([0_i64]);
        for group in groups {
            let of_group = group.sums(assumed, open);
            sums = sums.iter().flat_map(|sum| of_group.iter().map(move |more| sum.saturating_add(*more))).collect();
            if sums.len() > SUMS_MAX {
                return None;
            }
        }
        Some(sums.into_iter().map(|sum| sum.clamp(SCORE.0, SCORE.1)).collect())
    }
}

impl Group<'_> {
    /// The sums that its rules can give together.
    fn sums(&self, assumed: &[Assumed<'_>], open: &View<'_>) -> BTreeSet<i64> {
        let mut found = BTreeSet::new();
        any_cell(&self.axes, &mut assumed.to_vec(), &mut |assumed| {
            let view = open.assuming(assumed);
            let mut sums = BTreeSet::from([0_i64]);
            for rule in &self.rules {
                let more: BTreeSet<i64> = sums.iter().map(|sum| sum.saturating_add(rule.points)).collect();
                match rule.placed.when.evaluate(&view) {
                    Truth::False => {}
                    Truth::True => sums = more,
                    Truth::Unknown => sums.extend(more),
                }
            }
            found.append(&mut sums);
            found.len() > SUMS_MAX
        });
        found
    }
}

fn axes_of(fields: &BTreeSet<Field>, cuts: &Cuts<'_>, schema: &Schema, may_miss: bool, uncut: &mut BTreeSet<Field>) -> Vec<Axis> {
    let mut axes = Vec::new();
    for field in fields {
        let Some(values) = cuts.values(field, schema.kind_of(field).0, &View::default()) else {
            uncut.insert(field.clone());
            continue;
        };
        let values = if *field == Field::known("signup.arrival") { arrivals() } else { values };
        let told = values.iter().map(|value| Some((value.clone(), true)));
        let untold = values.iter().filter(|_| !may_miss && cuts.asks_for(field)).map(|value| Some((value.clone(), false)));
        axes.push(Axis { field: field.clone(), states: told.chain(untold).chain(may_miss.then_some(None)).collect() });
    }
    axes
}

/// All ways in which a signup can arrive: this field holds no other word.
fn arrivals() -> Vec<Value> {
    Arrival::ALL.map(|arrival| Value::text(arrival.as_str())).to_vec()
}

/// The rules in groups that share no field but those of the world.
fn groups<'a>(
    rules: &'a [Scored<'a>],
    world: &BTreeSet<Field>,
    cuts: &Cuts<'_>,
    schema: &Schema,
    uncut: &mut BTreeSet<Field>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<(BTreeSet<Field>, Vec<&'a Scored<'a>>)> = Vec::new();
    for rule in rules {
        let mut fields: BTreeSet<Field> = rule.placed.when.fields().into_iter().filter(|field| !world.contains(field)).collect();
        let (joined, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(other, _)| !other.is_disjoint(&fields));
        let mut together = Vec::new();
        for (other, rules) in joined {
            fields.extend(other);
            together.extend(rules);
        }
        together.push(rule);
        groups = apart;
        groups.push((fields, together));
    }
    groups.into_iter().map(|(fields, rules)| Group { rules, axes: axes_of(&fields, cuts, schema, false, uncut) }).collect()
}

/// `None` where there are more than anybody looks at.
fn count(axes: &[Axis]) -> Option<usize> {
    axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.states.len()).filter(|count| *count <= SCORINGS_MAX))
}

/// Whether something is so in any combination of states.
fn any_cell<'x>(axes: &'x [Axis], assumed: &mut Vec<Assumed<'x>>, is_so: &mut dyn FnMut(&[Assumed<'x>]) -> bool) -> bool {
    let Some((first, rest)) = axes.split_first() else { return is_so(assumed) };
    first.states.iter().any(|state| {
        let Some((value, is_present)) = state else { return any_cell(rest, assumed, is_so) };
        assumed.push(Assumed { field: &first.field, value, is_present: *is_present });
        let found = any_cell(rest, assumed, is_so);
        assumed.pop();
        found
    })
}
