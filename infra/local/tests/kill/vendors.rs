//! The vendors and the CRM, who live on when the stack dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use domain::units::Credits;
use sandbox::{Latency, Options, Sandbox};

/// A sandbox in this process, and how many requests it got.
pub(crate) struct Vendors {
    pub(crate) url: String,
    pub(crate) sandbox: Sandbox,
    requests: Arc<Requests>,
}

#[derive(Default)]
struct Requests {
    asked: AtomicU64,
    under_way: AtomicI64,
}

impl Vendors {
    pub(crate) async fn start(seed: u64) -> Self {
        let sandbox = Sandbox::new(Options { seed, latency: Latency::Seeded });
        let requests = Arc::new(Requests::default());
        let router: Router = sandbox.router().layer(from_fn_with_state(Arc::clone(&requests), count));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, sandbox, requests }
    }

    /// What all vendors billed so far.
    pub(crate) fn billed(&self) -> Credits {
        billed(&self.sandbox)
    }

    /// How often the vendors and the CRM were asked.
    pub(crate) fn asked(&self) -> u64 {
        self.requests.asked.load(Ordering::SeqCst)
    }

    /// Waits until every request has been answered or dropped.
    pub(crate) async fn quiet(&self) {
        let start = Instant::now();
        while self.requests.under_way.load(Ordering::SeqCst) > 0 {
            assert!(start.elapsed() < Duration::from_secs(40), "a vendor's answer hangs for longer than any of them may");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn billed(sandbox: &Sandbox) -> Credits {
    let credits: u64 = sandbox.billing().iter().map(|bill| bill.credits).sum();
    Credits::whole(i64::try_from(credits).unwrap())
}

/// Counts down also when the connection is lost and the answer is dropped.
struct Counted(Arc<Requests>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn count(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    requests.asked.fetch_add(1, Ordering::SeqCst);
    requests.under_way.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(requests);
    next.run(request).await
}
