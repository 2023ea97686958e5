//! `millrace explain`.

mod place;
mod text;
mod what_if;

use anyhow::Result;
use clap::Args;
use domain::signup::RunId;

use crate::configured::Folder;
use crate::say::say;

pub(crate) use place::{Place, Which};

/// Which signup, and where its log is.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The run's id: `run` in the webhook's answer, `signup` in `cargo dev --json`. One in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    signup: String,
    #[command(flatten)]
    which: Which,
    /// Suppose a value and say what would be decided, such as company.headcount=300; as often as you like. Nothing is asked
    /// and nothing written.
    #[arg(long, value_name = "FIELD=VALUE")]
    what_if: Vec<String>,
    #[command(flatten)]
    folder: Folder,
    /// Print the whole log as JSON, or with --what-if both decisions.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) async fn run(&self) -> Result<()> {
        let id = RunId::parse(&self.signup)?;
        let at_hand = self.folder.at_hand()?;
        let place = self.which.connect().await?;
        let stored = place.run(&id).await?;
        if self.what_if.is_empty() && self.json {
            return say(serde_json::to_string_pretty(&stored.run)?);
        }
        let decided_by = place.configuration(&stored.run.config, at_hand.as_ref()).await?;
        if self.what_if.is_empty() {
            // Most of the explanation takes no configuration.
            return say(text::explain(&stored, decided_by.and_then(Result::ok).or(at_hand).as_ref()));
        }
        // Whoever names a folder asks what that one would decide.
        let config = decided_by.filter(|_| self.folder.named().is_none()).unwrap_or_else(|| self.folder.read())?;
        let question = what_if::Question::read(&self.what_if, config)?;
        let answer = question.answer(&stored.run)?;
        if self.json { say(format!("{:#}", answer.json())) } else { say(answer.text()) }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        explain: Explain,
    }

    #[test]
    fn a_run_whose_id_begins_with_a_hyphen_is_no_option() {
        let run = format!("-{}", "a".repeat(42));
        for arguments in [["millrace", &run, "--json"], ["millrace", "--json", &run]] {
            let explain = Command::try_parse_from(arguments).unwrap().explain;
            assert_eq!((explain.signup.as_str(), explain.json), (run.as_str(), true));
        }
    }
}
