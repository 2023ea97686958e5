//! `millrace usage refund`.

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use domain::credits::{Balance, Month, Reservation, ReservationId, ReservationState};
use domain::signup::RunId;
use domain::units::Credits;
use pipeline::ports::Ledger as _;
use platform::Table;
use serde_json::json;

use super::{json, text};
use crate::say::say;
use crate::stack::{Stack, Which};

/// Which call, and what the statement says.
#[derive(Debug, Args)]
pub(super) struct Refund {
    /// The run that paid.
    #[arg(value_parser = RunId::parse, allow_hyphen_values = true)]
    run: RunId,
    /// The operation that was called, such as crustdata.company.
    operation: String,
    /// The how many-th call of the run to this operation, 1 for the first; calls that were not made do not count.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    attempt: u32,
    /// What the vendor billed for it.
    #[arg(long, value_name = "CREDITS", default_value = "0", value_parser = amount)]
    billed: Credits,
    #[command(flatten)]
    which: Which,
    /// Print JSON, amounts in millionths of a credit.
    #[arg(long)]
    json: bool,
}

impl Refund {
    pub(super) async fn run(&self) -> Result<()> {
        let place = self.which.connect_to_change(&[Table::Credits], &[]).await?;
        let entry = self.entry(&place).await?;
        let Some(refunded) = entry.refunded(self.billed) else { bail!("{}", why_not(&entry, self.billed)) };
        let moved = place.asked(place.store.move_on(&entry, &refunded).await);
        if !moved.context("whether the refund counted is not known; give the same command again, it counts once")? {
            bail!("somebody else changed this entry just now, nothing was refunded; give the same command again");
        }
        let month = Month::parse(&entry.periods.month).context("the entry names no month")?;
        let balance = place.balance(&month).await.context("the refund counted, only the new balance cannot be read")?.unwrap_or_default();
        self.show(&entry, &balance)
    }

    async fn entry(&self, place: &Stack) -> Result<Reservation> {
        let id = ReservationId { run: self.run.clone(), operation: self.operation.clone(), attempt: self.attempt };
        let entry = place.asked(place.store.read_reservation(&id).await)?;
        entry.ok_or_else(|| {
            anyhow!(
                "the ledger has no entry for attempt {} of {} by run {}: it was not called, it costs nothing, or its answer came from \
                 the cache; `millrace explain` shows the run's calls with the number of each paid attempt",
                id.attempt,
                id.operation,
                id.run
            )
        })
    }

    fn show(&self, entry: &Reservation, balance: &Balance) -> Result<()> {
        let (month, given_back) = (&entry.periods.month, entry.used().minus(self.billed));
        if self.json {
            let said = json!({
                "run": entry.id.run.as_str(), "operation": entry.id.operation, "attempt": entry.id.attempt, "month": month,
                "counted": entry.used().micros(), "billed": self.billed.micros(), "given_back": given_back.micros(),
                "balance": json::balance(balance),
            });
            return say(format_args!("{said:#}"));
        }
        say(format_args!("{given_back} credits were given back to {month}: {}", text::balance(balance)))
    }
}

/// Why an entry cannot be refunded.
fn why_not(entry: &Reservation, billed: Credits) -> String {
    match entry.state {
        ReservationState::Calling | ReservationState::Pending => {
            format!(
                "this call is still open and its credits only reserved; after {} it counts as used in full: give the command again then",
                entry.open_until
            )
        }
        ReservationState::Refunded { used } => format!(
            "this entry was refunded before, down to {used} credits; that happens once. What else the vendor gives back is \
                 added by `millrace usage adjust`"
        ),
        ReservationState::Settled { .. } | ReservationState::OutcomeUnknown => {
            let used = entry.used();
            format!(
                "only {used} credits were counted for this call, and {billed} is not less: there is nothing to give back. If the vendor billed more, \
                 take the rest away by `millrace usage adjust`"
            )
        }
    }
}

fn amount(written: &str) -> Result<Credits> {
    Credits::parse(written).with_context(|| format!("`{written}` is not an amount of credits; write for example 2 or 0.5"))
}
