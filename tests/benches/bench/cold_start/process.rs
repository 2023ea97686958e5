//! One process from its start to its first answer.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;
use stand_in::{Outcome, RuntimeApi};

use super::tls::Authority;

/// A process that has done nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an invocation may take.
const REMAINING: Duration = Duration::from_secs(60);

/// What is started.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) variables: BTreeMap<String, String>,
}

/// Resident memory, in millions of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    pub(super) now: f64,
    pub(super) most: f64,
}

/// What one start took.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) first_poll_ms: f64,
    /// From the start to the first answer, less the time between poll and event that this program spent.
    pub(super) answer_ms: f64,
    pub(super) at_poll: Memory,
    pub(super) after_answer: Memory,
    pub(super) answer: Value,
}

/// Starts a program, hands it one event and ends it.
pub(super) async fn start(program: &Program, authority: &Authority, event: &Value, log: &Path) -> anyhow::Result<Start> {
    let api = RuntimeApi::start().await?;
    let mut command = command(program, authority, &api, log)?;
    let before = Instant::now();
    let mut running = Running(command.spawn().with_context(|| program.path.display().to_string())?);
    let polled = tokio::time::timeout(PATIENCE, api.first_poll()).await;
    let Ok(polled) = polled else { bail!("no poll within {PATIENCE:?}; it wrote: {}", std::fs::read_to_string(log)?) };
    let at_poll = running.memory()?;
    let handed_over = Instant::now();
    let outcome = tokio::time::timeout(PATIENCE, api.invoke(event, REMAINING)).await;
    let worked = handed_over.elapsed();
    let after_answer = running.memory()?;
    running.end();
    let Ok(Outcome::Answer(answer)) = outcome else { bail!("{outcome:?}; it wrote: {}", std::fs::read_to_string(log)?) };
    let first_poll = polled - before;
    Ok(Start { first_poll_ms: in_ms(first_poll), answer_ms: in_ms(first_poll + worked), at_poll, after_answer, answer })
}

/// What Lambda sets, what the program is told, and whom to trust.
fn command(program: &Program, authority: &Authority, api: &RuntimeApi, log: &Path) -> anyhow::Result<Command> {
    let log = File::create(log)?;
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("SSL_CERT_FILE", &authority.certificate)
        .env("AWS_CA_BUNDLE", &authority.bundle)
        .env("NODE_EXTRA_CA_CERTS", &authority.certificate)
        .envs(&program.variables)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// A process of ours, killed when this is dropped.
struct Running(Child);

impl Running {
    fn memory(&self) -> anyhow::Result<Memory> {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).context("the memory of a process is read from /proc")?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: f64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()?;
            Some(kibibytes * 1024.0 / 1e6)
        };
        Ok(Memory { now: megabytes("VmRSS").unwrap_or_default(), most: megabytes("VmHWM").unwrap_or_default() })
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn in_ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
