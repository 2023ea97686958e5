//! What stands in the files after a death: read from a copy, so that the next start finds them as they were left.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use domain::credits::{Balance, Reservation, ReservationId, Usage};
use domain::record::Record;
use domain::run::Run;
use domain::units::{Credits, Timestamp};
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{AttributeValue, Database, Item};
use pipeline::messages::{LookupMessage, WritebackMessage, from_body};
use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;

/// A message in the queue's file.
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) visible_at: Timestamp,
    pub(crate) receives: u32,
    pub(crate) dead: bool,
}

/// A run's item.
pub(crate) struct StoredRun {
    pub(crate) stage: String,
    pub(crate) fence: u64,
    pub(crate) run: Run,
}

/// Everything that is kept.
#[derive(Default)]
pub(crate) struct Snapshot {
    pub(crate) messages: Vec<Message>,
    pub(crate) runs: BTreeMap<String, StoredRun>,
    pub(crate) records: Vec<Record>,
    /// The records that somebody was writing to the CRM.
    pub(crate) writing: Vec<String>,
    /// The bodies of what was put aside.
    pub(crate) poison: Vec<String>,
    pub(crate) reservations: BTreeMap<ReservationId, Reservation>,
    pub(crate) months: BTreeMap<String, Balance>,
    pub(crate) days: BTreeMap<String, Usage>,
    pub(crate) weeks: BTreeMap<String, Credits>,
}

impl Snapshot {
    pub(crate) async fn read(data: &Path) -> Self {
        let data = data.to_owned();
        tokio::task::spawn_blocking(move || read(&data)).await.unwrap()
    }

    pub(crate) fn finished(&self) -> impl Iterator<Item = &StoredRun> {
        self.runs.values().filter(|stored| stored.stage == "done")
    }

    /// The messages that are not dead.
    pub(crate) fn living(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| !message.dead)
    }

    /// The runs whose message is in a queue, in a dead-letter queue or put aside.
    pub(crate) fn runs_in_messages(&self) -> impl Iterator<Item = String> {
        let key = local::hash_key().unwrap();
        let bodies = self.messages.iter().map(|message| &message.body).chain(&self.poison);
        bodies.filter_map(move |body| Some(from_body::<LookupMessage>(body).ok()?.signup.run_id(&key).to_string()))
    }

    /// The records with a write that is given up.
    pub(crate) fn records_given_up(&self) -> Vec<String> {
        let dead = self.messages.iter().filter(|message| message.dead).map(|message| &message.body);
        dead.chain(&self.poison).filter_map(|body| Some(from_body::<WritebackMessage>(body).ok()?.record.0)).collect()
    }
}

fn read(data: &Path) -> Snapshot {
    let copy = tempfile::tempdir().unwrap();
    // Killed before it wrote anything, the stack left no folder.
    for file in std::fs::read_dir(data).into_iter().flatten() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let mut snapshot = Snapshot { messages: messages(copy.path()), ..Snapshot::default() };
    let file = copy.path().join("tables.sqlite");
    if file.exists() {
        let database = Database::new(file.to_str().unwrap()).unwrap();
        for item in items(&database, "millrace-leads") {
            snapshot.take_lead(&item);
        }
        for item in items(&database, "millrace-credits") {
            snapshot.take_credits(&item);
        }
    }
    snapshot
}

/// The messages in the queue's file, also while the stack lives.
pub(crate) fn messages(data: &Path) -> Vec<Message> {
    let file = data.join("queue.sqlite");
    if !file.exists() {
        return Vec::new();
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    // Killed between creating the file and its table, the stack left an empty one.
    let Ok(mut statement) = connection.prepare("SELECT body, visible_at, receive_count, dead FROM messages ORDER BY id") else {
        return Vec::new();
    };
    let message = |row: &rusqlite::Row<'_>| {
        let (body, visible_at, receives, dead) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Message { body, visible_at: Timestamp::from_millis(visible_at), receives, dead })
    };
    statement.query_map([], message).unwrap().map(Result::unwrap).collect()
}

/// Every item of a table; none where the stack was killed before it created the table.
fn items(database: &Database, table: &str) -> Vec<Item> {
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let request = ScanRequest { table_name: table.to_owned(), exclusive_start_key: from, ..ScanRequest::default() };
        let Ok(page) = database.scan(request) else { return items };
        items.extend(page.items.unwrap_or_default());
        from = page.last_evaluated_key;
        if from.is_none() {
            return items;
        }
    }
}

impl Snapshot {
    fn take_lead(&mut self, item: &Item) {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let parts: Vec<&str> = pk.split('#').collect();
        match (parts[1], sk) {
            ("RUN", _) => {
                let stored = StoredRun { stage: text(item, "stage").to_owned(), fence: number(item, "fence"), run: document(item) };
                self.runs.insert(parts[2].to_owned(), stored);
            }
            ("REC", "-") => self.records.push(document(item)),
            ("REC", _) if item.contains_key("writing") => self.writing.push(parts[3].to_owned()),
            ("POISON", _) => self.poison.push(text(item, "body").to_owned()),
            _ => {}
        }
    }

    fn take_credits(&mut self, item: &Item) {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let parts: Vec<&str> = pk.split('#').collect();
        match parts[1] {
            "RES" => {
                let reservation: Reservation = document(item);
                self.reservations.insert(reservation.id.clone(), reservation);
            }
            "BAL" => drop(self.months.insert(parts[2].to_owned(), balance(item))),
            "USE" => drop(self.days.insert(sk.to_owned(), usage(item))),
            "WEEK" => drop(self.weeks.insert(parts[2].to_owned(), credits(item, "taken"))),
            _ => {}
        }
    }
}

fn balance(item: &Item) -> Balance {
    Balance {
        allocation: credits(item, "allocation"),
        adjusted: credits(item, "adjusted"),
        available: credits(item, "available"),
        reserved: credits(item, "reserved"),
        used: credits(item, "used"),
        taken: counters(item),
        ..Balance::default()
    }
}

fn usage(item: &Item) -> Usage {
    let calls = if item.contains_key("calls") { number(item, "calls") } else { 0 };
    Usage { taken: credits(item, "taken"), used: credits(item, "used"), unknown: credits(item, "unknown"), calls, by: counters(item) }
}

fn counters(item: &HashMap<String, AttributeValue>) -> BTreeMap<String, Credits> {
    let named = item.keys().filter(|name| name.contains(':') && !name.starts_with("crossed:"));
    named.map(|name| (name.clone(), credits(item, name))).collect()
}

fn credits(item: &Item, name: &str) -> Credits {
    if item.contains_key(name) { Credits::from_micros(number(item, name)) } else { Credits::ZERO }
}

fn number<T: std::str::FromStr>(item: &Item, name: &str) -> T {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().ok().unwrap(),
        _ => panic!("{name} is no number"),
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text,
        _ => panic!("{name} is no text"),
    }
}

/// A document stands as a text, or deflated where it is long.
fn document<T: DeserializeOwned>(item: &Item) -> T {
    let json = match item.get("doc") {
        Some(AttributeValue::S(json)) => json.clone(),
        Some(AttributeValue::B(packed)) => std::io::read_to_string(flate2::read::DeflateDecoder::new(packed.as_slice())).unwrap(),
        _ => panic!("doc is no document"),
    };
    serde_json::from_str(&json).unwrap()
}
