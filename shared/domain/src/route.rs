//! Where a lead goes: ordered rules, the set of tracks still possible, and the owner within the track.

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};

/// The sales tracks (STYLE §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// An account executive takes it.
    AeQueue,
    /// A sales development rep takes it.
    SdrQueue,
    /// The dedicated track for high-value leads (S3-21).
    SalesAssist,
    /// Onboarding emails, no salesperson (S3-19).
    SelfServe,
    /// Held until verified (S3-20).
    Verification,
    /// A person decides.
    Review,
}

impl Track {
    /// All tracks.
    pub const ALL: [Self; 6] = [Self::AeQueue, Self::SdrQueue, Self::SalesAssist, Self::SelfServe, Self::Verification, Self::Review];

    /// The word used in configuration, CRM and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AeQueue => "ae_queue",
            Self::SdrQueue => "sdr_queue",
            Self::SalesAssist => "sales_assist",
            Self::SelfServe => "self_serve",
            Self::Verification => "verification",
            Self::Review => "review",
        }
    }
}

/// A set of tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracks(u8);

impl Tracks {
    /// The set of one track.
    #[must_use]
    pub const fn only(track: Track) -> Self {
        Self(1 << track as u8)
    }

    /// Adds a track.
    pub const fn insert(&mut self, track: Track) {
        self.0 |= Self::only(track).0;
    }

    /// The tracks of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are in `other` too.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The track, where there is but one.
    #[must_use]
    pub fn single(self) -> Option<Track> {
        if self.len() == 1 { self.iter().next() } else { None }
    }

    /// The tracks in their order.
    pub fn iter(self) -> impl Iterator<Item = Track> {
        Track::ALL.into_iter().filter(move |track| Self::only(*track).is_within(self))
    }
}

/// One routing rule; the first that holds decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRule {
    /// The condition.
    pub when: Condition,
    /// The track it leads to.
    pub to: Track,
    /// Who takes the lead within the track, such as a buyer or a calling hour (S4-35, S4-36).
    pub destination: Option<String>,
    /// Why, in the words of whoever configured it.
    pub because: String,
}

/// The ordered rules and the two tracks beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRules {
    /// In order; the first that holds decides.
    pub rules: Vec<RouteRule>,
    /// Where a lead goes when no rule holds.
    pub otherwise: Track,
    /// Where a lead goes for now while several tracks are possible.
    pub undecided: Undecided,
    /// A lead that was decided for good stays on its track while so many points more or fewer would lead back to it; 0 to 100.
    pub hysteresis: i64,
}

/// Where leads go for now while several tracks are possible: the honest default, by what the signup itself says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// In order; the first that holds decides.
    pub rules: Vec<UndecidedRule>,
    /// Where those wait for whom no rule holds.
    pub otherwise: Track,
}

/// A rule about undecided leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecidedRule {
    /// The condition. It reads only what the signup itself says, so that it never changes on the way.
    pub when: Condition,
    /// Where the lead waits.
    pub to: Track,
    /// Why, in the words of whoever configured it.
    pub because: String,
}

impl Undecided {
    /// Where this lead waits.
    #[must_use]
    pub fn track(&self, view: &View<'_>) -> Track {
        self.rule(view).map_or(self.otherwise, |rule| rule.to)
    }

    /// The rule that says so, if one does.
    fn rule(&self, view: &View<'_>) -> Option<&UndecidedRule> {
        self.rules.iter().find(|rule| rule.when.evaluate(view) == Truth::True)
    }
}

impl From<Track> for Undecided {
    fn from(track: Track) -> Self {
        Self { rules: Vec::new(), otherwise: track }
    }
}

/// Where a lead goes, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The track.
    pub track: Track,
    /// Who takes the lead within the track, where the rule that decided names somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// True while something unknown could still lead elsewhere.
    pub provisional: bool,
    /// Every track that is still possible, sorted.
    pub possible: Vec<Track>,
    /// The reasons, in order.
    pub because: Vec<String>,
}

/// The tracks that the rules leave open, clause by clause: never too few.
pub(crate) fn reachable(rules: &RouteRules, view: &View<'_>) -> Tracks {
    let mut tracks = Tracks::default();
    for rule in &rules.rules {
        match rule.when.evaluate(view) {
            Truth::False => {}
            Truth::Unknown => tracks.insert(rule.to),
            Truth::True => return tracks.union(Tracks::only(rule.to)),
        }
    }
    tracks.union(Tracks::only(rules.otherwise))
}

