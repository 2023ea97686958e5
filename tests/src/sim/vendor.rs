use std::sync::Arc;

use async_trait::async_trait;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::is_channel;
use domain::units::{Credits, Millis};
use pipeline::ports::{LookupRequest, Provider};

use super::ground::Ground;
use super::truth::truth;

/// How a provider behaves when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Answers after this time and bills when the question arrives.
    Answer(Millis),
    /// Answers after this time and bills only then, whoever still listens.
    BillsLate(Millis),
    /// Bills and never answers.
    Hangs,
    /// Asks to come again later.
    RateLimits(Millis),
    /// An error of its own.
    ServerError,
    /// Bills and answers with something that nobody can read.
    Garbage,
    /// Refuses the credentials.
    AuthFailed,
}

/// What decides how the provider behaves: by operation.
pub type Behaves = Box<dyn Fn(&str) -> Conduct + Send + Sync>;

/// All sources together. The paid ones bill what arrives by their price, whatever becomes of the reply.
pub struct Vendor {
    pub(super) ground: Arc<Ground>,
    pub(super) behaves: Behaves,
}

impl Vendor {
    fn operation(&self, name: &str) -> &Operation {
        self.ground.config.catalogue.get(name).expect("only operations of the catalogue are asked")
    }

    fn price_of(&self, operation: &Operation, reply: &Reply) -> Credits {
        match reply {
            Reply::Hit { observations } => {
                operation.price.actual(true, observations.iter().filter(|observation| is_channel(&observation.field)).count())
            }
            _ => operation.price.actual(false, 0),
        }
    }

    fn question_arrives(&self, request: &LookupRequest) {
        let hash = self.ground.key.hash(&["cache", request.key.kind.as_str(), &request.key.value]);
        self.ground.arrived((request.operation.clone(), hash));
    }

    async fn answer_and_bill_late(&self, span: Millis, reply: Reply, price: Credits) -> Reply {
        let ground = self.ground.clone();
        let billing = tokio::spawn(async move {
            tokio::time::sleep(span.to_std()).await;
            ground.bill(price);
        });
        billing.await.map_or(Reply::TimedOut, |()| reply)
    }
}

#[async_trait]
impl Provider for Vendor {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        let operation = self.operation(&request.operation);
        let reply = truth(&request.operation, &request.key.value, request.now);
        if operation.price.is_free() {
            return reply;
        }
        self.question_arrives(request);
        let price = self.price_of(operation, &reply);
        match (self.behaves)(&request.operation) {
            Conduct::Answer(span) => {
                self.ground.bill(price);
                tokio::time::sleep(span.to_std()).await;
                reply
            }
            Conduct::BillsLate(span) => self.answer_and_bill_late(span, reply, price).await,
            Conduct::Hangs => {
                self.ground.bill(price);
                std::future::pending().await
            }
            Conduct::RateLimits(retry_after) => Reply::RateLimited { retry_after },
            Conduct::ServerError => Reply::Failed { why: "status 503".to_owned() },
            Conduct::Garbage => {
                self.ground.bill(price);
                Reply::Unreadable { why: "not JSON".to_owned() }
            }
            Conduct::AuthFailed => Reply::AuthFailed,
        }
    }
}
