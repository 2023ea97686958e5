//! What a person sees: a bar while it runs, a row for each signup, the summary.
#![expect(clippy::print_stdout, reason = "this is the program's output")]

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::row::Row;

/// Where rows go as they come.
pub struct Screen {
    json: bool,
    bar: ProgressBar,
    rows: Vec<Row>,
}

impl Screen {
    /// A screen that waits for `count` signups.
    #[must_use]
    pub fn new(count: u64, json: bool) -> Self {
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(count) };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} signups  {msg}") {
            bar.set_style(style);
        }
        Self { json, bar, rows: Vec::new() }
    }

    /// Says what is going on.
    pub fn working_on(&self, case: &str) {
        self.bar.set_message(case.to_owned());
    }

    /// Shows a signup.
    pub fn show(&mut self, row: Row) {
        if self.json {
            println!("{}", serde_json::to_string(&row).unwrap_or_default());
        } else if self.bar.is_hidden() {
            // Not a terminal: rows in plain lines, as they come.
            println!("{}", line(&row));
        } else {
            self.bar.println(line(&row));
        }
        self.bar.inc(1);
        self.rows.push(row);
    }

    /// Shows the table and the summary; the rows that did not end as expected.
    pub fn summary(&self) -> Vec<&Row> {
        self.bar.finish_and_clear();
        let unexpected: Vec<&Row> = self.rows.iter().filter(|row| row.unexpected.is_some()).collect();
        if self.json {
            return unexpected;
        }
        println!("\n{}", table(&self.rows));
        let credits: i64 = self.rows.iter().map(|row| row.credits).sum();
        let paid: usize = self.rows.iter().map(|row| row.paid_calls).sum();
        println!(
            "{} signups, {paid} paid calls, {} credits. All people and companies are invented.",
            self.rows.len(),
            domain::units::Credits::from_micros(credits)
        );
        for row in &unexpected {
            println!("! {}: {}", row.sample, row.unexpected.as_deref().unwrap_or_default());
        }
        unexpected
    }
}

/// How a signup travelled: accepted → enriched → gated → scored → routed → written.
fn line(row: &Row) -> String {
    let owner = row.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
    let credits = domain::units::Credits::from_micros(row.credits);
    format!(
        "  {:<19}accepted → enriched ({}) → gate {} → score {} → {} {}{owner} → CRM {}, {} ms",
        row.sample,
        costs(row.paid_calls, credits),
        row.gate,
        score(row),
        row.outcome,
        row.track,
        row.crm,
        row.ms
    )
}

fn costs(paid_calls: usize, credits: domain::units::Credits) -> String {
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
    table.set_header(["sample", "outcome", "gate", "score", "track", "owner", "calls", "credits", "ms", "CRM", "because"]);
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
            Cell::new(domain::units::Credits::from_micros(row.credits)),
            Cell::new(waited),
            Cell::new(&row.crm),
            Cell::new(row.because.first().map_or("", String::as_str)),
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

/// Says where everything is, while the stack stays up.
pub fn serving(stack: &crate::stack::Stack) {
    println!("\nwebhooks  {}/webhook/signup   (try: cargo millrace send events/signup-webhook.hot.json)", stack.url);
    println!("tables    {}   (DynamoDB's protocol; try: cargo millrace explain <signup>)", stack.tables_url);
    println!("sandbox   {}/_sandbox   (what the invented providers and the CRM saw)", stack.sandbox_url);
    println!("Ctrl-C ends it.");
}
