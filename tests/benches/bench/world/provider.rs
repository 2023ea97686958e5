//! Providers that answer everybody with what the sandbox once said through the real connectors.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use connectors::{Egress, Endpoints, HttpProvider};
use domain::config::Config;
use domain::identity::{KeyKind, LookupKey};
use domain::observation::{Basis, Observation};
use domain::reply::Reply;
use domain::units::{BasisPoints, Millis, Timestamp};
use domain::value::Value;
use pipeline::ports::{LookupRequest, Provider, Secrets};
use platform::Aws;
use sandbox::{Latency, Options, Sandbox};

use super::config::{SCAN, config};

const COMPANY: &str = "crustdata.company";
const PERSON: &str = "crustdata.person";
/// The sandbox's best lead: everything is known of this company, so its answer is as large as they come.
const ASKED_ABOUT: (&str, &str) = ("northwind-grid.example", "ada@northwind-grid.example");

/// Answers of the three paid operations, the same for everybody; whatever is free is done by the real connectors.
#[derive(Clone)]
pub(crate) struct Recorded {
    company: Vec<Observation>,
    person: Vec<Observation>,
    scan: Vec<Observation>,
    dns: Vec<Observation>,
    rdap: Vec<Observation>,
    free: Arc<HttpProvider>,
}

impl Recorded {
    /// Asks the sandbox about one company and one person.
    pub(crate) async fn take(secrets: Arc<dyn Secrets>, now: Timestamp) -> anyhow::Result<(Self, Config)> {
        let (_sandbox, address) = Sandbox::start(Options { seed: 1, latency: Latency::Off }).await?;
        let (config, connectors) = config()?;
        let endpoints = ["crustdata", "dns", "rdap"].map(|name| (name.to_owned(), format!("http://{address}/{name}")));
        let endpoints = Endpoints::new(endpoints)?;
        let egress = Egress::new([address.to_string()], Aws::local("http://127.0.0.1:9").await?.tls())?;
        let provider = HttpProvider::new(Arc::new(connectors), endpoints, egress, secrets);
        let (domain, email) = ASKED_ABOUT;
        let company = ask(&provider, COMPANY, KeyKind::Domain, domain, now).await?;
        let person = ask(&provider, PERSON, KeyKind::BusinessEmail, email, now).await?;
        let dns = ask(&provider, "dns", KeyKind::EmailDomain, domain, now).await?;
        let rdap = ask(&provider, "rdap", KeyKind::EmailDomain, domain, now).await?;
        let scan = scan(&config, now)?;
        Ok((Self { company, person, scan, dns, rdap, free: Arc::new(provider) }, config))
    }

    /// Whether an operation is one of the three.
    pub(crate) fn is_paid(operation: &str) -> bool {
        [COMPANY, PERSON, SCAN].contains(&operation)
    }

    /// What is said to this request; `None` for an operation that is not recorded.
    fn answer(&self, request: &LookupRequest) -> Option<Reply> {
        let recorded = match request.operation.as_str() {
            COMPANY => &self.company,
            PERSON => &self.person,
            SCAN => &self.scan,
            "dns" => &self.dns,
            "rdap" => &self.rdap,
            _ => return None,
        };
        let asked_about = |observation: &Observation| Observation {
            observed_at: request.now,
            // Whoever is asked about works where the signup says.
            value: if observation.field.as_str() == "company.domain" { domain_of(&request.key) } else { observation.value.clone() },
            ..observation.clone()
        };
        Some(Reply::Hit { observations: recorded.iter().map(asked_about).collect() })
    }
}

#[async_trait]
impl Provider for Recorded {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        match self.answer(request) {
            Some(reply) => reply,
            None => self.free.look_up(request).await,
        }
    }
}

fn domain_of(key: &LookupKey) -> Value {
    Value::text(key.value.rsplit('@').next().unwrap_or_default())
}

async fn ask(provider: &HttpProvider, operation: &str, kind: KeyKind, key: &str, now: Timestamp) -> anyhow::Result<Vec<Observation>> {
    let key = LookupKey { kind, value: key.to_owned() };
    let request = LookupRequest { operation: operation.to_owned(), key, now, timeout: Millis::seconds(5) };
    match provider.look_up(&request).await {
        Reply::Hit { observations } => Ok(observations),
        other => anyhow::bail!("{operation} in the sandbox answered {other:?}"),
    }
}

/// What the third operation would say; the sandbox does not play it.
fn scan(config: &Config, now: Timestamp) -> anyhow::Result<Vec<Observation>> {
    let said = [
        ("company.hosting", Value::text("vercel")),
        ("company.cdn", Value::text("cloudflare")),
        ("company.frameworks", Value::list(["next", "react", "tailwind"])),
        ("company.cms", Value::text("contentful")),
    ];
    let operation = config.catalogue.get(SCAN).context("the third operation is not in the catalogue")?;
    ensure!(!operation.price.is_free(), "the third operation costs nothing");
    let observe = |(path, value): (&str, Value)| {
        Ok(Observation {
            field: config.schema.field(path).map_err(anyhow::Error::msg)?,
            value,
            source: operation.name.clone(),
            family: operation.family.clone(),
            observed_at: now,
            stated: BasisPoints::ONE,
            basis: Basis::Stated,
        })
    };
    said.into_iter().map(observe).collect()
}
