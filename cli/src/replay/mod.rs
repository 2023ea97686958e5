//! `millrace replay`.

mod configurations;
mod report;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::run::Run;
use domain::signup::RunId;
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::ports::{RunLog as _, StoreError, StoredRun};

use crate::configured::Folder;
use crate::explain::Which;
use crate::say::say;
use configurations::{Configurations, needed_by};
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
        let mut configurations = Configurations::of_folder(&self.folder)?;
        let report = match (&self.signup, &self.from) {
            (Some(id), _) => self.one(&RunId::parse(id)?, &mut configurations).await?,
            (None, Some(file)) => self.of_file(file, &mut configurations).await?,
            (None, None) => self.of_table(&mut configurations).await?,
        };
        configurations.note_unused(&report.needed);
        if self.json {
            say(format!("{:#}", report.json()))?;
        } else {
            say(report.text(&configurations))?;
        }
        report.verdict()
    }

    async fn one(&self, id: &RunId, configurations: &mut Configurations) -> Result<Report> {
        let place = self.which.connect().await?;
        let run = place.run(id).await?.run;
        configurations.add(&place, needed_by(&run)).await?;
        if configurations.get(&run.config).is_none() {
            let (needs, why) = (&run.config, configurations.why_not(&run.config));
            bail!("run {id} cannot be replayed: it was decided under configuration {needs}; {why}");
        }
        let mut report = Report::default();
        report.add(&run, configurations);
        Ok(report)
    }

    async fn of_table(&self, configurations: &mut Configurations) -> Result<Report> {
        let place = self.which.connect().await?;
        configurations.add_published(&place).await?;
        self.need_any(configurations)?;
        let mut report = Report::default();
        let progress = ProgressBar::new_spinner().with_style(style("{spinner} {pos} runs replayed, {per_sec}, {elapsed}"));
        progress.enable_steady_tick(Duration::from_millis(120));
        let mut see = |stored: Result<StoredRun, StoreError>| {
            progress.inc(1);
            match stored {
                Ok(stored) => report.add(&stored.run, configurations),
                Err(error) => report.unreadable.push(error.to_string()),
            }
        };
        let read = place.store.each_run(&mut see).await;
        progress.finish_and_clear();
        place.asked(read)?;
        Ok(report)
    }

    /// The runs of a file; the stack is asked for published versions only where it is named.
    async fn of_file(&self, path: &Path, configurations: &mut Configurations) -> Result<Report> {
        if self.which.names_settings() {
            configurations.add_published(&self.which.connect().await?).await?;
        }
        self.need_any(configurations)?;
        read_file(path, configurations)
    }

    /// Where nothing was published, the folder has to be there; its mistakes are told.
    fn need_any(&self, configurations: &Configurations) -> Result<()> {
        if configurations.is_empty() { self.folder.read().map(drop) } else { Ok(()) }
    }
}

fn read_file(path: &Path, configurations: &Configurations) -> Result<Report> {
    let cannot = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(cannot)?;
    let bytes = file.metadata().with_context(cannot)?.len();
    let progress = ProgressBar::new(bytes).with_style(style("{bar:40} {percent} % of the file, {elapsed} and {eta} to go"));
    let runs = serde_json::Deserializer::from_reader(BufReader::new(progress.wrap_read(file))).into_iter::<Run>();
    let mut report = Report::default();
    for (index, run) in runs.enumerate() {
        // The error's own text repeats values, which may be a person's.
        let run = run.map_err(|error| anyhow::anyhow!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()));
        report.add(&run.with_context(|| format!("run {} in {} cannot be read", index + 1, path.display()))?, configurations);
    }
    progress.finish_and_clear();
    Ok(report)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
