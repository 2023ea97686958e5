//! Which tracks are still possible, whatever the rules look like: what is not known is cut at the constants that the rules compare
//! it with, and the real rules are run on the pieces (DESIGN §5, "Does it still matter").
//!
//! A field is *open* while an answer may still tell or overturn it, and *missing* when nobody will tell it any more. The rules see
//! a missing field as unknown, whatever it may be in truth; so a lead is decided when all its pieces lead to one track.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::condition::{Assumed, Cuts, View};
use crate::gate::{self, GateRule, Verdict};
use crate::merge::Facts;
use crate::route::{RouteRules, Track, Tracks};
use crate::schema::{Field, Schema};
use crate::score::{self, ScoreRule};
use crate::steady::{self, Before};
use crate::units::BasisPoints;
use crate::value::Value;

/// So often the rules are run for one question; beyond it every track that they leave open counts as possible.
const RUNS_MAX: u32 = 4096;

/// The rules that make a track out of what is known.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The gate's.
    pub gate: &'a [GateRule],
    /// The score's.
    pub score: &'a [ScoreRule],
    /// The route's.
    pub route: &'a RouteRules,
    /// What was decided for good before: the track that the lead stays on while nothing speaks clearly for another.
    pub before: Option<&'a Before>,
}

impl<'a> Rules<'a> {
    /// Where a lead is while several tracks are possible: where it was decided to be, or on the honest default.
    fn while_unknown(&self, view: &View<'_>) -> Track {
        self.before.map_or_else(|| self.route.undecided.track(view), |before| before.track)
    }

    fn clauses(&self) -> Cuts<'a> {
        let gate = self.gate.iter().map(|rule| &rule.when);
        let score = self.score.iter().map(|rule| &rule.when);
        Cuts::of(gate.chain(score).chain(self.route.rules.iter().map(|rule| &rule.when)))
    }
}

/// What is known, and what may yet be.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// Rules see no fact that is less sure.
    pub floor: BasisPoints,
    /// The fields that an answer may still tell or overturn.
    pub open: &'a BTreeSet<Field>,
}

impl<'a> Known<'a> {
    /// What conditions see for good: an answer may overturn what is open.
    fn view(&self) -> View<'a> {
        View::of(self.facts).with_floor(self.floor).hiding(self.open)
    }
}

/// A field that is not known, and the values that stand for all it may be.
#[derive(Debug)]
struct Unknown {
    field: Field,
    is_open: bool,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    value: Value,
    is_present: bool,
}

/// The question which tracks are possible, for one state of knowledge.
#[derive(Debug)]
pub struct Possible<'a> {
    rules: Rules<'a>,
    known: Known<'a>,
    unknown: Vec<Unknown>,
    /// Fields that are not known and cannot be cut: what the rules leave open because of them stays possible.
    uncut: BTreeSet<Field>,
    /// The tracks that are possible, and whether they could be told within the cap: every question begins with them.
    overview: OnceCell<(Tracks, bool)>,
}

impl<'a> Possible<'a> {
    /// Cuts what is not known.
    #[must_use]
    pub fn new(rules: Rules<'a>, known: Known<'a>, schema: &Schema) -> Self {
        let clauses = rules.clauses();
        let gate = Cuts::of(rules.gate.iter().map(|rule| &rule.when));
        let gate = gate.fields();
        let view = known.view();
        let (mut unknown, mut uncut) = (Vec::new(), BTreeSet::new());
        for field in clauses.fields().into_iter().filter(|field| view.value(field).is_none()) {
            let Some(values) = clauses.values(field, schema.kind_of(field).0, &view) else {
                uncut.insert(field.clone());
                continue;
            };
            let is_open = known.open.contains(field);
            // Whether a value was told makes a difference to the gate and to `has` alone.
            let differs = gate.contains(field) || clauses.asks_for(field);
            let pieces = values.into_iter().flat_map(|value| {
                let untold = (!is_open || differs).then(|| Piece { value: value.clone(), is_present: false });
                is_open.then_some(Piece { value, is_present: true }).into_iter().chain(untold)
            });
            unknown.push(Unknown { field: field.clone(), is_open, pieces: pieces.collect() });
        }
        Self { rules, known, unknown, uncut, overview: OnceCell::new() }
    }

    /// The tracks that are possible.
    #[must_use]
    pub fn tracks(&self) -> Tracks {
        self.overview().0
    }

    fn overview(&self) -> (Tracks, bool) {
        *self.overview.get_or_init(|| {
            let mut search = self.search();
            let tracks = search.tracks(&[]);
            (tracks, search.runs_left > 0)
        })
    }

    /// Whether there are answers to all other questions after which it depends on these fields which track the lead takes.
    #[must_use]
    pub fn depends_on(&self, fields: &BTreeSet<Field>) -> bool {
        self.search().depends_on(fields)
    }

