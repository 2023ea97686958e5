//! The settings of the main file: trust, credits, deadlines and the CRM.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_saphyr::Spanned;

use super::check::{Checker, line};
use super::document::{Amount, CreditsSection, CrmSection, DeadlinesSection, TrustSection};
use super::{CrmPlan, Deadlines, MAIN_FILE, PropertySource};
use crate::confidence::Trust;
use crate::credits::Limits;
use crate::plan::{Operation, Step};
use crate::schema::nearest;
use crate::signup::Arrival;
use crate::units::{Credits, Millis};

/// The sources that are no connector: the form itself, and the CRM that records were read from.
const OWN_SOURCES: &[&str] = &["crm", "signup"];

/// What a property can say of the decision.
const DECISION: &[&str] = &[
    "decision.confidence",
    "decision.destination",
    "decision.icp",
    "decision.owner",
    "decision.provider",
    "decision.score",
    "decision.set",
    "decision.tier",
    "decision.track",
];

/// Where HubSpot keeps contacts (WIRE-FORMATS 0.2).
const CRM_PATH: &str = "/crm/objects/2026-03/contacts";

impl Checker {
    pub(super) fn trust(&mut self, section: TrustSection) -> Trust {
        let providers = self.catalogue.values().map(|operation| operation.provider.as_str());
        let sources: BTreeSet<&str> =
            self.catalogue.keys().map(String::as_str).chain(providers).chain(OWN_SOURCES.iter().copied()).collect();
        let mut mistyped = Vec::new();
        for (name, points) in &section.reliability {
            if !sources.contains(name.as_str()) {
                let advice = advice(name, &sources);
                mistyped.push((line(points), format!("trust.reliability: there is no source `{name}`; {advice}")));
            }
        }
        for (at, message) in mistyped {
            self.find(MAIN_FILE, at, message);
        }
        let reliability = section.reliability.into_iter().map(|(name, points)| (name, points.value)).collect();
        Trust { reliability, prior: section.prior, floor: section.floor, domain_age: section.domain_age }
    }

    pub(super) fn limits(&mut self, section: CreditsSection) -> Limits {
        let (allocation, caps) = (section.allocation, section.caps);
        // A cap stops everybody but Critical, and so does the allocation: beyond it only Critical draws on the overdraft.
        let amounts = caps.day.iter().chain(&caps.week).chain(caps.provider.values()).chain(caps.rule.values());
        for at in amounts.filter(|cap| cap.value.0 > allocation).map(line) {
            let message =
                format!("this cap is above the month's allocation of {allocation}, which stops everybody but Critical first; lower it");
            self.find(MAIN_FILE, at, message);
        }
        let every = caps.day.iter().chain(&caps.week).chain(caps.rule.values()).map(|cap| (cap, None));
        for (cap, provider) in every.chain(caps.provider.iter().map(|(name, cap)| (cap, Some(name.as_str())))) {
            self.no_call_fits(cap, provider);
        }
        let providers: BTreeSet<String> = self.catalogue.values().map(|operation| operation.provider.clone()).collect();
        for (name, cap) in &caps.provider {
            if !providers.contains(name) {
                let advice = advice(name, &providers.iter().map(String::as_str).collect());
                self.find(MAIN_FILE, line(cap), format!("credits.caps.provider: there is no provider `{name}`; {advice}"));
            }
        }
        let rules: BTreeSet<&str> = Arrival::ALL.iter().map(|arrival| arrival.as_str()).collect();
        for (name, cap) in caps.rule.iter().filter(|(name, _)| !rules.contains(name.as_str())) {
            let advice = advice(name, &rules);
            self.find(MAIN_FILE, line(cap), format!("credits.caps.rule: there is no rule `{name}`; {advice}"));
        }
        if let Some(at) = section.budget.as_ref().filter(|budget| is_out_of_reach(budget.value.0, allocation.plus(section.overdraft))) {
            let message = format!(
                "credits.budget: a tenth more than {} is never spent, since everything stops at {}; lower it, or leave it out",
                at.value.0,
                allocation.plus(section.overdraft)
            );
            self.find(MAIN_FILE, line(at), message);
        }
        Limits {
            allocation,
            overdraft: section.overdraft,
            budget: section.budget.map(|budget| budget.value.0),
            day: caps.day.map(|cap| cap.value.0),
            week: caps.week.map(|cap| cap.value.0),
            provider: amounts_of(caps.provider),
            rule: amounts_of(caps.rule),
        }
    }

    /// Zero is a cap that somebody means; less than the cheapest call costs only looks like more.
    fn no_call_fits(&mut self, cap: &Spanned<Amount>, provider: Option<&str>) {
        let asked = self.catalogue.values().filter(|operation| provider.is_none_or(|name| operation.provider == name));
        let Some(least) = asked.map(Operation::dearest).filter(|price| *price > Credits::ZERO).min() else { return };
        if Credits::ZERO < cap.value.0 && cap.value.0 < least {
            let message =
                format!("no paid call fits under this cap, so only Critical would pay; write at least {least}, or 0 if that is meant");
            self.find(MAIN_FILE, line(cap), message);
        }
    }

