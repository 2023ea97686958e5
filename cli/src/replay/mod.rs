//! `millrace replay`.

mod report;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::config::Config;
use domain::replay::ReplayError;
use domain::run::Run;
use domain::signup::RunId;
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::ports::{RunLog as _, StoreError, StoredRun};

use crate::configured::Folder;
use crate::explain::{Place, Which};
use crate::say::say;
use report::Report;

/// Which runs, where their logs are, and the configuration they were decided under.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The run's id. One in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true, required_unless_present = "all", conflicts_with = "all")]
    signup: Option<String>,
    /// All runs of the table: reads the whole of it, page by page.
    #[arg(long)]
    all: bool,
    /// With --all, the runs of a file instead, as `explain --json` prints them one after the other.
    #[arg(long, value_name = "FILE", requires = "all")]
    from: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    folder: Folder,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(crate) async fn run(&self) -> Result<()> {
        let report = match (&self.signup, &self.from) {
            (Some(id), _) => self.one(&RunId::parse(id)?).await?,
            (None, Some(file)) => of_file(file, self.folder.read()?)?,
            (None, None) => self.of_table().await?,
        };
        if self.json {
            say(format!("{:#}", report.json()))?;
        } else {
            say(report.text())?;
        }
        report.verdict()
    }

    async fn one(&self, id: &RunId) -> Result<Report> {
        let at_hand = self.folder.at_hand()?;
        let place = self.which.connect().await?;
        let stored = place.run(id).await?;
        let mut configs = BTreeMap::new();
        let hash = &stored.run.config;
        if let Some(config) = place.configuration(hash, at_hand.as_ref()).await? {
            configs.insert(hash.clone(), config?);
        } else {
            let (needs, given) = (hash.clone(), self.folder.read()?.hash);
            bail!("run {id} cannot be replayed: {}", ReplayError::OtherConfiguration { needs, given });
        }
        for hash in stored.run.seen.iter().filter_map(|seen| seen.config.as_ref()) {
            let earlier = place.configuration(hash, at_hand.as_ref()).await?.and_then(Result::ok);
            configs.extend(earlier.map(|config| (hash.clone(), config)));
        }
        let mut report = Report::default();
        report.add(&stored.run, &configs);
        Ok(report)
    }

    /// The configuration at hand and all published versions, by hash. They are few, while the runs are many.
    async fn configurations(&self, place: &Place) -> Result<BTreeMap<String, Config>> {
        let at_hand = self.folder.at_hand()?;
        let published = place.configurations().await?;
        // Where nothing was published, the folder has to be there.
        let at_hand = if published.is_empty() { Some(self.folder.read()?) } else { at_hand };
        let configurations = published.into_iter().chain(at_hand).map(|config| (config.hash.clone(), config)).collect();
        Ok(configurations)
    }

    async fn of_table(&self) -> Result<Report> {
        let place = self.which.connect().await?;
        let configurations = self.configurations(&place).await?;
        let mut report = Report::default();
        let progress = ProgressBar::new_spinner().with_style(style("{spinner} {pos} runs replayed, {per_sec}, {elapsed}"));
        progress.enable_steady_tick(Duration::from_millis(120));
        let mut see = |stored: Result<StoredRun, StoreError>| {
            progress.inc(1);
            match stored {
                Ok(stored) => report.add(&stored.run, &configurations),
                Err(error) => report.unreadable.push(error.to_string()),
            }
        };
        let read = place.store.each_run(&mut see).await;
        progress.finish_and_clear();
        place.asked(read)?;
        Ok(report)
    }
}

fn of_file(path: &Path, config: Config) -> Result<Report> {
    let configs = BTreeMap::from([(config.hash.clone(), config)]);
    let cannot = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(cannot)?;
    let bytes = file.metadata().with_context(cannot)?.len();
    let progress = ProgressBar::new(bytes).with_style(style("{bar:40} {percent} % of the file, {elapsed} and {eta} to go"));
    let runs = serde_json::Deserializer::from_reader(BufReader::new(progress.wrap_read(file))).into_iter::<Run>();
    let mut report = Report::default();
    for (index, run) in runs.enumerate() {
        // The error's own text repeats values, which may be a person's.
        let run = run.map_err(|error| anyhow::anyhow!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()));
        report.add(&run.with_context(|| format!("run {} in {} cannot be read", index + 1, path.display()))?, &configs);
    }
    progress.finish_and_clear();
    Ok(report)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
