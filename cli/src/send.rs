//! `millrace send`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use intake::sample::{RepeatAs, Sample, local_secret};
use pipeline::ports::Clock;
use platform::SystemClock;
use secrecy::SecretString;

use crate::say::say;

/// Where `cargo dev` takes webhooks.
const DEFAULT_URL: &str = "http://127.0.0.1:7700";

/// What to send, and where.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// A sample event, such as events/signup-webhook.hot.json.
    event: PathBuf,
    /// Where the webhooks are: the stack's `WebhookUrl` output, or `cargo dev`.
    #[arg(long, env = "MILLRACE_URL", default_value = DEFAULT_URL)]
    url: String,
    /// The issuer's webhook secret; without it, that of `cargo dev`.
    #[arg(long, env = "MILLRACE_WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// Show the whole record of the answer.
    #[arg(long)]
    record: bool,
    /// Wait up to so many seconds for the decision; without it, as the sample says.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u32>,
}

impl Send {
    pub(crate) async fn run(&self) -> Result<()> {
        let text = std::fs::read_to_string(&self.event).with_context(|| format!("{} cannot be read", self.event.display()))?;
        let sample = Sample::parse(&text).with_context(|| self.event.display().to_string())?;
        let secret = match (&self.secret, local_secret(&sample.issuer)) {
            (Some(secret), _) => SecretString::from(secret.clone()),
            (None, Some(secret)) => SecretString::from(secret),
            (None, None) => bail!("give the secret of issuer {} with --secret or MILLRACE_WEBHOOK_SECRET", sample.issuer),
        };
        if sample.before.is_some() {
            say("what this sample has done `before` is done by `cargo dev` only, when it plays its samples; it is sent without that")?;
        }
        let first = sample.render(SystemClock.now());
        for _ in 0..sample.repeat {
            let body = if sample.repeat_as == RepeatAs::Click { sample.render(SystemClock.now()) } else { first.clone() };
            self.post(&sample, body, &secret).await?;
        }
        Ok(())
    }

    async fn post(&self, sample: &Sample, body: Vec<u8>, secret: &SecretString) -> Result<()> {
        let headers = intake::sign(&sample.issuer, &body, secret, sample.delivery.as_deref(), SystemClock.now())?;
        let url = format!("{}/webhook/{}", self.url.trim_end_matches('/'), sample.issuer);
        let mut request = platform::http_client()?.build()?.post(&url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let prefer = self.wait.map(|seconds| format!("wait={seconds}")).or_else(|| sample.prefer.clone());
        if let Some(prefer) = prefer {
            request = request.header("prefer", prefer);
        }
        let response = request.send().await.with_context(|| format!("{url} does not answer; is `cargo dev` up, or --url right?"))?;
        let status = response.status();
        let text = response.text().await?;
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(answer) => self.show(status, answer)?,
            Err(_) => say(format_args!("{status}\n{text}"))?,
        }
        if status == reqwest::StatusCode::UNAUTHORIZED {
            bail!("the signature was refused: is this the issuer's secret (--secret or MILLRACE_WEBHOOK_SECRET)?");
        }
        if !status.is_success() {
            bail!("the webhook refused the event with {status}");
        }
        Ok(())
    }

    /// Where `explain` has to look, when it is not where it looks by itself.
    fn tables(&self) -> &'static str {
        if self.url == DEFAULT_URL {
            ""
        } else if self.url.contains("://127.0.0.1") {
            " --local <the tables' address that `cargo dev` printed>"
        } else {
            " --table <the stack's LeadsTable>"
        }
    }

    fn show(&self, status: reqwest::StatusCode, mut answer: serde_json::Value) -> Result<()> {
        let run = answer.get("run").and_then(serde_json::Value::as_str).map(str::to_owned);
        let record = answer.as_object_mut().filter(|_| !self.record).and_then(|fields| fields.remove("record"));
        say(format_args!("{status}\n{}", serde_json::to_string_pretty(&answer)?))?;
        if let Some(fields) = record.as_ref().and_then(serde_json::Value::as_object) {
            say(format_args!("and a record of {} fields (--record shows it)", fields.len()))?;
        }
        if let Some(run) = run {
            say(format_args!("why: cargo millrace explain {run}{}", self.tables()))?;
        }
        Ok(())
    }
}
