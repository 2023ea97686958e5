//! HTTP: signups of auth providers and forms. Verify, normalise, send ONE message, answer (DESIGN §3).
//!
//! The message in the queue is the durable inbox; only then the sender gets its 2xx. `Prefer: wait=N` watches the
//! run that the message starts; it opens no second path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod request;

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::signup::{RunId, Signup};
use domain::units::{Millis, Timestamp};
use intake::{Event, Keys, Problem};
use pipeline::messages::{LookupMessage, to_body};
use pipeline::ports::{Clock, Queue, Store};
use pipeline::watch::{Watched, watch};

use request::Call;

/// What is kept back of the time that somebody waits, for storing and reading the decision.
const ANSWER_MARGIN: Millis = Millis(150);

/// What the function works with.
pub struct App {
    /// The issuers' secrets.
    pub keys: Arc<dyn Keys>,
    /// Where accepted signups go.
    pub queue: Arc<dyn Queue>,
    /// Where runs are watched.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The key under which people are hashed.
    pub hash_key: Arc<HashKey>,
}

/// Answers one HTTP request.
pub async fn handle(app: &App, request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let now = app.clock.now();
    match request::read(request, now) {
        Ok(Call::Accept { issuer, raw, wait }) => match intake::accept(&issuer, raw, &*app.keys, now).await {
            Ok(Event::Signup(signup)) => app.accept(signup, wait, now).await,
            Ok(Event::Ignored { why }) => {
                tracing::info!(stage = "accept", issuer, why, "event ignored");
                answer::ignored(why)
            }
            Err(problem) => refused(&issuer, problem),
        },
        Ok(Call::Look { run }) => app.look(&run).await,
        Err(refusal) => answer::refusal(refusal),
    }
}

fn refused(issuer: &str, problem: Problem) -> ApiGatewayV2httpResponse {
    tracing::warn!(stage = "accept", issuer, problem = problem.id(), "signup refused");
    answer::problem(problem)
}

impl App {
    async fn accept(&self, signup: Signup, wait: Option<Millis>, now: Timestamp) -> ApiGatewayV2httpResponse {
        let run = signup.run_id(&self.hash_key);
        let issuer = signup.issuer.clone();
        let priority = Priority::of_arrival(signup.arrival);
        let answer_by = wait.map(|wait| now.after(wait).before(ANSWER_MARGIN));
        let message = LookupMessage { answer_by, ..LookupMessage::of(signup, priority, now) };
        let sent = match to_body(&message) {
            Ok(body) => self.queue.send(message.queue(), &body, Millis(0)).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = sent {
            tracing::error!(stage = "accept", run = %run, error, "the signup could not be queued; the sender has to come again");
            return answer::try_again();
        }
        tracing::info!(stage = "accept", run = %run, issuer, priority = priority.as_str(), "signup accepted");
        match wait {
            None => answer::accepted(&run),
            Some(wait) => self.watch(&run, now.after(wait)).await,
        }
    }

    async fn watch(&self, run: &RunId, until: Timestamp) -> ApiGatewayV2httpResponse {
        match watch(&*self.store, &*self.clock, run, until).await {
            Ok(Watched::Decided(decided)) => answer::decided(&decided),
            Ok(Watched::Undecided) => answer::accepted(run),
            Err(error) => {
                tracing::warn!(stage = "watch", run = %run, error = %error, "the run could not be watched; it goes on all the same");
                answer::accepted(run)
            }
        }
    }

    /// What became of a run. Whoever knows its id, an HMAC of 256 bits, may know that much; the record stays private.
    async fn look(&self, run: &RunId) -> ApiGatewayV2httpResponse {
        match self.store.read_run(run).await {
            Ok(Some(stored)) => answer::seen(&stored.run),
            Ok(None) => answer::not_found(),
            Err(error) => {
                tracing::warn!(stage = "watch", run = %run, error = %error, "the run could not be read");
                answer::try_again()
            }
        }
    }
}
