//! Calls of several runs of one process that go out as one request (S4-33). Each run keeps its own reservation, reply and line in
//! the log; what they share is the request.
//!
//! Nobody leads: the request belongs to all who wait for it and is carried on by whoever of them is left, so that a run that is cut
//! off takes no answer from the others. When nobody is left, it ends, as the call of a run does that is cut off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use domain::credits::Tariff;
use domain::identity::KeyKind;
use domain::plan::Gather;
use domain::reply::Reply;
use domain::units::{Millis, Timestamp};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ports::{BatchRequest, LookupRequest, Priced, Provider};

/// A provider whose calls wait for each other where a step says so.
pub struct Gathering {
    provider: Arc<dyn Provider>,
    /// The group of each kind of question that last took somebody in.
    groups: Mutex<BTreeMap<Kind, Meeting>>,
}

/// Questions that may share a request: operation, kind of key, how many are a batch and from how many on.
type Kind = (String, KeyKind, u32, u32);

/// The way into a group.
struct Meeting {
    group: Arc<Group>,
    /// Gone with the last who waits for it.
    request: WeakShared<BoxFuture<'static, Outcome>>,
}

/// What became of a group's request.
#[derive(Clone)]
enum Outcome {
    /// There was none: each asks for itself.
    Alone,
    /// To each key a reply, and the seat that pays for it.
    Told(Arc<BTreeMap<String, (Reply, usize)>>),
}

impl Gathering {
    /// Lets the calls of this provider go out together.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, groups: Mutex::default() }
    }

    /// Takes a seat in the open group of this kind, or in a new one.
    fn sit_down(&self, request: &LookupRequest, gather: Gather) -> (Seat, Shared<BoxFuture<'static, Outcome>>) {
        let kind = (request.operation.clone(), request.key.kind, gather.size, gather.at_least);
        let mut groups = unpoisoned(&self.groups);
        let open = groups.get(&kind).and_then(|meeting| Some((&meeting.group, meeting.request.upgrade()?)));
        if let Some((group, asking)) = open
            && let Some(seat) = group.take_in(request, gather)
        {
            return (seat, asking);
        }
        let group = Arc::new(Group::new(gather));
        let asking = carry_out(Arc::clone(&group), Arc::clone(&self.provider), request.operation.clone(), gather.at_least).boxed().shared();
        let seat = group.seat(&mut unpoisoned(&group.state), request, gather);
        if let Some(weak) = asking.downgrade() {
            groups.insert(kind, Meeting { group, request: weak });
        }
        (seat, asking)
    }
}

#[async_trait]
impl Provider for Gathering {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        self.provider.look_up(request).await
    }

    async fn look_up_all(&self, request: &BatchRequest) -> Option<Vec<Reply>> {
        self.provider.look_up_all(request).await
    }

    async fn look_up_together(&self, request: &LookupRequest, gather: Gather) -> Priced {
        let (seat, asking) = self.sit_down(request, gather);
        match asking.await {
            Outcome::Alone => self.provider.look_up(request).await.into(),
            Outcome::Told(replies) => match replies.get(&request.key.value) {
                Some((reply, payer)) => {
                    let tariff = if *payer == seat.number { Tariff::Bulk } else { Tariff::Shared };
                    Priced { reply: reply.clone(), tariff }
                }
                None => Reply::Unreadable { why: "the request was made without this key".to_owned() }.into(),
            },
        }
    }
}

/// Runs that wait for one request.
struct Group {
    size: usize,
    state: Mutex<State>,
    /// The group became full, or has to go out earlier.
    changed: Notify,
}

struct State {
    taken: Vec<Taken>,
    goes_out: Instant,
    is_closed: bool,
}

/// A seat in a group; whoever drops it is not waited for and not asked for.
struct Seat {
    number: usize,
    _is_here: Arc<()>,
}

/// A seat as the group knows it.
struct Taken {
    key: String,
    kind: KeyKind,
    now: Timestamp,
    timeout: Millis,
    is_here: Weak<()>,
}

impl Group {
    fn new(gather: Gather) -> Self {
        let state = State { taken: Vec::new(), goes_out: Instant::now() + gather.wait.to_std(), is_closed: false };
        Self { size: usize::try_from(gather.size).unwrap_or(usize::MAX), state: Mutex::new(state), changed: Notify::new() }
    }

    /// A seat, unless the request is on its way or no seat is left.
    fn take_in(&self, request: &LookupRequest, gather: Gather) -> Option<Seat> {
        let mut state = unpoisoned(&self.state);
        let is_open = !state.is_closed && state.taken.len() < self.size;
        is_open.then(|| self.seat(&mut state, request, gather))
    }

    fn seat(&self, state: &mut State, request: &LookupRequest, gather: Gather) -> Seat {
        let is_here = Arc::new(());
        let seat = Taken {
            key: request.key.value.clone(),
            kind: request.key.kind,
            now: request.now,
            timeout: request.timeout,
            is_here: Arc::downgrade(&is_here),
        };
        state.taken.push(seat);
        // Nobody waits longer than they may, whoever was first.
        state.goes_out = state.goes_out.min(Instant::now() + gather.wait.to_std());
        self.changed.notify_one();
        Seat { number: state.taken.len() - 1, _is_here: is_here }
    }

    /// Ends when the group is full or its time is over.
    async fn gathered(&self) {
        loop {
            let goes_out = {
                let state = unpoisoned(&self.state);
                if state.taken.len() >= self.size || state.goes_out <= Instant::now() {
                    return;
                }
                state.goes_out
            };
            tokio::select! {
                () = tokio::time::sleep_until(goes_out) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Those who are still here, by the number of their seat; nobody comes after them.
    fn close(&self) -> Vec<(usize, Taken)> {
        let mut state = unpoisoned(&self.state);
        state.is_closed = true;
        let taken = std::mem::take(&mut state.taken);
        taken.into_iter().enumerate().filter(|(_, taken)| taken.is_here.strong_count() > 0).collect()
    }
}

/// Waits for the group and asks for it.
async fn carry_out(group: Arc<Group>, provider: Arc<dyn Provider>, operation: String, at_least: u32) -> Outcome {
    group.gathered().await;
    let present = group.close();
    // Whoever is the first to ask for a key pays for it; the vendor is asked for it once.
    let mut payers: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, taken) in &present {
        payers.entry(&taken.key).or_insert(*number);
    }
    let Some((_, first)) = present.first() else { return Outcome::Alone };
    if u32::try_from(payers.len()).is_ok_and(|keys| keys < at_least) {
        return Outcome::Alone;
    }
    let latest = present.iter().map(|(_, taken)| (taken.now, taken.timeout));
    let (now, timeout) = latest.fold((first.now, first.timeout), |most, one| (most.0.max(one.0), most.1.max(one.1)));
    let keys: Vec<String> = payers.keys().map(|key| (*key).to_owned()).collect();
    let request = BatchRequest { operation, kind: first.kind, keys, now, timeout };
    let Some(replies) = provider.look_up_all(&request).await else { return Outcome::Alone };
    let told = payers.into_iter().zip(replies).map(|((key, payer), reply)| (key.to_owned(), (reply, payer)));
    Outcome::Told(Arc::new(told.collect()))
}

/// A panic elsewhere leaves it as it was between two of our own steps.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