/// Routes what is known, given the tracks that are `possible`. A lead whose track depends on something unknown takes the honest
/// default, marked provisional.
#[must_use]
pub fn route(rules: &RouteRules, view: &View<'_>, possible: Tracks) -> Route {
    let mut waiting_for = Vec::new();
    let mut decided_by = None;
    for rule in &rules.rules {
        match rule.when.evaluate(view) {
            Truth::False => {}
            Truth::Unknown if Tracks::only(rule.to).is_within(possible) => {
                waiting_for.push(format!("could still be {}: {}", rule.to.as_str(), rule.because));
            }
            Truth::Unknown => {}
            Truth::True => {
                decided_by = Some(rule);
                break;
            }
        }
    }
    if let Some(track) = possible.single() {
        let reason = match decided_by {
            Some(rule) if rule.to == track => rule.because.clone(),
            None if track == rules.otherwise && waiting_for.is_empty() => format!("no rule holds, so {}", track.as_str()),
            _ => format!("whatever is not known may be, it leads to {}", track.as_str()),
        };
        // Where an earlier rule may still hold, which would lead to the same track, its destination may be another one.
        let destination = decided_by.filter(|rule| rule.to == track && waiting_for.is_empty()).and_then(|rule| rule.destination.clone());
        return Route { track, destination, provisional: false, possible: vec![track], because: vec![reason] };
    }
    let track = rules.undecided.track(view);
    let because = rules.undecided.rule(view).map(|rule| format!(": {}", rule.because)).unwrap_or_default();
    waiting_for.insert(0, format!("not enough is known, so {} for now{because}", track.as_str()));
    Route { track, destination: None, provisional: true, possible: possible.iter().collect(), because: waiting_for }
}

/// The owner whose turn it is in a pool: turn 0 is the first. `None` for an empty pool.
#[must_use]
pub fn owner_of_turn(pool: &[String], turn: u64) -> Option<&str> {
    let count = u64::try_from(pool.len()).ok().filter(|count| *count > 0)?;
    let index = usize::try_from(turn % count).ok()?;
    pool.get(index).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::{Fact, Facts};
    use crate::schema::{Field, Schema};
    use crate::units::{BasisPoints, Timestamp};
    use crate::value::Value;

    fn rules(list: &[(&str, Track)]) -> RouteRules {
        let rule = |(when, to): &(&str, Track)| RouteRule {
            when: Condition::parse(when, &Schema::default()).unwrap(),
            to: *to,
            destination: Some(format!("of {when}")),
            because: (*when).to_owned(),
        };
        RouteRules {
            rules: list.iter().map(rule).collect(),
            otherwise: Track::SelfServe,
            undecided: Track::SelfServe.into(),
            hysteresis: 5,
        }
    }

    fn routed(rules: &RouteRules, view: &View<'_>) -> Route {
        route(rules, view, reachable(rules, view))
    }

    #[test]
    fn s3_61_sixty_points_lead_to_the_ae_queue_and_fewer_to_self_serve() {
        let rules = rules(&[("score >= 60", Track::AeQueue)]);
        assert_eq!(routed(&rules, &View::default().with_score(60, 60)).track, Track::AeQueue);
        assert_eq!(routed(&rules, &View::default().with_score(0, 59)).track, Track::SelfServe);
    }

    #[test]
    fn an_open_route_takes_the_honest_default_and_says_what_is_possible() {
        let route = routed(&rules(&[("score >= 60", Track::AeQueue)]), &View::default().with_score(30, 80));
        assert_eq!((route.track, route.provisional), (Track::SelfServe, true));
        assert_eq!(route.possible, [Track::AeQueue, Track::SelfServe]);
    }

    #[test]
    fn an_unknown_rule_that_leads_to_the_same_track_leaves_nothing_open() {
        let rules = rules(&[("company.headcount > 5", Track::AeQueue), ("score >= 60", Track::AeQueue)]);
        assert!(!routed(&rules, &View::default().with_score(70, 70)).provisional);
    }

    #[test]
    fn s4_35_the_destination_is_of_the_rule_that_decides_and_of_none_while_an_earlier_one_may() {
        let rules = rules(&[("company.headcount > 5", Track::AeQueue), ("score >= 60", Track::AeQueue)]);
        let routed = |score, facts: &Facts| routed(&rules, &View::of(facts).with_score(score, score));
        let known = |headcount: i64| -> Facts {
            let fact = Fact {
                value: Value::number(headcount),
                confidence: BasisPoints::new(9000),
                sources: vec![],
                confirmations: 1,
                observed_at: Timestamp::from_millis(0),
                conflicts: vec![],
                checks: vec![],
            };
            [(Field::known("company.headcount"), fact)].into()
        };
        assert_eq!(routed(70, &known(9)).destination.as_deref(), Some("of company.headcount > 5"));
        assert_eq!(routed(70, &known(1)).destination.as_deref(), Some("of score >= 60"));
        assert_eq!(routed(70, &Facts::new()).destination, None, "the first rule may still hold");
        assert_eq!(routed(10, &known(1)).destination, None, "no rule holds");
    }

    #[test]
    fn owners_take_turns() {
        let pool = ["ann".to_owned(), "ben".to_owned()];
        let turns: Vec<_> = (0..4).map(|turn| owner_of_turn(&pool, turn).unwrap()).collect();
        assert_eq!(turns, ["ann", "ben", "ann", "ben"]);
        assert_eq!(owner_of_turn(&[], 3), None);
    }
}