    pub(super) fn deadlines(&mut self, section: DeadlinesSection) -> Deadlines {
        let identity_window = section.identity_window.as_ref().map_or(Millis::hours(1), |written| written.value);
        if let Some(written) = section.identity_window.filter(|written| written.value == Millis(0)) {
            let message = "deadlines.identity_window: without it the same person is paid for again at once; write for example 1h";
            self.find(MAIN_FILE, line(&written), message.to_owned());
        }
        Deadlines {
            interactive: self.deadline("interactive", section.interactive, Millis::seconds(2), Millis(200)..=Millis::seconds(10)),
            background: self.deadline("background", section.background, Millis::seconds(20), Millis::seconds(1)..=Millis::minutes(5)),
            patience: self.deadline("patience", section.patience, Millis::minutes(5), Millis(0)..=Millis::hours(1)),
            identity_window,
        }
    }

    fn deadline(&mut self, name: &str, written: Option<Spanned<Millis>>, default: Millis, range: RangeInclusive<Millis>) -> Millis {
        let Some(written) = written else { return default };
        if !range.contains(&written.value) {
            let message = format!("deadlines.{name}: {} is out of range; write {} to {}", written.value, range.start(), range.end());
            self.find(MAIN_FILE, line(&written), message);
        }
        written.value
    }

    /// `steps` are those that a property may name, where they could be read.
    pub(super) fn crm(&mut self, section: CrmSection, steps: Option<&Vec<Step>>) -> CrmPlan {
        if section.target.value != "hubspot" {
            self.find(MAIN_FILE, line(&section.target), format!("there is no CRM `{}`; write hubspot", section.target.value));
        }
        if let Some(path) = section.path.as_ref().filter(|path| !is_path(&path.value)) {
            let message = format!("crm.path: begin with one / and write no //, ? or #, such as {CRM_PATH}");
            self.find(MAIN_FILE, line(path), message);
        }
        let mut properties = BTreeMap::new();
        for (name, written) in section.properties {
            let source = match written.value.as_str() {
                "decision.score" => Some(PropertySource::Score),
                "decision.track" => Some(PropertySource::Track),
                "decision.destination" => Some(PropertySource::Destination),
                "decision.owner" => Some(PropertySource::Owner),
                "decision.provider" => Some(PropertySource::Provider),
                "decision.confidence" => Some(PropertySource::Confidence),
                "decision.tier" => Some(PropertySource::Tier),
                "decision.icp" => Some(PropertySource::Icp),
                "decision.set" => Some(PropertySource::Set),
                other if other.starts_with("decision.") => {
                    let message = format!("`{other}` is not said by the decision; {}", advice(other, &DECISION.iter().copied().collect()));
                    self.find(MAIN_FILE, line(&written), message);
                    None
                }
                other if other.starts_with("step.") => self.step_source(&written, steps),
                _ => self.field(MAIN_FILE, &written).map(PropertySource::Field),
            };
            properties.extend(source.map(|source| (name, source)));
        }
        let path = section.path.map_or_else(|| CRM_PATH.to_owned(), |path| path.value);
        CrmPlan { target: section.target.value, path, properties }
    }

    /// `step.phone.enhanced` or `step.phone.error` (S4-30).
    fn step_source(&mut self, written: &Spanned<String>, steps: Option<&Vec<Step>>) -> Option<PropertySource> {
        let source = written.value.strip_prefix("step.").and_then(|rest| rest.rsplit_once('.')).and_then(|(step, what)| match what {
            "enhanced" => Some((step, PropertySource::Enhanced(step.to_owned()))),
            "error" => Some((step, PropertySource::Error(step.to_owned()))),
            _ => None,
        });
        let Some((step, source)) = source else {
            let message = format!("`{}` is not said of a step; write step.<name>.enhanced or step.<name>.error", written.value);
            self.find(MAIN_FILE, line(written), message);
            return None;
        };
        let names: BTreeSet<&str> = steps?.iter().map(|step| step.name.as_str()).collect();
        if !names.contains(step) {
            self.find(MAIN_FILE, line(written), format!("there is no step `{step}`; {}", advice(step, &names)));
        }
        Some(source)
    }
}

/// Whether a budget and a tenth of it are more than can be spent: then nobody would ever be told (S4-52).
fn is_out_of_reach(budget: Credits, most: Credits) -> bool {
    i128::from(budget.micros()) * 110 >= i128::from(most.micros()) * 100
}

fn amounts_of(caps: BTreeMap<String, Spanned<Amount>>) -> BTreeMap<String, Credits> {
    caps.into_iter().map(|(name, cap)| (name, cap.value.0)).collect()
}

/// Whether a text can follow a base URL as its path.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains("//") && !text.contains(['?', '#'])
}

fn advice(mistyped: &str, names: &BTreeSet<&str>) -> String {
    match nearest(mistyped, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("write one of: {}", names.iter().copied().collect::<Vec<_>>().join(", ")),
    }
}
