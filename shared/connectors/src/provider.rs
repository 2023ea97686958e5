//! The port through which the pipeline asks providers.

use std::sync::Arc;

use async_trait::async_trait;
use domain::reply::Reply;
use pipeline::ports::{LookupRequest, Provider, Secrets};
use secrecy::{ExposeSecret, SecretString};

use crate::answer::of_failure;
use crate::builtin;
use crate::connector::{Builtin, Connector, Http, Speech};
use crate::egress::Egress;
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
            Speech::Http(http) => self.ask_vendor(connector, http, request).await,
        }
    }

    async fn ask_vendor(&self, connector: &Connector, http: &Http, request: &LookupRequest) -> Reply {
        let Some(auth) = &http.request.auth else {
            return self.call(connector, http, request, None).await;
        };
        let secret = match self.secrets.secret(&auth.secret).await {
            Ok(secret) => secret,
            Err(unavailable) => return not_sent(unavailable.to_string()),
        };
        let reply = self.call(connector, http, request, Some(&secret)).await;
        if reply != Reply::AuthFailed {
            return reply;
        }
        // The secret may have been rotated since it was cached; the same one again would be refused again.
        self.secrets.refresh(&auth.secret).await;
        match self.secrets.secret(&auth.secret).await {
            Ok(fresh) if fresh.expose_secret() != secret.expose_secret() => self.call(connector, http, request, Some(&fresh)).await,
            _ => reply,
        }
    }

    async fn call(&self, connector: &Connector, http: &Http, request: &LookupRequest, secret: Option<&SecretString>) -> Reply {
        let base = self.endpoints.of(&connector.operation.provider);
        let Some(call) = http.request.call(base.as_ref(), &request.key, secret) else {
            return not_sent("the request cannot be filled in; does the secret hold blanks or line breaks?");
        };
        match self.egress.send(call, request.timeout.to_std()).await {
            Ok(answer) => http.read(&connector.operation, &answer, request.now),
            Err(failure) => of_failure(failure),
        }
    }
}

fn not_sent(why: impl Into<String>) -> Reply {
    Reply::NotSent { why: why.into() }
}

#[async_trait]
impl Provider for HttpProvider {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        let Some(connector) = self.connectors.get(&request.operation) else {
            return not_sent(format!("there is no connector `{}`", request.operation));
        };
        if !connector.accepts(request.key.kind) {
            return not_sent(format!("{} cannot be asked by {}", request.operation, request.key.kind.as_str()));
        }
        let asking = self.ask(connector, request);
        tokio::time::timeout(request.timeout.to_std(), asking).await.unwrap_or(Reply::TimedOut)
    }
}
