//! What is linted together: the rules that would work together, each with the place where it is written.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use crate::condition::Condition;
use crate::config::MAIN_FILE;
use crate::config::check::line;
use crate::config::document::{AudienceSection, GateSection, Main, Preset, RouteSection, ScoreSection, SetSection, StepSection};
use crate::config::undecided::UndecidedSection;
use crate::route::Track;
use crate::schema::{Field, Schema};

/// A condition and where it stands.
pub(super) struct Placed<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
    /// What it belongs to, such as `` step `company` ``.
    pub(super) what: String,
    pub(super) when: Condition,
}

/// A score rule.
pub(super) struct Scored<'a> {
    pub(super) placed: Placed<'a>,
    pub(super) points: i64,
}

/// A route rule.
pub(super) struct Routed<'a> {
    pub(super) placed: Placed<'a>,
    pub(super) to: Track,
}

/// A step.
pub(super) struct StepAt<'a> {
    pub(super) name: &'a str,
    pub(super) when: Option<Placed<'a>>,
    pub(super) providers: Vec<&'a str>,
}

/// A score set.
pub(super) struct SetAt<'a> {
    pub(super) placed: Placed<'a>,
    pub(super) score: Option<Vec<Scored<'a>>>,
    pub(super) route: Option<Vec<Routed<'a>>>,
}

/// A field that the plan pays for whatever the track.
pub(super) struct WantedAt<'a> {
    /// The section it stands in.
    pub(super) what: String,
    pub(super) file: &'a str,
    pub(super) line: u64,
    pub(super) field: Field,
}

/// The rules of a preset alone, or those in force.
pub(super) struct Sheet<'a> {
    pub(super) schema: &'a Schema,
    /// Segments and audiences.
    pub(super) named: Vec<Placed<'a>>,
    /// Verticals.
    pub(super) verticals: Vec<Placed<'a>>,
    pub(super) gate: Vec<Placed<'a>>,
    pub(super) steps: Vec<StepAt<'a>>,
    pub(super) wanted: Vec<WantedAt<'a>>,
    pub(super) score: Vec<Scored<'a>>,
    pub(super) route: Vec<Routed<'a>>,
    /// Where undecided leads wait, by the default route and by those of the sets.
    pub(super) undecided: Vec<Placed<'a>>,
    pub(super) sets: Vec<SetAt<'a>>,
}

impl<'a> Sheet<'a> {
    /// The rules of a preset, but for the sections that the main file writes itself.
    pub(super) fn of(schema: &'a Schema, main: Option<&'a Main>, file: &'a str, preset: &'a Preset) -> Self {
        let own = Reader { schema, file: MAIN_FILE };
        let of_preset = Reader { schema, file };
        let (gate, reader) = main.and_then(|main| main.gate.as_ref()).map_or((&preset.gate, of_preset), |gate| (gate, own));
        let gate = reader.gate(gate);
        let (steps, reader) = main.and_then(|main| main.steps.as_ref()).map_or((&preset.steps, of_preset), |steps| (steps, own));
        let steps = reader.steps(steps);
        let (score, reader) = main.and_then(|main| main.score.as_ref()).map_or((&preset.score, of_preset), |score| (score, own));
        let score = reader.score(score);
        let (route, reader) = main.and_then(|main| main.route.as_ref()).map_or((&preset.route, of_preset), |route| (route, own));
        let (route, mut undecided) = (reader.route(route), reader.undecided(&route.undecided));
        let (sets, reader) = main.and_then(|main| main.sets.as_ref()).map_or((&preset.sets, of_preset), |sets| (sets, own));
        for section in sets.iter().filter_map(|set| set.route.as_ref()) {
            undecided.extend(reader.undecided(&section.undecided));
        }
        let sets = reader.sets(sets);
        let (verticals, reader) =
            main.and_then(|main| main.verticals.as_ref()).map_or((&preset.verticals, of_preset), |verticals| (verticals, own));
        let verticals = verticals.iter().filter_map(|section| reader.placed(&section.when, "vertical".to_owned())).collect();
        let wanted = main.and_then(|main| main.plan.as_ref()).and_then(|plan| plan.wanted.as_ref()).map(|wanted| (wanted, own));
        let wanted = wanted.or_else(|| preset.plan.wanted.as_ref().map(|wanted| (wanted, of_preset)));
        let mut wanted = wanted.map(|(wanted, reader)| reader.wanted("plan.wanted", wanted)).unwrap_or_default();
        for (track, section) in main.iter().flat_map(|main| &main.tracks) {
            wanted.extend(own.wanted(&format!("tracks.{}.wants", track.as_str()), &section.wants));
        }
        let mut named = main.map(|main| own.named(&main.segments, &main.audiences)).unwrap_or_default();
        for placed in of_preset.named(&preset.segments, &preset.audiences) {
            if !named.iter().any(|own: &Placed<'_>| own.what == placed.what) {
                named.push(placed);
            }
        }
        Self { schema, named, verticals, gate, steps, wanted, score, route, undecided, sets }
    }
}

