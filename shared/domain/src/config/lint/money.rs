//! Steps that nobody can pay for, and a budget that leaves Critical nothing (S0-67, S0-77, X-09).

use serde_saphyr::Spanned;

use super::sheet::{Sheet, StepAt};
use crate::config::check::line;
use crate::config::document::{Amount, CreditsSection};
use crate::config::{Config, Finding, MAIN_FILE};
use crate::credits::Limits;
use crate::plan::Operation;
use crate::priority::Priority;
use crate::signup::Arrival;
use crate::units::Credits;

/// For the configuration in force: what the main file allows to spend says nothing of presets that are not used.
pub(super) fn findings(sheet: &Sheet<'_>, credits: &Spanned<CreditsSection>, config: &Config) -> Vec<Finding> {
    let mut found: Vec<Finding> = sheet.steps.iter().filter_map(|step| never_paid(step, credits, config)).collect();
    found.extend(starving(sheet, credits, config));
    found
}

/// The operations of a step; `None` where one of them costs nothing, or there is none.
fn paid_operations<'a>(step: &StepAt<'_>, config: &'a Config) -> Option<Vec<&'a Operation>> {
    let operations: Vec<&Operation> = step.providers.iter().filter_map(|name| config.catalogue.get(*name)).collect();
    (!operations.is_empty() && operations.iter().all(|operation| !operation.price.is_free())).then_some(operations)
}

/// A limit below the price of a call: its line and its words.
struct TooLow {
    line: u64,
    words: String,
}

fn never_paid(step: &StepAt<'_>, credits: &Spanned<CreditsSection>, config: &Config) -> Option<Finding> {
    let operations = paid_operations(step, config)?;
    let stopped: Option<Vec<(&Operation, TooLow)>> =
        operations.into_iter().map(|operation| Some((operation, too_low(operation, credits, &config.limits)?))).collect();
    let (operation, limit) = stopped?.into_iter().min_by_key(|(operation, _)| operation.dearest())?;
    let message = format!(
        "{}, so step `{}` is never paid for: a call of `{}` costs {}; raise it to that or more, or drop the step",
        limit.words,
        step.name,
        operation.name,
        operation.dearest()
    );
    Some(Finding::new(MAIN_FILE, limit.line, message))
}

/// The limit that refuses every call of an operation. A limit of zero is meant: it leaves paying to Critical, or to nobody.
fn too_low(operation: &Operation, credits: &Spanned<CreditsSection>, limits: &Limits) -> Option<TooLow> {
    let cost = operation.dearest();
    let is_below = |limit: Credits| limit > Credits::ZERO && limit < cost;
    let all = limits.allocation.plus(limits.overdraft);
    if is_below(all) {
        return Some(TooLow { line: line(credits), words: format!("a month has {all} credits in all") });
    }
    let caps = &credits.value.caps;
    let of_provider = caps.provider.get(&operation.provider);
    let named: [(&str, Option<&Spanned<Amount>>); 3] =
        [("the day's cap", caps.day.as_ref()), ("the week's cap", caps.week.as_ref()), ("the provider's cap", of_provider)];
    let low = named.into_iter().find_map(|(name, cap)| Some((name, cap.filter(|cap| is_below(cap.value.0))?)));
    if let Some((name, cap)) = low {
        let words = format!("{name} of {} lets nobody pay but Critical", cap.value.0);
        return Some(TooLow { line: line(cap), words });
    }
    let of_rules: Option<Vec<&Spanned<Amount>>> =
        ordinary().map(|arrival| caps.rule.get(arrival.as_str()).filter(|cap| is_below(cap.value.0))).collect();
    let most = of_rules?.into_iter().max_by_key(|cap| cap.value.0)?;
    Some(TooLow { line: line(most), words: format!("the caps of all arrivals but Critical are {} or less", most.value.0) })
}

/// The arrivals that every cap stops.
fn ordinary() -> impl Iterator<Item = Arrival> {
    Arrival::ALL.into_iter().filter(|arrival| Priority::of_arrival(*arrival) != Priority::Critical)
}

/// Nothing but the allocation stops ordinary signups, so they may use the last credit before somebody asks for a demo.
fn starving(sheet: &Sheet<'_>, credits: &Spanned<CreditsSection>, config: &Config) -> Option<Finding> {
    let limits = &config.limits;
    let operations: Vec<&Operation> =
        sheet.steps.iter().flat_map(|step| &step.providers).filter_map(|name| config.catalogue.get(*name)).collect();
    let mut paid = operations.into_iter().filter(|operation| !operation.price.is_free()).peekable();
    paid.peek()?;
    let is_held = limits.day.is_some()
        || limits.week.is_some()
        || limits.overdraft > Credits::ZERO
        || ordinary().all(|arrival| limits.rule.contains_key(arrival.as_str()))
        || paid.all(|operation| limits.provider.contains_key(&operation.provider));
    if is_held || limits.allocation == Credits::ZERO {
        return None;
    }
    let message = format!(
        "nothing but the allocation of {} stops ordinary signups, which may use the last credit of a month before somebody asks for a \
         demo: write a cap by day or week, such as `caps: {{day: {}}}`, or an `overdraft` for Critical",
        limits.allocation,
        Credits::from_micros(limits.allocation.micros() / 20)
    );
    Some(Finding::new(MAIN_FILE, line(credits), message))
}
