//! Everything that a function talks to, made anew for each process: four services, each behind TLS at a place of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::units::Millis;
use intake::sample::local_secret;
use pipeline::ports::{Queue as _, QueueName};
use platform::{Function, SystemClock};
use sandbox::{Latency, Options, Sandbox};
use serde_json::json;
use stand_in::AwsEndpoint;
use tokio::task::JoinSet;

use super::tls::{Authority, TlsListener};

const WEBHOOK_SECRETS: &str = "bench/webhooks";
const VENDOR_SECRETS: &str = "bench/vendors";
const RECEIVES_MAX: u32 = 5;

/// The services of one process.
pub(super) struct World {
    aws: AwsEndpoint,
    dynamodb: Service,
    sqs: Service,
    secrets: Service,
    provider: Service,
    _tasks: JoinSet<()>,
}

struct Service {
    url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What a process asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) dynamodb: u64,
    pub(super) sqs: u64,
    pub(super) secrets: u64,
    pub(super) provider: u64,
    /// What the stand-ins took to answer, added up; requests that run side by side count twice.
    pub(super) answered_in_ms: f64,
}

impl World {
    pub(super) async fn start(authority: &Authority) -> anyhow::Result<Self> {
        let mut tasks = JoinSet::new();
        let aws = AwsEndpoint::start(Arc::new(SystemClock), RECEIVES_MAX, secrets()).await?;
        let forward = Forward { to: aws.url().to_owned(), http: platform::http_client()?.no_proxy().build()? };
        let forwarding = Router::new().fallback(pass_on).with_state(forward);
        // Every world is the same: nothing was asked or cached in it yet.
        let sandbox = Sandbox::new(Options { seed: 1, latency: Latency::Off });
        let mut serve = async |router: Router| -> std::io::Result<Service> {
            let listener = authority.listen(&mut tasks).await?;
            Ok(Service::start(listener, router, &mut tasks))
        };
        let (dynamodb, sqs) = (serve(forwarding.clone()).await?, serve(forwarding.clone()).await?);
        let (secrets, provider) = (serve(forwarding).await?, serve(sandbox.router()).await?);
        Ok(Self { aws, dynamodb, sqs, secrets, provider, _tasks: tasks })
    }

    /// What one of our functions is told, and what the template sets.
    pub(super) fn variables_of(&self, function: Function) -> BTreeMap<String, String> {
        let mut variables = self.aws.variables(function);
        for url in variables.values_mut() {
            *url = url.replace(self.aws.url(), &self.sqs.url);
        }
        if function == Function::SignupWebhook {
            variables.insert("SECRETS_ID".to_owned(), WEBHOOK_SECRETS.to_owned());
        }
        let place = self.provider.url.trim_start_matches("https://");
        let endpoints = ["crustdata={url}/crustdata", "website={url}/websites/{{key}}/", "dns={url}/dns", "rdap={url}/rdap"]
            .join(",")
            .replace("{url}", &self.provider.url);
        variables.extend([("ENDPOINTS".to_owned(), endpoints), ("EGRESS_ALLOWED".to_owned(), place.to_owned())]);
        variables.extend(self.services());
        variables
    }

    /// What the product's parts are told when they do a baseline's work.
    pub(super) fn variables_of_three_calls(&self, domain: &str) -> BTreeMap<String, String> {
        let mut variables = self.variables_of(Function::ProviderLookup);
        variables.extend(provider_variables(domain));
        variables
    }

    /// What a baseline is told.
    pub(super) fn variables_of_baseline(&self, domain: &str) -> BTreeMap<String, String> {
        let lookup = self.variables_of(Function::ProviderLookup);
        let mut variables: BTreeMap<String, String> =
            lookup.into_iter().filter(|(name, _)| ["LEADS_TABLE", "WRITEBACK_QUEUE_URL"].contains(&name.as_str())).collect();
        variables.extend(provider_variables(domain));
        variables.insert("PROVIDER_URL".to_owned(), format!("{}/crustdata", self.provider.url));
        variables.extend(self.services());
        variables
    }

    /// Every service at a place of its own, as in a region: nobody gets a second handshake for nothing.
    fn services(&self) -> [(String, String); 3] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.dynamodb.url.clone()),
            ("AWS_ENDPOINT_URL_SQS".to_owned(), self.sqs.url.clone()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), self.secrets.url.clone()),
        ]
    }

    pub(super) fn asked(&self) -> Asked {
        let [dynamodb, sqs, secrets, provider] = [&self.dynamodb, &self.sqs, &self.secrets, &self.provider].map(Service::requests);
        let services = [&self.dynamodb, &self.sqs, &self.secrets, &self.provider];
        Asked { dynamodb, sqs, secrets, provider, answered_in_ms: services.map(Service::answered_in_ms).iter().sum() }
    }

    /// The body of the message that waits in one of these queues.
    pub(super) async fn message_in(&self, queues: &[QueueName]) -> anyhow::Result<String> {
        for queue in queues {
            if let Some(message) = self.aws.queue().receive(*queue, 1, Millis::seconds(1)).await?.pop() {
                return Ok(message.body);
            }
        }
        anyhow::bail!("the process sent no message to {}", queues.iter().map(|queue| queue.as_str()).collect::<Vec<_>>().join(", "))
    }
}

impl Service {
    fn start(listener: TlsListener, router: Router, tasks: &mut JoinSet<()>) -> Self {
        let counts = Arc::new(Counts::default());
        let url = format!("https://localhost:{}", listener.port());
        let router = router.layer(axum::middleware::from_fn_with_state(Arc::clone(&counts), counted));
        tasks.spawn(async move { drop(axum::serve(listener, router).await) });
        Self { url, counts }
    }

    fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::Relaxed)
    }

    #[expect(clippy::cast_precision_loss, reason = "less than a day")]
    fn answered_in_ms(&self) -> f64 {
        self.counts.nanoseconds.load(Ordering::Relaxed) as f64 / 1e6
    }
}

async fn counted(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let answer = next.run(request).await;
    let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    counts.requests.fetch_add(1, Ordering::Relaxed);
    counts.nanoseconds.fetch_add(took, Ordering::Relaxed);
    answer
}

#[derive(Clone)]
struct Forward {
    to: String,
    http: reqwest::Client,
}

async fn pass_on(State(forward): State<Forward>, headers: HeaderMap, body: Bytes) -> Response {
    let mut request = forward.http.post(&forward.to).body(body);
    for name in ["content-type", "x-amz-target", "x-amz-date", "authorization"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    answer(request).await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Response> {
    let answer = request.send().await?;
    let content_type = answer.headers().get("content-type").cloned();
    let mut response = (answer.status(), answer.bytes().await?).into_response();
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    Ok(response)
}

fn provider_variables(domain: &str) -> [(String, String); 2] {
    [("PROVIDER_KEY".to_owned(), sandbox::CRUSTDATA_KEY.to_owned()), ("PROVIDER_DOMAIN".to_owned(), domain.to_owned())]
}

fn secrets() -> [(&'static str, String); 2] {
    let mut webhooks = BTreeMap::from([("hash_key".to_owned(), "A".repeat(44))]);
    for issuer in ["signup", "clerk"] {
        webhooks.insert(format!("webhook_secret_{issuer}"), local_secret(issuer).unwrap_or_default().to_owned());
    }
    let vendors = json!({"crustdata_api_key": sandbox::CRUSTDATA_KEY, "hubspot_token": sandbox::HUBSPOT_TOKEN});
    [(WEBHOOK_SECRETS, json!(webhooks).to_string()), (VENDOR_SECRETS, vendors.to_string())]
}
