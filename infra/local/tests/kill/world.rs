//! The stack as a process that dies, and the clock that both sides share.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::config::Config;
use domain::units::{Millis, Timestamp};
use pipeline::ports::Clock;
use platform::SystemClock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::snapshot::messages;
use crate::sweeper::Sweeper;
use crate::vendors::Vendors;

/// The repository, with `config/`.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// A function's message is hidden for this long while it is worked on, as in `pump.rs`.
const VISIBILITY: Millis = Millis::minutes(6);
/// A stack that has messages in hand for longer than this has left them to their visibility.
const LONGEST_WORK: Duration = Duration::from_secs(12);

/// The machine's clock and the outages so far, in seconds.
#[derive(Clone, Default)]
pub(crate) struct OutageClock(Arc<AtomicI64>);

impl Clock for OutageClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(Millis::seconds(self.0.load(Ordering::SeqCst)))
    }
}

/// Everything around the stack, and the stack while it lives.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) clock: OutageClock,
    pub(crate) vendors: Vendors,
    pub(crate) config: Arc<Config>,
    pub(crate) sweeper: Sweeper,
    port: u16,
    folder: Option<TempDir>,
    data: PathBuf,
    stack: Option<(Child, Timestamp)>,
}

impl World {
    pub(crate) async fn new(seed: u64, kills: u64) -> Self {
        let folder = tempfile::Builder::new().prefix("kill-").tempdir().unwrap();
        write_config(&folder.path().join("config"), kills);
        let config = Arc::new(local::stack::config(&folder.path().join("config")).unwrap());
        let (clock, vendors, port) = (OutageClock::default(), Vendors::start(seed).await, free_ports().await);
        let tables_url = format!("http://127.0.0.1:{}", port + 1);
        let sweeper = Sweeper::start(&tables_url, &clock, &config, &vendors).await;
        let (url, data) = (format!("http://127.0.0.1:{port}"), folder.path().join("data"));
        Self { url, clock, vendors, config, sweeper, port, folder: Some(folder), data, stack: None }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Starts the stack on the same data and ports; it may be killed before it listens.
    pub(crate) fn start(&mut self) {
        let ahead = self.clock.0.load(Ordering::SeqCst).to_string();
        let (port, base) = (self.port.to_string(), self.data.parent().unwrap());
        let stack = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--no-samples", "--logs", "--json", "--port", &port, "--clock-ahead", &ahead, "--sandbox", &self.vendors.url])
            .arg("--data")
            .arg(&self.data)
            .arg("--config")
            .arg(base.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(base))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.stack = Some((stack, self.now()));
    }

    /// Kills the stack and waits until it is dead.
    pub(crate) async fn kill(&mut self) {
        self.check_it_lives();
        let (mut stack, _) = self.stack.take().unwrap();
        stack.kill().await.unwrap();
    }

    /// Only we may end it.
    pub(crate) fn check_it_lives(&mut self) {
        if let Some(status) = self.stack.as_mut().unwrap().0.try_wait().unwrap() {
            panic!("the stack ended by itself with {status}; its log is in {}", self.keep().display());
        }
    }

    /// Time passes while the stack is dead. The vendors end what they were asked before: nothing of the dead process's
    /// last second may come after minutes of outage.
    pub(crate) async fn outage(&self, seconds: i64) {
        if seconds > 0 {
            self.vendors.quiet().await;
            self.clock.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    /// Waits until the stack has nothing in hand and nothing that it could receive.
    pub(crate) async fn wait_until_idle(&mut self) {
        let (started, mut busy_since) = (self.stack.as_ref().unwrap().1, Instant::now());
        let (mut quiet, mut seen) = (0, 0);
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.check_it_lives();
            let messages = messages(&self.data);
            let now = self.now();
            let count = messages.len();
            if count != seen {
                (seen, busy_since) = (count, Instant::now());
            }
            let living = || messages.iter().filter(|message| !message.dead);
            let is_due = living().any(|message| message.visible_at <= now.after(Millis::seconds(2)));
            let in_hand = living().any(|message| message.receives > 0 && message.visible_at >= started.after(VISIBILITY));
            let is_busy = is_due || (in_hand && busy_since.elapsed() < LONGEST_WORK);
            quiet = if is_busy { 0 } else { quiet + 1 };
        }
    }

    /// Keeps the folder for whoever looks into a failure.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.take().map_or_else(|| self.data.parent().unwrap().to_owned(), TempDir::keep)
    }
}

/// The product's configuration with limits that fit the load: the day's cap and then the allocation are reached late.
fn write_config(folder: &Path, kills: u64) {
    std::fs::create_dir_all(folder).unwrap();
    for part in ["connectors", "presets"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
        for file in std::fs::read_dir(format!("{ROOT}/config/{part}")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.join(part).join(file.file_name())).unwrap();
        }
    }
    let mut text = std::fs::read_to_string(format!("{ROOT}/config/millrace.yaml")).unwrap();
    let allocation = kills * crate::load::CREDITS_A_KILL;
    let limits =
        [("allocation: 10000", allocation), ("day: 500", allocation * 4 / 5), ("week: 2500", allocation), ("crustdata: 8000", allocation)];
    for (from, to) in limits {
        assert!(text.contains(from), "config/millrace.yaml says no more `{from}`");
        let name = from.split(' ').next().unwrap();
        text = text.replacen(from, &format!("{name} {to}"), 1);
    }
    std::fs::write(folder.join("millrace.yaml"), text).unwrap();
}

fn log(base: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(base.join("stack.log")).unwrap()
}

/// Two neighbours below the range from which the system takes the ports of clients: they are still free after every kill.
async fn free_ports() -> u16 {
    loop {
        let port = rand::random_range(20_000..30_000);
        let both = (TcpListener::bind(("127.0.0.1", port)).await, TcpListener::bind(("127.0.0.1", port + 1)).await);
        if let (Ok(_), Ok(_)) = both {
            return port;
        }
    }
}
