//! The vendors and the CRM, who live on when the stack dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use domain::units::Credits;
use sandbox::{Latency, Options, Sandbox};

/// A sandbox in this process, and how many of its answers are under way.
pub(crate) struct Vendors {
    pub(crate) url: String,
    pub(crate) sandbox: Sandbox,
    under_way: Arc<AtomicI64>,
}

impl Vendors {
    pub(crate) async fn start(seed: u64) -> Self {
        let sandbox = Sandbox::new(Options { seed, latency: Latency::Seeded });
        let under_way = Arc::new(AtomicI64::new(0));
        let router: Router = sandbox.router().layer(from_fn_with_state(Arc::clone(&under_way), count));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, sandbox, under_way }
    }

    /// What all vendors billed so far.
    pub(crate) fn billed(&self) -> Credits {
        billed(&self.sandbox)
    }

    /// Waits until every request has been answered or dropped.
    pub(crate) async fn quiet(&self) {
        let start = Instant::now();
        while self.under_way.load(Ordering::SeqCst) > 0 {
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
struct Counted(Arc<AtomicI64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn count(State(under_way): State<Arc<AtomicI64>>, request: Request, next: Next) -> Response {
    under_way.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(under_way);
    next.run(request).await
}
