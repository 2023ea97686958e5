//! The sandbox as its users hold it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;

use crate::books::{Billing, Books, RequestCount};
use crate::hubspot::{Contact, Contacts};
use crate::pace::Pace;
use crate::universe::Universe;
use crate::{crustdata, hubspot, inspect, registry, website};

/// Whether answers take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Answers come at once, except where an address asks for a delay.
    Off,
    /// Answers take a vendor-like time, drawn from the seed: half of them within 300 ms (Crustdata, at most
    /// 900 ms), 80 ms (websites), 60 ms (RDAP, HubSpot) or 15 ms (DNS).
    Seeded,
}

/// How a sandbox behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Decides who is invented, and the latencies. The same seed gives the same bodies.
    pub seed: u64,
    /// Whether answers take time.
    pub latency: Latency,
}

/// The invented vendors and CRM with their books. A clone is a handle on the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    universe: Universe,
    pace: Pace,
    books: Mutex<Books>,
    contacts: Mutex<Contacts>,
}

impl Sandbox {
    /// A sandbox in which nothing was asked or written yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let shared = Shared {
            universe: Universe::new(options.seed),
            pace: Pace::new(options.seed, options.latency),
            books: Mutex::default(),
            contacts: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A new sandbox that is served on a free port of loopback until the runtime ends, and where.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(options: Options) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (sandbox, address) = (Self::new(options), listener.local_addr()?);
        tokio::spawn(serve(listener, sandbox.clone()));
        Ok((sandbox, address))
    }

    /// All routes: `/crustdata/…`, `/websites/{domain}/`, `/dns/dns-query`, `/rdap/domain/{domain}`, `/hubspot/crm/…` and the inspection under `/_sandbox`.
    pub fn router(&self) -> Router {
        Router::new()
            .nest("/crustdata", crustdata::routes())
            .nest("/hubspot", hubspot::routes())
            .merge(registry::routes())
            .merge(website::routes())
            .merge(inspect::routes())
            .with_state(self.clone())
    }

    /// How many calls were billed: those that returned at least one match from a paid endpoint.
    #[must_use]
    pub fn paid_calls(&self) -> u64 {
        self.books().billing().iter().map(|bill| bill.billed_calls).sum()
    }

    /// What each paid endpoint billed so far.
    #[must_use]
    pub fn billing(&self) -> Vec<Billing> {
        self.books().billing()
    }

    /// The contacts in the CRM, in the order in which they were created.
    #[must_use]
    pub fn contacts(&self) -> Vec<Contact> {
        self.crm().all()
    }

    /// How often each endpoint was asked about each key: a domain, or an email as [`crate::email_key`].
    #[must_use]
    pub fn requests(&self) -> Vec<RequestCount> {
        self.books().requests()
    }

    pub(crate) fn universe(&self) -> &Universe {
        &self.shared.universe
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.shared.pace
    }

    /// A panic in another request leaves the books readable.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn crm(&self) -> MutexGuard<'_, Contacts> {
        self.shared.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the sandbox until the task is dropped.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, sandbox: Sandbox) -> std::io::Result<()> {
    axum::serve(listener, sandbox.router()).await
}