    /// How much the answer about these fields narrows the possible tracks: how many fall away, added up over the answers, and the
    /// number of answers.
    #[must_use]
    pub fn narrowed_by(&self, fields: &BTreeSet<Field>) -> (u64, u64) {
        self.search().narrowed_by(fields)
    }

    fn search(&self) -> Search<'_> {
        Search { possible: self, runs_left: RUNS_MAX }
    }
}

/// One walk over the pieces: depth first, and no further where the rules leave nothing open any more.
struct Search<'p> {
    possible: &'p Possible<'p>,
    runs_left: u32,
}

type Assumptions<'p> = Vec<Assumed<'p>>;

impl<'p> Search<'p> {
    fn tracks(&mut self, assumed: &[Assumed<'p>]) -> Tracks {
        let mut found = Tracks::default();
        let fields: Vec<&Unknown> = self.possible.unknown.iter().filter(|unknown| !is_assumed(assumed, &unknown.field)).collect();
        self.collect(&mut assumed.to_vec(), &fields, &mut found);
        found
    }

    fn collect(&mut self, assumed: &mut Assumptions<'p>, fields: &[&'p Unknown], found: &mut Tracks) {
        let left_open = self.left_open(assumed);
        if left_open.is_within(*found) {
            return;
        }
        let Some((first, rest)) = fields.split_first().filter(|_| left_open.len() > 1 && self.runs_left > 0) else {
            *found = found.union(left_open);
            return;
        };
        for piece in &first.pieces {
            assumed.push(first.assumed(piece));
            self.collect(assumed, rest, found);
            assumed.pop();
        }
    }

    fn depends_on(&mut self, asked: &BTreeSet<Field>) -> bool {
        let possible = self.possible;
        // Where the tracks cannot be told apart within the cap, the decision could not be told either: then everything matters.
        let (tracks, is_told) = possible.overview();
        if tracks.len() > 1 && !is_told {
            return true;
        }
        if possible.uncut.iter().any(|field| possible.known.open.contains(field)) {
            return self.left_open(&[]).len() > 1;
        }
        let open = possible.unknown.iter().filter(|unknown| unknown.is_open);
        let (asked, others): (Vec<_>, Vec<_>) = open.partition(|unknown| asked.contains(&unknown.field));
        self.divides(&mut Vec::new(), &others, &asked)
    }

    /// Whether some answers to `others` leave the track to what `asked` will be.
    fn divides(&mut self, assumed: &mut Assumptions<'p>, others: &[&'p Unknown], asked: &[&'p Unknown]) -> bool {
        if self.runs_left == 0 {
            return true;
        }
        if self.left_open(assumed).len() <= 1 {
            return false;
        }
        let Some((first, rest)) = others.split_first() else {
            let mut outcomes = Tracks::default();
            self.outcomes(assumed, asked, &mut outcomes);
            return outcomes.len() > 1 || self.runs_left == 0;
        };
        first.pieces.iter().any(|piece| {
            assumed.push(first.assumed(piece));
            let divides = self.divides(assumed, rest, asked);
            assumed.pop();
            divides
        })
    }

    /// The tracks that a lead would be given after each answer: where it was, or the honest default, where what is missing leaves several.
    fn outcomes(&mut self, assumed: &mut Assumptions<'p>, asked: &[&'p Unknown], outcomes: &mut Tracks) {
        let Some((first, rest)) = asked.split_first() else {
            let tracks = self.tracks(assumed);
            outcomes.insert(tracks.single().unwrap_or(self.possible.rules.while_unknown(&self.possible.known.view())));
            return;
        };
        for piece in &first.pieces {
            if outcomes.len() > 1 || self.runs_left == 0 {
                return;
            }
            assumed.push(first.assumed(piece));
            self.outcomes(assumed, rest, outcomes);
            assumed.pop();
        }
    }

    fn narrowed_by(&mut self, asked: &BTreeSet<Field>) -> (u64, u64) {
        let before = u64::from(self.tracks(&[]).len());
        let asked: Vec<&Unknown> = self.possible.unknown.iter().filter(|unknown| asked.contains(&unknown.field)).collect();
        let (mut after, mut answers) = (0, 0);
        self.count(&mut Vec::new(), &asked, &mut after, &mut answers);
        (before.saturating_mul(answers).saturating_sub(after), answers)
    }

    fn count(&mut self, assumed: &mut Assumptions<'p>, asked: &[&'p Unknown], after: &mut u64, answers: &mut u64) {
        if self.runs_left == 0 {
            return;
        }
        let Some((first, rest)) = asked.split_first() else {
            *after += u64::from(self.tracks(assumed).len());
            *answers += 1;
            return;
        };
        for piece in &first.pieces {
            assumed.push(first.assumed(piece));
            self.count(assumed, rest, after, answers);
            assumed.pop();
        }
    }

    /// What the rules leave open, clause by clause.
    fn left_open(&mut self, assumed: &[Assumed<'p>]) -> Tracks {
        self.runs_left = self.runs_left.saturating_sub(1);
        let Possible { rules, known, .. } = self.possible;
        let view = known.view();
        let view = view.assuming(assumed);
        let may_come = |field: &Field| known.open.contains(field) && !is_assumed(assumed, field);
        let (least, most) = gate::bounds(rules.gate, &view.assuming(assumed).only_told(), may_come);
        if least != Verdict::Pass {
            return Tracks::only(Track::Verification);
        }
        let score = score::bounds(rules.score, &view);
        let tracks = steady::reachable(rules.route, rules.before, view, score);
        if most == Verdict::Pass { tracks } else { tracks.union(Tracks::only(Track::Verification)) }
    }
}

