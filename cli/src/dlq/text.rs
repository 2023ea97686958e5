//! Letters in words and as JSON: never with an address, and with a body only where it was asked for.

use comfy_table::Table;
use pipeline::dead_letters::Letter;
use pipeline::ports::DEAD_LETTERS_MOST;
use serde_json::{Value, json};

use super::mask::masked;
use crate::table::table;

const DEAD: &str = "dead letters";
const PUT_ASIDE: &str = "put aside";

/// One line a letter.
pub(super) fn list(letters: &[Letter]) -> Table {
    let mut table = table(&["id", "where", "queue", "since", "why", "run"]);
    for letter in letters {
        table.add_row([
            letter.id().to_owned(),
            place(letter).to_owned(),
            letter.queue_name().to_owned(),
            since(letter),
            why(letter),
            run(letter),
        ]);
    }
    table
}

/// One letter, with its body as it may be shown.
pub(super) fn show(letter: &Letter, reveal: bool) -> String {
    let run = letter.run().map_or_else(String::new, |run| format!("  run {run}; `millrace explain` shows it\n"));
    let (queue, since, why) = (letter.queue_name(), since(letter), why(letter));
    let body = match (reveal, masked(letter.body())) {
        (true, _) => letter.body().to_owned(),
        (false, Some(masked)) => format!("{masked:#}"),
        (false, None) => format!("a body of {} bytes that is no JSON; --reveal prints it as it is", letter.body().len()),
    };
    format!("{}\n  {}, {queue}, since {since}\n  {why}\n{run}\n{body}", letter.id(), place(letter))
}

/// What the table says.
pub(super) fn to_json(letter: &Letter) -> Value {
    let (receives, reason) = match letter {
        Letter::Dead(_, dead) => (Some(dead.receive_count), None),
        Letter::PutAside(_) => (None, Some(why(letter))),
    };
    json!({
        "id": letter.id(), "where": place(letter), "queue": letter.queue_name(), "since": letter.since().map(|since| since.to_string()),
        "receives": receives, "reason": reason, "run": letter.run().map(|run| run.to_string()),
    })
}

/// The same with the body: masked, or the text that is stored.
pub(super) fn to_json_with_body(letter: &Letter, reveal: bool) -> Value {
    let body = if reveal { Value::from(letter.body()) } else { masked(letter.body()).unwrap_or_default() };
    let mut shown = to_json(letter);
    shown["body"] = body;
    shown
}

/// Whether a queue holds more dead letters than are read at a time.
pub(super) fn is_cut(letters: &[Letter]) -> bool {
    let of = |letter: &Letter| matches!(letter, Letter::Dead(..)).then(|| letter.queue());
    letters.iter().filter_map(of).any(|queue| letters.iter().filter(|letter| of(letter) == Some(queue)).count() >= DEAD_LETTERS_MOST)
}

const fn place(letter: &Letter) -> &'static str {
    match letter {
        Letter::Dead(..) => DEAD,
        Letter::PutAside(_) => PUT_ASIDE,
    }
}

fn since(letter: &Letter) -> String {
    letter.since().map_or_else(|| "unknown".to_owned(), |since| since.to_string())
}

/// On one line, whatever stands in the table.
fn why(letter: &Letter) -> String {
    match letter {
        Letter::Dead(_, dead) if dead.receive_count == 1 => "received once".to_owned(),
        Letter::Dead(_, dead) => format!("received {} times", dead.receive_count),
        Letter::PutAside(poison) => poison.why.replace(char::is_control, " "),
    }
}

fn run(letter: &Letter) -> String {
    letter.run().map_or_else(String::new, |run| run.to_string())
}
