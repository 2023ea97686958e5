//! `millrace usage adjust`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::credits::{Adjustment, Balance, Month};
use domain::units::{Credits, Timestamp};
use pipeline::ports::{Adjusted, Clock as _, Entropy as _, Ledger as _};
use platform::{OsEntropy, SystemClock, Table};
use serde_json::json;

use super::{json, limits_of, month_named, text, this_month};
use crate::say::say;
use crate::stack::Which;

/// How much, and why.
#[derive(Debug, Args)]
pub(super) struct Adjust {
    /// How many credits more, or with a minus fewer: +500, -20 or -0.5.
    #[arg(value_parser = signed, allow_negative_numbers = true)]
    credits: Credits,
    /// Why, in your words; kept with the adjustment.
    #[arg(long, value_name = "TEXT", value_parser = some_text)]
    because: String,
    /// Another month than this one, such as 2026-11.
    #[arg(long, value_parser = month_named)]
    month: Option<Month>,
    /// The configuration folder; read only when nobody has used the month, which is then opened with its allocation, and says so.
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    config: PathBuf,
    /// The name of an adjustment of which nobody knows whether it counted: under the same name it counts once.
    #[arg(long, value_name = "NAME", value_parser = some_name)]
    id: Option<String>,
    /// Open a month that nobody has used also when it is over, or more than one month ahead.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    which: Which,
    /// Print JSON, amounts in millionths of a credit.
    #[arg(long)]
    json: bool,
}

impl Adjust {
    pub(super) async fn run(&self) -> Result<()> {
        let at = SystemClock.now();
        let month = self.month.clone().map_or_else(|| this_month(at), Ok)?;
        let place = self.which.connect_to_change(&[Table::Credits], &[]).await?;
        let begins = place.balance(&month).await?;
        let is_opened = begins.is_none();
        // A month that somebody has used has its allocation.
        let allocation = begins.map_or_else(|| self.allocation(&month, at), |balance| Ok(balance.allocation))?;
        let id = self.id.clone().unwrap_or_else(|| OsEntropy.name());
        let adjustment = Adjustment { id, month: month.name().to_owned(), amount: self.credits, because: self.because.clone(), at };
        let answer = place.asked(place.store.adjust(&adjustment, allocation).await);
        let answer = answer.with_context(|| {
            format!("whether the adjustment counted is not known; give the same command with --id={}, which counts it once", adjustment.id)
        })?;
        // Nobody should give a command again that counted.
        let balance = place.balance(&month).await.context(match answer {
            Adjusted::MoreThanAvailable => "more would be taken away than is left, so nothing changed; how much is left cannot be read",
            Adjusted::OtherAmount(_) => "another adjustment counted under this id, so nothing changed; how much is left cannot be read",
            Adjusted::Done | Adjusted::Before => "the adjustment counted, only the new balance cannot be read",
        })?;
        let balance = balance.unwrap_or_default();
        let opened = is_opened.then(|| format!("opened {month} with {allocation} from {}", self.config.display()));
        match answer {
            Adjusted::Done => self.show(&adjustment, true, opened, &balance),
            Adjusted::Before => self.show(&adjustment, false, opened, &balance),
            Adjusted::OtherAmount(earlier) => bail!("{}", other_amount(&adjustment, earlier)),
            Adjusted::MoreThanAvailable => bail!("{}{}", told(opened), too_much(&month, self.credits, &balance)),
        }
    }

    /// What the month is opened with, for nobody has used it.
    fn allocation(&self, month: &Month, now: Timestamp) -> Result<Credits> {
        if !self.open && (month.is_over(now) || month.is_far_ahead(now)) {
            let when = if month.is_over(now) { "is over" } else { "is more than one month ahead" };
            bail!("nobody has used {month}, and it {when}; give --month another, or --open if it is meant");
        }
        let limits = limits_of(&self.config);
        let why =
            || format!("nobody has used {month} yet, so that it begins with the configured allocation; say with --config where that is");
        limits.map(|limits| limits.allocation).with_context(why)
    }

    fn show(&self, adjustment: &Adjustment, counted: bool, opened: Option<String>, balance: &Balance) -> Result<()> {
        if self.json {
            let said = json!({
                "month": adjustment.month, "id": adjustment.id, "amount": adjustment.amount.micros(), "because": adjustment.because,
                "counted": counted, "opened": opened.is_some(), "balance": json::balance(balance),
            });
            return say(format_args!("{said:#}"));
        }
        let (month, amount) = (&adjustment.month, text::with_sign(adjustment.amount));
        let (opened, left) = (told(opened), text::balance(balance));
        if counted {
            return say(format_args!("{opened}{month} was adjusted by {amount} credits: {left}"));
        }
        say(format_args!("the adjustment {} of {month} counted before, nothing changed: {left}", adjustment.id))
    }
}

/// In a line of its own, before what follows.
fn told(opened: Option<String>) -> String {
    opened.map_or_else(String::new, |opened| format!("{opened}\n"))
}

fn other_amount(adjustment: &Adjustment, earlier: Credits) -> String {
    let (id, month, earlier, now) = (&adjustment.id, &adjustment.month, text::with_sign(earlier), text::with_sign(adjustment.amount));
    format!(
        "the adjustment {id} of {month} was {earlier} and not {now}; nothing changed. For another adjustment give another --id, or none"
    )
}

fn too_much(month: &Month, credits: Credits, balance: &Balance) -> String {
    let (wanted, left) = (Credits::ZERO.minus(credits), balance.remaining());
    format!("{wanted} credits cannot be taken away from {month}, for only {left} are left; nothing changed")
}

/// Credits with a sign, but for none at all.
fn signed(written: &str) -> Result<Credits> {
    let (is_less, amount) = match written.strip_prefix('-') {
        Some(amount) => (true, amount),
        None => (false, written.strip_prefix('+').unwrap_or(written)),
    };
    let amount = Some(amount).filter(|amount| !amount.starts_with(['+', '-'])).and_then(Credits::parse);
    let amount = amount.with_context(|| format!("`{written}` is not an amount of credits; write for example +500, -20 or -0.5"))?;
    if amount == Credits::ZERO {
        bail!("an adjustment by nothing changes nothing");
    }
    Ok(if is_less { Credits::ZERO.minus(amount) } else { amount })
}

fn some_text(written: &str) -> Result<String> {
    if written.trim().is_empty() {
        bail!("say why");
    }
    Ok(written.trim().to_owned())
}

fn some_name(written: &str) -> Result<String> {
    let is_name = (1..=64).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_name {
        bail!("a name has up to 64 characters from A-Z a-z 0-9 - _");
    }
    Ok(written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_sign_or_none_and_is_something() {
        assert_eq!(signed("+500").unwrap(), Credits::whole(500));
        assert_eq!(signed("500").unwrap(), Credits::whole(500));
        assert_eq!(signed("-0.5").unwrap(), Credits::from_micros(-500_000));
        for text in ["0", "-0", "+-1", "--1", "", "+", "many", "0.0000001", "1e400"] {
            assert!(signed(text).is_err(), "{text}");
        }
    }
}
