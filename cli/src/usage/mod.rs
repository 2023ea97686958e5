//! `millrace usage`.

mod adjust;
mod json;
mod refund;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use domain::credits::{Balance, CapUse, Limits, Month, Report};
use domain::units::{Credits, Timestamp};
use pipeline::ports::{Clock as _, Ledger as _};
use platform::{SystemClock, Table};

use crate::configured::config_in;
use crate::say::say;
use crate::stack::{Stack, Which};

/// A month's credits, or one of the two ways in which a person changes them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Usage {
    #[command(flatten)]
    show: Show,
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Add credits to a month, or take some away that are left.
    Adjust(adjust::Adjust),
    /// Give back what the vendor's statement shows as not billed, or as billed with less than was counted.
    Refund(refund::Refund),
}

/// What to show.
#[derive(Debug, Args)]
struct Show {
    /// Another month than this one, such as 2026-11.
    #[arg(long, value_parser = month_named)]
    month: Option<Month>,
    /// A configuration folder: what is taken of its caps is shown too.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Print JSON, amounts in millionths of a credit.
    #[arg(long)]
    json: bool,
}

/// What the configuration says about it.
struct Configured {
    folder: PathBuf,
    caps: Vec<CapUse>,
    budget: Option<Credits>,
    allocation: Credits,
}

impl Usage {
    pub(crate) async fn run(&self) -> Result<()> {
        match &self.change {
            None => self.show.run().await,
            Some(Change::Adjust(adjust)) => adjust.run().await,
            Some(Change::Refund(refund)) => refund.run().await,
        }
    }
}

impl Show {
    async fn run(&self) -> Result<()> {
        let now = SystemClock.now();
        let limits = self.config.as_deref().map(limits_of).transpose()?;
        let month = self.month.clone().map_or_else(|| this_month(now), Ok)?;
        let place = self.which.connect(&[Table::Credits], &[]).await?;
        let report = place.report(month, now).await?;
        let configured = match (limits, &self.config) {
            (Some(limits), Some(folder)) => {
                let week = if limits.week.is_some() { place.asked(place.store.taken_of_week(&now.week()).await)? } else { Credits::ZERO };
                let caps = report.caps(&limits, week);
                Some(Configured { folder: folder.clone(), caps, budget: limits.budget, allocation: limits.allocation })
            }
            _ => None,
        };
        if self.json {
            say(format_args!("{:#}", json::report(&report, configured.as_ref())))
        } else {
            say(text::report(&report, configured.as_ref()))
        }
    }
}

impl Stack {
    /// Two reads of counters: a call that ends in between is in the days and not yet in the month.
    async fn report(&self, month: Month, now: Timestamp) -> Result<Report> {
        let balance = self.balance(&month).await?;
        let days = self.asked(self.store.usage(month.name()).await)?;
        Ok(Report::of(month, now, balance, days))
    }

    async fn balance(&self, month: &Month) -> Result<Option<Balance>> {
        self.asked(self.store.balance(month.name()).await)
    }
}

fn this_month(now: Timestamp) -> Result<Month> {
    Month::parse(&now.month()).context("the clock of this machine is beyond the calendar")
}

fn month_named(text: &str) -> Result<Month> {
    Month::parse(text).with_context(|| format!("`{text}` is no month; write for example 2026-11"))
}

/// The limits of a configuration folder.
fn limits_of(folder: &Path) -> Result<Limits> {
    config_in(folder).map(|config| config.limits)
}
