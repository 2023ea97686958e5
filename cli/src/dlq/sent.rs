use anyhow::{Result, bail};
use pipeline::dead_letters::{DAYS_KEPT, Letter, redrive};
use pipeline::ports::QueueName;
use serde_json::{Value, json};

use super::{Among, note_cut, print_json};
use crate::say::say;
use crate::stack::Stack;

/// What became of one letter.
struct Sent {
    id: String,
    done: Result<QueueName, String>,
}

/// Sends the letters with these ids again, or all of them; it is an error when one of them was not sent.
pub(super) async fn send_again(place: &Stack, ids: &[String], among: &Among, json: bool) -> Result<()> {
    let Some(queue) = &place.queue else {
        bail!("{}", local(place, ids, among).await?);
    };
    let is_all = ids.is_empty();
    let mut letters = place.letters(among.queue, if is_all { among.days } else { DAYS_KEPT }).await?;
    letters.retain(|letter| is_all || ids.iter().any(|id| id == letter.id()));
    let refused = letters.len();
    letters.retain(|letter| !(is_all && letter.is_refused_for_ever()));
    let refused = refused - letters.len();
    let unknown = ids.iter().filter(|id| letters.iter().all(|letter| letter.id() != *id));
    let mut sent: Vec<Sent> = unknown.map(|id| Sent { id: id.clone(), done: Err("there is no such letter".to_owned()) }).collect();
    if !json {
        sent.iter().try_for_each(Sent::print)?;
    }
    for letter in &letters {
        let done = redrive(queue, &place.store, letter).await.map_err(|error| error.to_string());
        let one = Sent { id: letter.id().to_owned(), done };
        if !json {
            one.print()?;
        }
        sent.push(one);
    }
    if json {
        print_json(sent.iter().map(Sent::to_json))?;
    } else if sent.is_empty() {
        say("there is nothing to send again")?;
    } else {
        note_cut(&letters)?;
    }
    if !json && refused > 0 {
        say(format_args!("{refused} left where they are, for they would be refused again: their delivery ids belong to other runs"))?;
    }
    match sent.iter().filter(|sent| sent.done.is_err()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} failed", sent.len()),
    }
}

/// Why nothing can be sent under `cargo dev`, and what to do instead.
async fn local(place: &Stack, ids: &[String], among: &Among) -> Result<String> {
    let mut letters = place.letters(among.queue, DAYS_KEPT).await?;
    letters.retain(|letter| ids.is_empty() || ids.iter().any(|id| id == letter.id()));
    let is_in_vain = !letters.is_empty() && letters.iter().all(Letter::is_refused_for_ever);
    let instead = if is_in_vain {
        "and this would be refused again: its delivery id belongs to another run, which stands"
    } else {
        "so send the signup again with `millrace send`; that writes its lead again too"
    };
    Ok(format!("the queues of `cargo dev` cannot be reached from outside, {instead}"))
}

impl Sent {
    fn print(&self) -> Result<()> {
        match &self.done {
            Ok(queue) => say(format_args!("{} was sent to {}", self.id, queue.as_str())),
            Err(why) => say(format_args!("{}: {why}", self.id)),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "id": self.id, "queue": self.done.as_ref().ok().map(|queue| queue.as_str()), "error": self.done.as_ref().err() })
    }
}