/// Reads the sections of one file.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) schema: &'a Schema,
    pub(super) file: &'a str,
}

impl<'a> Reader<'a> {
    /// `None` for a condition that is none, which the check before has said.
    pub(super) fn placed(self, written: &Spanned<String>, what: String) -> Option<Placed<'a>> {
        let when = Condition::parse(&written.value, self.schema).ok()?;
        Some(Placed { file: self.file, line: line(written), what, when })
    }

    fn named(self, segments: &BTreeMap<String, Spanned<String>>, audiences: &BTreeMap<String, AudienceSection>) -> Vec<Placed<'a>> {
        let segments = segments.iter().filter_map(|(name, when)| self.placed(when, format!("segment `{name}`")));
        let audiences = audiences.iter().filter_map(|(name, section)| self.placed(&section.when, format!("audience `{name}`")));
        segments.chain(audiences).collect()
    }

    fn gate(self, sections: &[GateSection]) -> Vec<Placed<'a>> {
        let rule = |section: &GateSection| self.placed(&section.when, format!("gate rule \"{}\"", section.because));
        sections.iter().filter_map(rule).collect()
    }

    fn steps(self, sections: &'a [StepSection]) -> Vec<StepAt<'a>> {
        let step = |section: &'a StepSection| StepAt {
            name: &section.name.value,
            when: section.when.as_ref().and_then(|when| self.placed(when, format!("step `{}`", section.name.value))),
            providers: section.providers.iter().flat_map(|providers| &providers.value).map(|name| name.value.as_str()).collect(),
        };
        sections.iter().map(step).collect()
    }

    fn score(self, sections: &[ScoreSection]) -> Vec<Scored<'a>> {
        let rule = |section: &ScoreSection| {
            let placed = self.placed(&section.when, format!("score rule \"{}\"", section.because))?;
            Some(Scored { placed, points: section.points })
        };
        sections.iter().filter_map(rule).collect()
    }

    fn route(self, section: &RouteSection) -> Vec<Routed<'a>> {
        let rules = section.rules.iter();
        let placed = |because: &str, when| self.placed(when, format!("route rule \"{because}\""));
        rules.filter_map(|rule| Some(Routed { placed: placed(&rule.because, &rule.when)?, to: rule.to })).collect()
    }

    fn undecided(self, section: &UndecidedSection) -> Vec<Placed<'a>> {
        let UndecidedSection::By(listed) = section else { return Vec::new() };
        listed.rules.iter().filter_map(|rule| self.placed(&rule.when, "rule of `undecided`".to_owned())).collect()
    }

    fn sets(self, sections: &[SetSection]) -> Vec<SetAt<'a>> {
        let set = |section: &SetSection| {
            let placed = self.placed(&section.when, format!("set `{}`", section.name.value))?;
            let score = section.score.as_ref().map(|sections| self.score(sections));
            Some(SetAt { placed, score, route: section.route.as_ref().map(|section| self.route(section)) })
        };
        sections.iter().filter_map(set).collect()
    }

    fn wanted(self, what: &str, written: &[Spanned<String>]) -> Vec<WantedAt<'a>> {
        let field = |path: &Spanned<String>| self.schema.field(&path.value).ok();
        written
            .iter()
            .filter_map(|path| Some(WantedAt { what: what.to_owned(), file: self.file, line: line(path), field: field(path)? }))
            .collect()
    }
}
