//! The port through which the pipeline asks providers.

use std::sync::Arc;

use async_trait::async_trait;
use domain::identity::KeyKind;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{BatchRequest, LookupRequest, Provider, Secrets};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::answer::{of_failure, unreadable};
use crate::batch::BatchForm;
use crate::builtin;
use crate::connector::{Builtin, Connector, Http, Speech};
use crate::egress::{Answer, Call, Egress};
use crate::endpoints::Endpoints;
use crate::load::Connectors;

/// Asks vendors over HTTP, as their connector files say.
pub struct HttpProvider {
    connectors: Arc<Connectors>,
    endpoints: Endpoints,
    egress: Egress,
    secrets: Arc<dyn Secrets>,
}

impl HttpProvider {
    /// Puts connectors, base URLs, the way out and the secrets together.
    #[must_use]
    pub fn new(connectors: Arc<Connectors>, endpoints: Endpoints, egress: Egress, secrets: Arc<dyn Secrets>) -> Self {
        Self { connectors, endpoints, egress, secrets }
    }

    async fn ask(&self, connector: &Connector, request: &LookupRequest) -> Reply {
        match &connector.speech {
            Speech::Builtin(Builtin::Email) => builtin::email::read(&connector.operation, &request.key, request.now),
            Speech::Builtin(Builtin::Website) => {
                builtin::website::look_up(&self.egress, &self.endpoints, &connector.operation, request).await
            }
            Speech::Http(http) => {
                let mut replies = self.ask_vendor(connector, http, Question::One(request)).await;
                replies.pop().unwrap_or_else(|| unreadable(NOTHING_SAID))
            }
        }
    }

    /// A reply to each key.
    async fn ask_vendor(&self, connector: &Connector, http: &Http, question: Question<'_>) -> Vec<Reply> {
        let Some(auth) = &http.request.auth else {
            return self.call(connector, http, question, None).await;
        };
        let secret = match self.secrets.secret(&auth.secret).await {
            Ok(secret) => secret,
            Err(unavailable) => return question.same_to_all(not_sent(unavailable.to_string())),
        };
        let replies = self.call(connector, http, question, Some(&secret)).await;
        if replies.iter().any(|reply| *reply != Reply::AuthFailed) {
            return replies;
        }
        // The secret may have been rotated since it was cached; the same one again would be refused again.
        self.secrets.refresh(&auth.secret).await;
        match self.secrets.secret(&auth.secret).await {
            Ok(fresh) if fresh.expose_secret() != secret.expose_secret() => self.call(connector, http, question, Some(&fresh)).await,
            _ => replies,
        }
    }

    async fn call(&self, connector: &Connector, http: &Http, question: Question<'_>, secret: Option<&SecretString>) -> Vec<Reply> {
        let base = self.endpoints.of(&connector.operation.provider);
        let Some(call) = question.call(http, base.as_ref(), secret) else {
            return question.same_to_all(not_sent("the request cannot be filled in; does the secret hold blanks or line breaks?"));
        };
        match self.egress.send(call, question.timeout().to_std()).await {
            Ok(answer) => question.read(http, &connector.operation, &answer),
            Err(failure) => question.same_to_all(of_failure(failure)),
        }
    }

    fn connector(&self, operation: &str, kind: KeyKind) -> Result<&Connector, Reply> {
        let connector = self.connectors.get(operation).ok_or_else(|| not_sent(format!("there is no connector `{operation}`")))?;
        let accepts = connector.accepts(kind);
        accepts.then_some(connector).ok_or_else(|| not_sent(format!("{operation} cannot be asked by {}", kind.as_str())))
    }
}

/// What one request asks a vendor.
#[derive(Clone, Copy)]
enum Question<'a> {
    One(&'a LookupRequest),
    Many(&'a BatchForm, &'a BatchRequest),
}

impl Question<'_> {
    fn call(self, http: &Http, base: Option<&Url>, secret: Option<&SecretString>) -> Option<Call> {
        match self {
            Self::One(request) => http.request.call(base, &request.key, secret),
            Self::Many(form, request) => form.call(&http.request, base, request.kind, &request.keys, secret),
        }
    }

    fn read(self, http: &Http, operation: &Operation, answer: &Answer) -> Vec<Reply> {
        match self {
            Self::One(request) => vec![http.read(operation, answer, request.now)],
            Self::Many(form, request) => http.read_all(form, operation, (request.kind, &request.keys), answer, request.now),
        }
    }

    fn same_to_all(self, reply: Reply) -> Vec<Reply> {
        match self {
            Self::One(_) => vec![reply],
            Self::Many(_, request) => vec![reply; request.keys.len()],
        }
    }

    const fn timeout(self) -> Millis {
        match self {
            Self::One(request) => request.timeout,
            Self::Many(_, request) => request.timeout,
        }
    }
}

const NOTHING_SAID: &str = "nothing was said to the request";

fn not_sent(why: impl Into<String>) -> Reply {
    Reply::NotSent { why: why.into() }
}

#[async_trait]
impl Provider for HttpProvider {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        let connector = match self.connector(&request.operation, request.key.kind) {
            Ok(connector) => connector,
            Err(not_sent) => return not_sent,
        };
        let asking = self.ask(connector, request);
        tokio::time::timeout(request.timeout.to_std(), asking).await.unwrap_or(Reply::TimedOut)
    }

    async fn look_up_all(&self, request: &BatchRequest) -> Option<Vec<Reply>> {
        let connector = self.connectors.get(&request.operation)?;
        let Speech::Http(http) = &connector.speech else { return None };
        let form = http.batch.as_ref().filter(|form| form.terms.keys.contains(&request.kind))?;
        let question = Question::Many(form, request);
        let asking = self.ask_vendor(connector, http, question);
        let replies = tokio::time::timeout(request.timeout.to_std(), asking).await;
        Some(replies.unwrap_or_else(|_| question.same_to_all(Reply::TimedOut)))
    }
}