impl Unknown {
    fn assumed<'p>(&'p self, piece: &'p Piece) -> Assumed<'p> {
        Assumed { field: &self.field, value: &piece.value, is_present: piece.is_present }
    }
}

fn is_assumed(assumed: &[Assumed<'_>], field: &Field) -> bool {
    assumed.iter().any(|one| one.field == field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::route::RouteRule;

    fn rules_to(otherwise: Track, rules: &[(&str, Track)]) -> RouteRules {
        let rule = |(when, to): &(&str, Track)| RouteRule {
            when: Condition::parse(when, &Schema::default()).unwrap(),
            to: *to,
            destination: None,
            because: (*when).to_owned(),
        };
        RouteRules { rules: rules.iter().map(rule).collect(), otherwise, undecided: Track::Review.into(), hysteresis: 5 }
    }

    fn tracks(score: &[(&str, i64)], route: &RouteRules, open: &[&'static str]) -> Vec<Track> {
        let rule = |(when, points): &(&str, i64)| ScoreRule {
            when: Condition::parse(when, &Schema::default()).unwrap(),
            points: *points,
            because: (*when).to_owned(),
        };
        let score: Vec<ScoreRule> = score.iter().map(rule).collect();
        let open = open.iter().map(|path| Field::known(path)).collect();
        let known = Known { facts: &Facts::new(), floor: BasisPoints::ZERO, open: &open };
        Possible::new(Rules { gate: &[], score: &score, route, before: None }, known, &Schema::default()).tracks().iter().collect()
    }

    #[test]
    fn points_that_exclude_each_other_are_not_added_up() {
        let route = rules_to(Track::SelfServe, &[("score >= 50", Track::AeQueue)]);
        let score = [("company.headcount < 50", 30), ("company.headcount > 5000", 30)];
        assert_eq!(tracks(&score, &route, &[]), [Track::SelfServe]);
    }

    #[test]
    fn rules_that_cover_everything_leave_nothing_open_though_nothing_is_known() {
        let route = rules_to(Track::SelfServe, &[("company.headcount < 50 || company.headcount >= 50", Track::AeQueue)]);
        assert_eq!(tracks(&[], &route, &["company.headcount"]), [Track::AeQueue]);
    }

    #[test]
    fn has_is_true_false_or_both_by_what_may_still_come() {
        let route = rules_to(Track::SelfServe, &[("has(contact.phone)", Track::SdrQueue)]);
        assert_eq!(tracks(&[], &route, &[]), [Track::SelfServe], "nobody will tell it");
        assert_eq!(tracks(&[], &route, &["contact.phone"]), [Track::SdrQueue, Track::SelfServe]);
    }

    #[test]
    fn an_untold_value_is_cut_like_a_told_one_where_a_condition_asks_for_both() {
        let route = rules_to(Track::SelfServe, &[("!has(company.headcount) && company.headcount > 5", Track::SdrQueue)]);
        assert_eq!(tracks(&[], &route, &[]), [Track::SdrQueue, Track::SelfServe]);
    }

    #[test]
    fn two_unknown_fields_that_are_compared_with_each_other_stay_open() {
        let route = rules_to(Track::SelfServe, &[("company.country == company.state", Track::SdrQueue)]);
        assert_eq!(tracks(&[], &route, &[]), [Track::SdrQueue, Track::SelfServe]);
    }

    #[test]
    fn beyond_the_cap_every_track_that_the_rules_leave_open_is_possible() {
        let fields = ["company.sic", "company.naics", "company.city", "company.state", "company.country", "company.cms", "company.cdn"];
        let all = |word: &str| fields.map(|path| format!("{path} == \"{word}\"")).join(" || ");
        let clauses: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(all).to_vec();
        let never = format!("({}) && company.headcount > 5 && company.headcount < 3", clauses.join(" || "));
        let route = rules_to(Track::SelfServe, &[(&never, Track::SdrQueue)]);
        let possible = tracks(&[], &route, &[]);
        assert!(possible.contains(&Track::SelfServe) && possible.len() <= 2, "{possible:?}");
    }
}
