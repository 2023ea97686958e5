//! The world that the workers share: the store, the queue, the vendor's bill, the CRM, and the time.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use domain::reply::Reply;
use domain::signup::RunId;
use domain::units::{Credits, Millis, Timestamp};
use pipeline::memory::MemoryStore;
use pipeline::messages::{LookupMessage, WritebackMessage, from_body};
use pipeline::ports::{CrmReply, CrmWrite, Lease, QueueError, QueueName};

use crate::setup::{Setup, answer};
use crate::stored::Stored;

/// A message in a queue. Who received it last holds its receipt; 0 is nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Message {
    pub(crate) queue: QueueName,
    pub(crate) body: Arc<str>,
    pub(crate) visible_at: Timestamp,
    pub(crate) receipt: u32,
    /// The signup that it carries, or whose record it is about.
    pub(crate) signup: usize,
}

/// A contact in the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contact {
    pub(crate) properties: BTreeMap<String, String>,
    /// How often the CRM said that it created it.
    pub(crate) created: u32,
}

/// What the vendor did for a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bill {
    pub(crate) calls: usize,
    pub(crate) credits: Credits,
}

/// Everything outside the workers.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) setup: Arc<Setup>,
    pub(crate) now: Timestamp,
    pub(crate) stored: Arc<Stored>,
    pub(crate) queue: Vec<Message>,
    /// By signup.
    pub(crate) bills: Vec<Bill>,
    /// By address.
    pub(crate) contacts: BTreeMap<String, Contact>,
    /// Whether the sender of a signup has its 2xx.
    pub(crate) accepted: Vec<bool>,
    /// The newest fence of each run.
    fences: BTreeMap<RunId, u64>,
    /// Moments after which something else is allowed than before.
    pub(crate) moments: BTreeSet<Timestamp>,
    /// Names the request that takes effect.
    pub(crate) request: u64,
    /// What must never happen and did.
    pub(crate) wrong: Option<&'static str>,
}

impl Shared {
    pub(crate) fn new(setup: Arc<Setup>) -> Self {
        let signups = setup.signups.len();
        Self {
            now: setup.start,
            stored: Arc::new(Stored::of(MemoryStore::default(), &setup)),
            queue: Vec::new(),
            bills: vec![Bill::default(); signups],
            contacts: BTreeMap::new(),
            accepted: vec![false; signups],
            fences: BTreeMap::new(),
            moments: setup.signups.iter().map(|signup| signup.answer_by).collect(),
            request: 0,
            wrong: None,
            setup,
        }
    }

    pub(crate) fn store(&self) -> &MemoryStore {
        &self.stored.store
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.stored.fingerprint
    }

    /// Carries out a verb of the store, on a copy: other states of the model look at the old one. The same request to the same
    /// store is carried out once, however many states make it.
    pub(crate) fn change<T: Clone + Send + Sync + 'static>(&mut self, verb: impl FnOnce(&MemoryStore) -> T) -> T {
        let key = (self.stored.fingerprint, self.request);
        let known = self.setup.changes.lock().unwrap().get(&key).cloned();
        let (stored, answer) = known.unwrap_or_else(|| {
            let store = self.stored.store.clone();
            let answer: Arc<dyn Any + Send + Sync> = Arc::new(verb(&store));
            let is_same = store.fingerprint() == self.stored.fingerprint;
            let stored = if is_same { self.stored.clone() } else { Arc::new(Stored::of(store, &self.setup)) };
            self.setup.changes.lock().unwrap().insert(key, (stored.clone(), answer.clone()));
            (stored, answer)
        });
        self.stored = stored;
        answer.downcast_ref::<T>().expect("one request has one type of answer").clone()
    }

    pub(crate) fn newest_fence(&self, run: &RunId) -> u64 {
        self.fences.get(run).copied().unwrap_or_default()
    }

    pub(crate) fn note_fence(&mut self, lease: &Lease) {
        self.moments.insert(lease.until);
        let newest = self.fences.entry(lease.run.clone()).or_default();
        if lease.fence < *newest {
            self.wrong = Some("a fence went back");
        }
        *newest = lease.fence;
    }

    pub(crate) fn send(&mut self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        let signup = match queue {
            QueueName::Lookup(_) => from_body::<LookupMessage>(body).map(|message| message.signup.run_id(&self.setup.key)),
            QueueName::Writeback => from_body::<WritebackMessage>(body).map(|message| message.run),
            QueueName::Score => panic!("nobody decides again in the model"),
        };
        let signup = self.setup.signup_of(&signup.expect("a message of ours"));
        self.queue.push(Message { queue, body: body.into(), visible_at: self.now.after(delay), receipt: 0, signup });
        self.queue.sort();
        Ok(())
    }

    /// An old receipt deletes nothing.
    pub(crate) fn delete(&mut self, receipt: u32) -> Result<(), QueueError> {
        self.queue.retain(|message| message.receipt != receipt);
        Ok(())
    }

    /// The vendor answers, and bills for it.
    pub(crate) fn bill(&mut self, signup: usize) -> Reply {
        let bill = &mut self.bills[signup];
        bill.calls += 1;
        bill.credits = bill.credits.plus(self.setup.price);
        answer(self.setup.start)
    }

    pub(crate) fn billed(&self) -> Credits {
        self.bills.iter().fold(Credits::ZERO, |sum, bill| sum.plus(bill.credits))
    }

    /// The CRM knows contacts by their address.
    pub(crate) fn write_contact(&mut self, write: &CrmWrite) -> CrmReply {
        let address = write.email.expose().to_owned();
        let created = !self.contacts.contains_key(&address);
        let contact = self.contacts.entry(address).or_insert_with(|| Contact { properties: BTreeMap::new(), created: 0 });
        contact.properties.extend(write.properties.clone());
        contact.created += u32::from(created);
        CrmReply::Written { external_id: "512".to_owned(), created }
    }

    pub(crate) fn has_lookup_of(&self, signup: usize) -> bool {
        self.queue.iter().any(|message| message.queue != QueueName::Writeback && message.signup == signup)
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        let left = (self.now, self.fingerprint(), &self.queue, &self.bills, &self.contacts, &self.accepted);
        let right = (other.now, other.fingerprint(), &other.queue, &other.bills, &other.contacts, &other.accepted);
        left == right && (&self.fences, &self.moments, self.wrong) == (&other.fences, &other.moments, other.wrong)
    }
}

impl Eq for Shared {}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.now, self.fingerprint(), &self.queue, &self.bills, &self.contacts, &self.accepted).hash(hasher);
        (&self.moments, self.wrong).hash(hasher);
        for (run, fence) in &self.fences {
            (run.as_str(), fence).hash(hasher);
        }
    }
}

/// The value of a future that never has to wait, as every verb of the store in memory.
pub(crate) fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a verb of the store in memory waited"),
    }
}
