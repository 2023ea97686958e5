//! One function as a process of its own, started and invoked as Lambda would.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::{Outcome, RuntimeApi};

/// An invocation that is not answered so long after its time was over counts as hanging.
const GRACE: Duration = Duration::from_secs(30);

/// A bootstrap that runs; it is killed when this is dropped.
///
/// A thread reads each of its two outputs, instead of `tokio::process`: that would be one more feature of tokio in all packages.
pub struct Function {
    api: RuntimeApi,
    child: Child,
    output: Arc<Mutex<String>>,
    /// Closed when both outputs are: the process has ended.
    outputs: watch::Receiver<()>,
}

/// How a process began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// It asks for events.
    Ready,
    /// It ended or said so first; this is what it said.
    Failed(String),
}

impl Function {
    /// Starts a bootstrap with these variables and those that Lambda sets, and no others.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start<I, N, V>(bootstrap: &str, variables: I) -> io::Result<Self>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<std::ffi::OsStr>,
        V: AsRef<std::ffi::OsStr>,
    {
        let api = RuntimeApi::start().await?;
        let mut command = Command::new(bootstrap);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "stand-in")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = Arc::new(Mutex::new(String::new()));
        let (open, outputs) = watch::channel(());
        let open = Arc::new(open);
        collect(child.stdout.take(), &output, &open);
        collect(child.stderr.take(), &output, &open);
        Ok(Self { api, child, output, outputs })
    }

    /// Waits until it asks for its first event or fails to.
    pub async fn started(&self) -> Started {
        tokio::select! {
            biased;
            _ = self.api.first_poll() => Started::Ready,
            outcome = self.api.init_error() => Started::Failed(format!("{outcome:?}")),
            () = self.closed() => Started::Failed(self.output()),
        }
    }

    /// Hands over an event with so much time left and waits for how it ends.
    pub async fn invoke(&self, payload: &Value, remaining: Duration) -> Outcome {
        let gone = |error_type: &str| Outcome::Failed { error_type: error_type.to_owned(), message: self.output() };
        tokio::select! {
            biased;
            outcome = self.api.invoke(payload, remaining) => outcome,
            () = self.closed() => gone("StandIn.Ended"),
            () = tokio::time::sleep(remaining + GRACE) => gone("StandIn.TimedOut"),
        }
    }

    /// What it has written so far; a line may come a moment after the answer that it is about, see [`Self::stop`].
    #[must_use]
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Kills the process, as Lambda ends an environment, and gives back everything it wrote.
    ///
    /// # Errors
    /// Passes on what the operating system says.
    pub async fn stop(mut self) -> io::Result<String> {
        self.child.kill()?;
        self.closed().await;
        self.child.wait()?;
        Ok(self.output())
    }

    async fn closed(&self) {
        let mut outputs = self.outputs.clone();
        while outputs.changed().await.is_ok() {}
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads one output to its end on a thread of its own.
fn collect(output: Option<impl Read + Send + 'static>, lines: &Arc<Mutex<String>>, open: &Arc<watch::Sender<()>>) {
    let Some(output) = output else { return };
    let (lines, open) = (Arc::clone(lines), Arc::clone(open));
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        drop(open);
    });
}
