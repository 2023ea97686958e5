//! The stand-in for AWS: one process on loopback that runs the functions' binaries over the Lambda Runtime API.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::command::tail;
use crate::tools::Tools;

pub(crate) const REGION: &str = "eu-west-1";
const UP_WITHIN: Duration = Duration::from_secs(60);
const DOWN_WITHIN: Duration = Duration::from_secs(20);

/// A running stand-in. What it writes goes to a folder that ends with it.
pub(crate) struct Ministack {
    child: Child,
    port: u16,
    log: PathBuf,
    _folder: TempDir,
}

impl Ministack {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(tools: &Tools) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("stand-in.log");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let output = File::create(&log)?;
        let child = tools
            .ministack()
            .current_dir(folder.path())
            // Its default is every interface, and functions are told of it only by its own environment.
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AWS_ENDPOINT_URL", &url)
            .env("MINISTACK_REGION", REGION)
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C is for us: it is asked to stop when we are done with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the stand-in cannot be started")?;
        let mut stand_in = Self { child, port, log, _folder: folder };
        stand_in.wait_until_up().await?;
        Ok(stand_in)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The end of its log.
    pub(crate) fn last_lines(&self) -> String {
        tail(&std::fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// Ends it in good order, so that it ends the functions' processes.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        }
        if tokio::time::timeout(DOWN_WITHIN, self.child.wait()).await.is_err() {
            self.child.kill().await?;
            bail!("the stand-in did not stop within {} s; it was killed, and functions may still run", DOWN_WITHIN.as_secs());
        }
        Ok(())
    }

    async fn wait_until_up(&mut self) -> Result<()> {
        let health = format!("{}/_ministack/health", self.url());
        let http = platform::http_client()?.no_proxy().build()?;
        let start = Instant::now();
        while start.elapsed() < UP_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the stand-in ended with {status}:\n{}", self.last_lines());
            }
            if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the stand-in did not answer within {} s:\n{}", UP_WITHIN.as_secs(), self.last_lines())
    }
}

/// Lets a command talk to the stand-in at `url` instead of AWS, whatever account its user works with.
pub(crate) fn pointed_at<'a>(command: &'a mut Command, url: &str) -> &'a mut Command {
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
}
