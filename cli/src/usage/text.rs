//! A month in words and tables.

use std::cmp::Reverse;
use std::fmt::Write as _;

use comfy_table::{Cell, Color, Table};
use domain::credits::{Balance, CapScope, CapUse, Pace, Report, permille};
use domain::units::{Credits, Millis};

use super::Configured;
use crate::table::table;

/// How many characters a full bar has.
const BAR: usize = 20;

/// A month.
pub(super) fn report(report: &Report, configured: Option<&Configured>) -> String {
    let Some(balance) = &report.balance else { return unused(report, configured) };
    let mut text = format!("credits of {}, {}\n\n", report.month, passed(report));
    let _ = writeln!(text, "{}", sums(report, balance, configured).trim_fmt());
    for way in ["provider", "entity", "trigger", "rule"] {
        section(&mut text, &by(report, way));
    }
    section(&mut text, &days(report));
    section(&mut text, &caps(configured));
    if let Some(configured) = configured.filter(|configured| !configured.caps.is_empty()) {
        let _ = writeln!(text, " caps as in {}, which may not be what the functions run with", configured.folder.display());
    }
    if !balance.crossed.is_empty() {
        text.push('\n');
    }
    for (threshold, at) in &balance.crossed {
        let _ = writeln!(text, "{threshold}: noticed {at}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// What is left, in one sentence.
pub(super) fn balance(balance: &Balance) -> String {
    let drawn = balance.overdraft_drawn();
    let left = if drawn > Credits::ZERO { format!("overdrawn by {drawn}") } else { format!("{} left", balance.remaining()) };
    let (total, used, reserved) = (balance.total(), balance.used, balance.reserved);
    format!("{left} of {total}, {used} used, {reserved} reserved")
}

/// `+500` or `-20`.
pub(super) fn with_sign(credits: Credits) -> String {
    if credits > Credits::ZERO { format!("+{credits}") } else { credits.to_string() }
}

fn unused(report: &Report, configured: Option<&Configured>) -> String {
    let month = &report.month;
    let begins = configured.map_or_else(String::new, |configured| format!("; the first paid call opens it with {}", configured.allocation));
    format!("nobody has used a credit in {month}{begins}")
}

fn passed(report: &Report) -> String {
    let (passed, length) = (report.month.passed(report.at), report.month.length());
    let days = length.0 / Millis::days(1).0;
    if passed == length {
        return format!("{days} days, over");
    }
    format!("{} of {days} days passed", in_days(passed))
}

/// Days with one place, rounded down.
fn in_days(span: Millis) -> String {
    let tenths = span.0 * 10 / Millis::days(1).0;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn sums(report: &Report, balance: &Balance, configured: Option<&Configured>) -> Table {
    let mut table = table(&["", "credits", ""]);
    let mut row = |name: &str, credits: String, note: Cell| {
        table.add_row([Cell::new(name), Cell::new(credits), note]);
    };
    row("allocation", balance.allocation.to_string(), Cell::new(""));
    row("adjusted", with_sign(balance.adjusted), Cell::new(""));
    row("used", balance.used.to_string(), share_of(balance.used, balance.total(), [750, 900]));
    if report.total.unknown != Credits::ZERO {
        row("  unknown", report.total.unknown.to_string(), Cell::new("of it, for calls of which nobody knows whether they were billed"));
    }
    row("reserved", balance.reserved.to_string(), Cell::new("for calls that have not ended"));
    row("remaining", balance.remaining().to_string(), Cell::new(""));
    if balance.overdraft_drawn() > Credits::ZERO {
        row("overdraft", balance.overdraft_drawn().to_string(), Cell::new("drawn, by critical requests only").fg(Color::Red));
    }
    if let Some(pace) = report.pace {
        let today = if report.month.contains(report.at) { "; today counts as the part of it that has passed" } else { "" };
        row("burn rate", rounded(pace.per_day).to_string(), Cell::new(format!("a day on average{today}")));
        row("projected", rounded(pace.month_end).to_string(), projected(report, pace, balance));
    }
    if let Some(budget) = configured.and_then(|configured| configured.budget) {
        row("budget", budget.to_string(), share_of(balance.used, budget, [900, 1101]));
    }
    table
}

fn projected(report: &Report, pace: Pace, balance: &Balance) -> Cell {
    let left = report.month.left(report.at);
    if left == Millis(0) {
        return Cell::new("used at the month's end, for it is over");
    }
    let note = Cell::new(format!("used at the month's end: what is used, and the average for {} days more", in_days(left)));
    if pace.month_end > balance.total() { note.fg(Color::Red) } else { note }
}

/// To two places: an average has no more that matter.
const fn rounded(credits: Credits) -> Credits {
    const PLACE: i64 = 10_000;
    Credits::from_micros(credits.micros().saturating_add(PLACE / 2).div_euclid(PLACE).saturating_mul(PLACE))
}

/// A bar with the share in percent, coloured from the two marks on, which are in thousandths.
fn share_of(part: Credits, whole: Credits, [yellow, red]: [u64; 2]) -> Cell {
    let Some(share) = permille(part, whole) else { return Cell::new("") };
    let full = usize::try_from(share).unwrap_or(usize::MAX).saturating_mul(BAR) / 1000;
    let full = full.clamp(usize::from(part > Credits::ZERO), BAR);
    let bar = format!("{}{} {} of {whole}", "█".repeat(full), "░".repeat(BAR - full), percent(share));
    Cell::new(bar).fg(match share {
        share if share >= red => Color::Red,
        share if share >= yellow => Color::Yellow,
        _ => Color::Green,
    })
}

fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn section(text: &mut String, table: &Table) {
    if !table.is_empty() {
        let _ = writeln!(text, "\n{}", table.trim_fmt());
    }
}

/// The largest first.
fn by(report: &Report, way: &str) -> Table {
    let mut parts: Vec<(&str, Credits)> = report.total.by(way).filter(|(_, credits)| *credits != Credits::ZERO).collect();
    parts.sort_by_key(|(_, credits)| Reverse(*credits));
    let mut table = table(&[&format!("by {way}"), "used", "share"]);
    for (name, credits) in parts {
        let share = permille(credits, report.total.used).map_or_else(String::new, percent);
        table.add_row([name.to_owned(), credits.to_string(), share]);
    }
    table
}

fn days(report: &Report) -> Table {
    let mut table = table(&["by day", "used", "unknown", "calls"]);
    for (day, usage) in &report.days {
        let unknown = if usage.unknown == Credits::ZERO { String::new() } else { usage.unknown.to_string() };
        table.add_row([day.clone(), usage.used.to_string(), unknown, usage.calls.to_string()]);
    }
    table
}

fn caps(configured: Option<&Configured>) -> Table {
    let mut table = table(&["cap", "taken", "", ""]);
    for cap in configured.iter().flat_map(|configured| &configured.caps) {
        let name = match &cap.scope {
            CapScope::Allocation => "month".to_owned(),
            CapScope::Day => "today".to_owned(),
            CapScope::Week => "this week".to_owned(),
            CapScope::Provider(name) => format!("provider {name}"),
            CapScope::Rule(name) => format!("rule {name}"),
        };
        table.add_row([Cell::new(name), Cell::new(cap.taken), share_of(cap.taken, cap.cap, [750, 1000]), left_of(cap)]);
    }
    table
}

/// What is left, for a call that costs more is refused below a full bar already; or why more is taken than the cap allows.
fn left_of(cap: &CapUse) -> Cell {
    if cap.taken > cap.cap { Cell::new("(Critical passes)") } else { Cell::new(format!("{} left", cap.cap.minus(cap.taken))) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::credits::{Change, Charge, Month, Threshold, Trigger, Usage};
    use domain::schema::Entity;
    use domain::units::Timestamp;

    use super::super::json;
    use super::*;

    const NOW: &str = "2026-11-03T12:00:00Z";

    fn charge(provider: &str, entity: Entity) -> Charge {
        Charge { provider: provider.into(), entity, trigger: Trigger::Auto, rule: "demo_request".into() }
    }

    fn micros(micros: i64) -> Credits {
        Credits::from_micros(micros)
    }

    /// A month in its third day: 20.5 of 27 credits are used, 2 of them with unknown outcome, and 1.5 are reserved.
    fn month(allocation: i64) -> Report {
        let mut balance = Balance::opened(Credits::whole(allocation));
        balance.adjust(Credits::whole(2));
        balance.crossed.insert(Threshold::Half, Timestamp::parse("2026-11-02T08:15:00Z").unwrap());
        let mut days = BTreeMap::<String, Usage>::new();
        let used = |used: i64, unknown: i64| Change { used: micros(used), unknown: micros(unknown), calls: 1, ..Change::default() };
        for (day, provider, entity, change) in [
            ("2026-11-01", "crustdata", Entity::Account, used(18_000_000, 0)),
            ("2026-11-03", "acme-data", Entity::Contact, used(500_000, 0)),
            ("2026-11-03", "crustdata", Entity::Contact, used(2_000_000, 2_000_000)),
            ("2026-11-03", "crustdata", Entity::Contact, Change { reserved: micros(1_500_000), ..Change::default() }),
        ] {
            balance.take(&charge(provider, entity), change);
            days.entry(day.to_owned()).or_default().take(&charge(provider, entity), change);
        }
        Report::of(Month::parse("2026-11").unwrap(), Timestamp::parse(NOW).unwrap(), Some(balance), days)
    }

    fn configured() -> Configured {
        let cap = |scope, cap, taken| CapUse { scope, cap: Credits::whole(cap), taken: micros(taken) };
        let caps = vec![cap(CapScope::Day, 4, 4_000_000), cap(CapScope::Provider("crustdata".into()), 50, 21_500_000)];
        Configured { folder: "config".into(), caps, budget: Some(Credits::whole(20)), allocation: Credits::whole(25) }
    }

    #[test]
    fn s0_67_s0_68_to_s0_73_a_month_is_told_with_its_sums_its_pace_and_where_it_went() {
        insta::assert_snapshot!(report(&month(25), Some(&configured())));
    }

    #[test]
    fn the_same_for_programs_is_exact() {
        insta::assert_snapshot!(format!("{:#}", json::report(&month(25), Some(&configured()))));
    }

    #[test]
    fn without_a_configuration_no_cap_is_told() {
        let text = report(&month(25), None);
        assert!(!text.contains("cap ") && !text.contains("budget"), "{text}");
        assert_eq!(json::report(&month(25), None)["caps"], serde_json::Value::Null);
    }

    #[test]
    fn a_cap_that_critical_requests_have_passed_says_so_and_the_others_say_what_is_left() {
        let cap =
            |taken| left_of(&CapUse { scope: CapScope::Day, cap: Credits::whole(9), taken: Credits::whole(taken) }).content().to_owned();
        assert_eq!([8, 9, 10].map(cap), ["1 left", "0 left", "(Critical passes)"]);
    }

    #[test]
    fn a_month_past_its_credits_says_how_much_of_the_overdraft_is_drawn() {
        let report = month(19);
        let overdrawn = report.balance.clone().unwrap();
        assert_eq!(balance(&overdrawn), "overdrawn by 1 of 21, 20.5 used, 1.5 reserved");
        let text = super::report(&report, None);
        let line = text.lines().find(|line| line.trim_start().starts_with("overdraft")).unwrap();
        assert!(line.contains(" 1 ") && line.contains("critical"), "{line}");
    }

    #[test]
    fn a_month_that_nobody_has_used_says_so() {
        let unused = Report::of(Month::parse("2026-12").unwrap(), Timestamp::parse(NOW).unwrap(), None, BTreeMap::new());
        assert_eq!(report(&unused, None), "nobody has used a credit in 2026-12");
        let text = report(&unused, Some(&configured()));
        assert_eq!(text, "nobody has used a credit in 2026-12; the first paid call opens it with 25");
        assert_eq!(json::report(&unused, None)["balance"], serde_json::Value::Null);
    }

    #[test]
    fn a_bar_is_full_only_when_all_is_used_and_never_empty_when_something_is() {
        let bar = |part, whole| share_of(micros(part), micros(whole), [750, 900]).content().to_owned();
        assert_eq!(bar(0, 100).matches('█').count(), 0);
        assert_eq!(bar(1, 10_000).matches('█').count(), 1);
        assert_eq!(bar(9_999, 10_000).matches('█').count(), BAR - 1);
        assert_eq!((bar(300, 100).matches('█').count(), bar(300, 100).contains("300.0 %")), (BAR, true));
        assert_eq!(bar(1, 0), "", "no share of nothing");
    }
}
