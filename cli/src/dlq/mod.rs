//! `millrace dlq`.

mod mask;
mod place;
mod sent;
mod text;

use anyhow::{Context as _, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use pipeline::dead_letters::{DAYS_KEPT, Letter};
use pipeline::ports::{DEAD_LETTERS_MOST, QueueName};
use serde_json::Value;

use place::TABLES;

use crate::say::say;
use crate::stack::{Stack, Which};

#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    /// List what could not be worked off: the dead letters of the queues, and what functions put aside because it can never be
    /// worked off as it is. No address and no body is shown.
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        among: Among,
        /// Print a JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Show one letter with its reason and its body. What the body says about a person is masked.
    Show {
        /// The letter's id.
        id: String,
        #[command(flatten)]
        which: Which,
        /// Print the body as it is stored: it holds an email address, a name and more of a person.
        #[arg(long)]
        reveal: bool,
        /// Print a JSON list, with more than one letter where an id stands in two places; `body` is the masked JSON, with
        /// --reveal the text as it is stored.
        #[arg(long)]
        json: bool,
    },
    /// Send letters again: each goes back to its queue, and only then it is taken from where it was. Mend the cause first.
    /// What cannot be sent stays where it is, and so does what would be refused again.
    Redrive {
        /// The letters' ids.
        #[arg(conflicts_with = "all", value_name = "ID")]
        ids: Vec<String>,
        /// Everything that `list` shows with the same --queue and --days, but for what would be refused again.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        among: Among,
        /// Print a JSON list.
        #[arg(long)]
        json: bool,
    },
}

/// Which of the letters.
#[derive(Debug, Args)]
pub(crate) struct Among {
    /// Only those of this queue: for what was put aside, the one it goes to when it is sent again. A message that provider-lookup
    /// could not read at all says nothing of its queue and belongs to lookup-normal.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(QueueName::ALL.map(QueueName::as_str)).try_map(queue_named))]
    queue: Option<QueueName>,
    /// How many days to look back for what was put aside, today among them; dead letters are all shown. An id is looked for in
    /// all 90 days for which it is kept.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=i64::from(DAYS_KEPT)))]
    days: u16,
}

fn queue_named(name: String) -> Result<QueueName> {
    QueueName::parse(&name).with_context(|| format!("there is no queue {name}"))
}

impl Dlq {
    pub(crate) async fn run(&self) -> Result<()> {
        match self {
            Self::List { which, among, json } => list(&which.connect(&TABLES, &QueueName::ALL).await?, among, *json).await,
            Self::Show { id, which, reveal, json } => show(&which.connect(&TABLES, &QueueName::ALL).await?, id, *reveal, *json).await,
            Self::Redrive { ids, all: false, .. } if ids.is_empty() => {
                bail!("say which letters: their ids, as `millrace dlq list` shows them, or --all")
            }
            Self::Redrive { ids, which, among, json, .. } => {
                sent::send_again(&which.connect_to_change(&TABLES, &QueueName::ALL).await?, ids, among, *json).await
            }
        }
    }
}

async fn list(place: &Stack, among: &Among, json: bool) -> Result<()> {
    let letters = place.letters(among.queue, among.days).await?;
    if json {
        return print_json(letters.iter().map(text::to_json));
    }
    if letters.is_empty() {
        say("there is nothing")?;
    } else {
        say(text::list(&letters))?;
    }
    if place.queue.is_none() {
        say("only what was put aside: the queues of `cargo dev` cannot be reached from outside")?;
    }
    note_cut(&letters)
}

async fn show(place: &Stack, id: &str, reveal: bool, json: bool) -> Result<()> {
    let mut letters = place.letters(None, DAYS_KEPT).await?;
    letters.retain(|letter| letter.id() == id);
    if letters.is_empty() {
        bail!("there is no letter {id}; `millrace dlq list` shows those that there are");
    }
    if json {
        print_json(letters.iter().map(|letter| text::to_json_with_body(letter, reveal)))
    } else {
        letters.iter().try_for_each(|letter| say(text::show(letter, reveal)))
    }
}

fn print_json(values: impl Iterator<Item = Value>) -> Result<()> {
    say(format_args!("{:#}", values.collect::<Value>()))
}

/// Nobody should take the first thousand for all.
fn note_cut(letters: &[Letter]) -> Result<()> {
    if !text::is_cut(letters) {
        return Ok(());
    }
    say(format_args!("a queue's first {DEAD_LETTERS_MOST} dead letters only; there may be more"))
}
