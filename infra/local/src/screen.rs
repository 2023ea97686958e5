//! What a person sees: a bar while the samples run, two lines for each signup, the summary.
#![expect(clippy::print_stdout, reason = "this is the program's output")]

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use domain::units::{Credits, Millis, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::ports::{Active, InForce};

use crate::args::DEFAULT_PORT;
use crate::durable::Waiting;
use crate::journal::Line;
use crate::row::Row;
use crate::stack::Stack;

/// Where rows go as they come.
pub struct Screen {
    json: bool,
    bar: ProgressBar,
    rows: Vec<Row>,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json, bar: ProgressBar::hidden(), rows: Vec::new() }
    }

    /// Shows a bar that waits for `count` signups.
    pub fn expect(&mut self, count: u64) {
        if self.json {
            return;
        }
        self.bar = ProgressBar::new(count);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} signups  {msg}") {
            self.bar.set_style(style);
        }
    }

    /// Says what is going on.
    pub fn working_on(&self, case: &str) {
        self.bar.set_message(case.to_owned());
    }

    /// Shows a signup.
    pub fn show(&mut self, row: Row) {
        if self.json {
            println!("{}", serde_json::to_string(&row).unwrap_or_default());
        } else if self.bar.is_hidden() || self.bar.is_finished() {
            println!("{}", journey(&row));
        } else {
            self.bar.println(journey(&row));
        }
        self.bar.inc(1);
        self.rows.push(row);
    }

    /// Shows what the sweeper did.
    pub(crate) fn notice(&self, line: &Line) {
        if !self.json {
            println!("{:<19}{}", "scheduled-refresh", swept(line));
        }
    }

    /// Shows the table and the summary; the rows that did not end as expected.
    pub fn summary(&self) -> Vec<&Row> {
        self.bar.finish_and_clear();
        let unexpected: Vec<&Row> = self.rows.iter().filter(|row| row.unexpected.is_some()).collect();
        if self.json {
            return unexpected;
        }
        println!("\n{}", table(&self.rows));
        let credits = Credits::from_micros(self.rows.iter().map(|row| row.credits).sum());
        let paid: usize = self.rows.iter().map(|row| row.paid_calls).sum();
        println!("{} signups, {}. All people and companies are invented.", self.rows.len(), costs(paid, credits));
        for row in &unexpected {
            println!("! {}: {}", row.sample, row.unexpected.as_deref().unwrap_or_default());
        }
        unexpected
    }

    /// Says where everything is, while the stack stays up.
    pub fn serving(&self, stack: &Stack, port: u16) {
        if self.json {
            return;
        }
        let is_usual = port == DEFAULT_PORT;
        let elsewhere = |flag: &str, url: &str| if is_usual { String::new() } else { format!(" {flag} {url}") };
        let (url, local) = (elsewhere("--url", &stack.url), elsewhere("--local", &stack.tables_url));
        println!("\nwebhooks  {}/webhook/signup   (cargo millrace send events/signup-webhook.hot.json{url})", stack.url);
        println!("tables    {}   (cargo millrace explain <run>{local})", stack.tables_url);
        println!("sandbox   {}/_sandbox   (what the invented providers and the CRM saw)", stack.sandbox_url);
        println!("rules     {}", in_force(stack));
        if let Some(waiting) = &stack.waiting {
            println!("{}", from_before(waiting, stack.clock.now()));
        }
        println!("What you send appears here. Ctrl-C ends it.\n");
    }
}

/// Which version of the configuration decides.
fn in_force(stack: &Stack) -> String {
    match &stack.published {
        Some(Active { what: InForce::Version(hash), since, .. }) => format!("version {hash}, published and active since {since}"),
        Some(Active { what: InForce::Bundled, since, .. }) => {
            format!("version {} from the files, to which somebody went back {since}", stack.config.hash)
        }
        None => format!("version {} from the files, for nothing was ever published", stack.config.hash),
    }
}

/// What waits in the folder of `--data`, and when it comes.
fn from_before(waiting: &Waiting, now: Timestamp) -> String {
    let messages = if waiting.messages == 1 { "1 message waits".to_owned() } else { format!("{} messages wait", waiting.messages) };
    if waiting.next <= now {
        return format!("{messages} from before; the first comes now");
    }
    format!(
        "{messages} from before; the first comes at {}, {} from now",
        waiting.next,
        Millis::seconds(waiting.next.since(now).0 / 1000 + 1)
    )
}

/// What the sweeper said: a threshold that was crossed, or how many reservations it resolved.
fn swept(line: &Line) -> String {
    let field = |name: &str| line.get(name).map_or("", String::as_str);
    let message = field("message");
    match (line.contains_key("threshold"), line.contains_key("settled")) {
        (true, _) => format!("{}: {} of {} in {}", field("why"), field("used"), field("total"), field("month")),
        (_, true) => format!("{message}: {} settled, {} unknown, {} failed", field("settled"), field("unknown"), field("failed")),
        _ => format!("{message} {}", field("error")),
    }
}

/// How a signup travelled: accepted → enriched → gated → scored → routed → written; and why.
fn journey(row: &Row) -> String {
    let owner = row.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
    let because = row.because.first().map_or("", String::as_str);
    let refused = row.refused.as_ref().map_or_else(String::new, |refused| format!(" · {refused}"));
    format!(
        "{:<19}accepted → enriched ({}) → gate {} → score {} → {} {}{owner} → CRM {}, {} ms\n{:19}{because}{refused} · run {}",
        row.sample,
        costs(row.paid_calls, Credits::from_micros(row.credits)),
        row.gate,
        score(row),
        row.outcome,
        row.track,
        row.crm,
        row.ms,
        "",
        row.signup
    )
}

fn costs(paid_calls: usize, credits: Credits) -> String {
    match paid_calls {
        0 => "nothing paid".to_owned(),
        1 => format!("1 paid call, {credits} credits"),
        many => format!("{many} paid calls, {credits} credits"),
    }
}

fn score(row: &Row) -> String {
    let [low, high] = row.score;
    if low == high { low.to_string() } else { format!("{low}…{high}") }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["sample", "outcome", "gate", "score", "track", "owner", "calls", "credits", "ms", "CRM"]);
    for row in rows {
        let waited = if row.waited { format!("{} (waited)", row.ms) } else { row.ms.to_string() };
        table.add_row(vec![
            Cell::new(&row.sample),
            Cell::new(&row.outcome).fg(color_of(&row.outcome)),
            Cell::new(row.gate),
            Cell::new(score(row)),
            Cell::new(row.track),
            Cell::new(row.owner.as_deref().unwrap_or("")),
            Cell::new(row.paid_calls),
            Cell::new(Credits::from_micros(row.credits)),
            Cell::new(waited),
            Cell::new(&row.crm),
        ]);
    }
    table
}

fn color_of(outcome: &str) -> Color {
    match outcome {
        "routed" => Color::Green,
        "deferred" | "held" => Color::Yellow,
        "rejected" | "unfinished" => Color::Red,
        _ => Color::Grey,
    }
}
