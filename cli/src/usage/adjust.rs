//! `millrace usage adjust`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::credits::{Adjustment, Balance, Month};
use domain::units::Credits;
use pipeline::ports::{Adjusted, Clock as _, Entropy as _, Ledger as _};
use platform::{OsEntropy, SystemClock};
use serde_json::json;

use super::place::{Place, Which};
use super::{json, limits_of, month_named, text, this_month};

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
    /// The configuration folder; read only when nobody has used the month, which is then opened with its allocation.
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    config: PathBuf,
    /// The name of an adjustment of which nobody knows whether it counted: under the same name it counts once.
    #[arg(long, value_name = "NAME", value_parser = some_name)]
    id: Option<String>,
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
        let place = self.which.connect().await?;
        let allocation = self.allocation(&place, &month).await?;
        let id = self.id.clone().unwrap_or_else(|| OsEntropy.name());
        let adjustment = Adjustment { id, month: month.name().to_owned(), amount: self.credits, because: self.because.clone(), at };
        let answer = place.asked(place.ledger.adjust(&adjustment, allocation).await);
        let answer = answer.with_context(|| {
            format!("whether the adjustment counted is not known; give the same command with --id={}, which counts it once", adjustment.id)
        })?;
        // Nobody should give a command again that counted.
        let balance = place.balance(&month).await.context(match answer {
            Adjusted::MoreThanAvailable => "more would be taken away than is left, so nothing changed; how much is left cannot be read",
            Adjusted::Done | Adjusted::Before => "the adjustment counted, only the new balance cannot be read",
        })?;
        let balance = balance.unwrap_or_default();
        if answer == Adjusted::MoreThanAvailable {
            bail!("{}", too_much(&month, self.credits, &balance));
        }
        self.show(&adjustment, answer == Adjusted::Done, &balance);
        Ok(())
    }

    /// What the month is opened with, if nobody has used it; otherwise it has its allocation.
    async fn allocation(&self, place: &Place, month: &Month) -> Result<Credits> {
        if let Some(balance) = place.balance(month).await? {
            return Ok(balance.allocation);
        }
        let limits = limits_of(&self.config);
        let why =
            || format!("nobody has used {month} yet, so that it begins with the configured allocation; say with --config where that is");
        limits.map(|limits| limits.allocation).with_context(why)
    }

    fn show(&self, adjustment: &Adjustment, counted: bool, balance: &Balance) {
        if self.json {
            let said = json!({
                "month": adjustment.month, "id": adjustment.id, "amount": adjustment.amount.micros(), "because": adjustment.because,
                "counted": counted, "balance": json::balance(balance),
            });
            println!("{said:#}");
            return;
        }
        let (month, amount) = (&adjustment.month, text::with_sign(adjustment.amount));
        if counted {
            println!("{month} was adjusted by {amount} credits: {}", text::balance(balance));
        } else {
            println!("the adjustment {} of {month} counted before, nothing changed: {}", adjustment.id, text::balance(balance));
        }
    }
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
