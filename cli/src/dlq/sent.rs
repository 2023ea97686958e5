use anyhow::{Result, bail};
use pipeline::dead_letters::{DAYS_KEPT, redrive};
use pipeline::ports::QueueName;
use serde_json::{Value, json};

use super::place::Place;
use super::{Among, note_cut, print_json};

/// What became of one letter.
struct Sent {
    id: String,
    done: Result<QueueName, String>,
}

/// Sends the letters with these ids again, or all of them; it is an error when one of them was not sent.
pub(super) async fn send_again(place: &Place, ids: &[String], among: &Among, json: bool) -> Result<()> {
    let Some(queue) = &place.queue else {
        bail!("the queues of `cargo dev` cannot be reached from outside; send the signup again with `millrace send`");
    };
    let is_all = ids.is_empty();
    let mut letters = place.letters(among.queue, if is_all { among.days } else { DAYS_KEPT }).await?;
    letters.retain(|letter| is_all || ids.iter().any(|id| id == letter.id()));
    let unknown = ids.iter().filter(|id| letters.iter().all(|letter| letter.id() != *id));
    let mut sent: Vec<Sent> = unknown.map(|id| Sent { id: id.clone(), done: Err("there is no such letter".to_owned()) }).collect();
    if !json {
        sent.iter().for_each(Sent::print);
    }
    for letter in &letters {
        let done = redrive(queue, &place.aside, letter).await.map_err(|error| error.to_string());
        let one = Sent { id: letter.id().to_owned(), done };
        if !json {
            one.print();
        }
        sent.push(one);
    }
    if json {
        print_json(sent.iter().map(Sent::to_json));
    } else if sent.is_empty() {
        println!("there is nothing to send again");
    } else {
        note_cut(&letters);
    }
    match sent.iter().filter(|sent| sent.done.is_err()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} failed", sent.len()),
    }
}

impl Sent {
    fn print(&self) {
        match &self.done {
            Ok(queue) => println!("{} was sent to {}", self.id, queue.as_str()),
            Err(why) => println!("{}: {why}", self.id),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "id": self.id, "queue": self.done.as_ref().ok().map(|queue| queue.as_str()), "error": self.done.as_ref().err() })
    }
}
