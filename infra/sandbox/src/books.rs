//! What was asked, how often, and what it cost.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A kind of call that the books tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    CrustdataPerson,
    CrustdataCompany,
    Website,
    Dns,
    Rdap,
    HubspotRead,
    HubspotCreate,
    HubspotUpdate,
    HubspotSearch,
}

impl Endpoint {
    const PAID: [Self; 2] = [Self::CrustdataPerson, Self::CrustdataCompany];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CrustdataPerson => "crustdata.person",
            Self::CrustdataCompany => "crustdata.company",
            Self::Website => "website",
            Self::Dns => "dns",
            Self::Rdap => "rdap",
            Self::HubspotRead => "hubspot.read",
            Self::HubspotCreate => "hubspot.create",
            Self::HubspotUpdate => "hubspot.update",
            Self::HubspotSearch => "hubspot.search",
        }
    }
}

/// How often one endpoint was asked about one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestCount {
    /// Such as `crustdata.person`.
    pub endpoint: &'static str,
    /// A domain, an email as [`email_key`], or empty where the request named nobody.
    pub key: String,
    /// Requests, refused ones included.
    pub count: u64,
}

/// What one paid endpoint billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Billing {
    /// Such as `crustdata.company`.
    pub endpoint: &'static str,
    /// Requests, refused ones and those without a match included.
    pub calls: u64,
    /// Calls that cost something.
    pub billed_calls: u64,
    /// Credits: 2 a matched person, 2 a matched company, nothing without a match.
    pub credits: u64,
}

/// The key under which an email or profile URL stands in the books: its hash, in lower case and trimmed.
#[must_use]
pub fn email_key(email: &str) -> String {
    let digest = Sha256::digest(email.trim().to_lowercase().as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Default)]
pub(crate) struct Books {
    requests: BTreeMap<(Endpoint, String), u64>,
    calls: BTreeMap<Endpoint, u64>,
    billed: BTreeMap<Endpoint, (u64, u64)>,
    tries: BTreeMap<(&'static str, String), u64>,
}

impl Books {
    /// Notes one request that names these keys; `&[]` when it named nobody.
    pub(crate) fn note(&mut self, endpoint: Endpoint, keys: &[String]) {
        *self.calls.entry(endpoint).or_default() += 1;
        if keys.is_empty() {
            *self.requests.entry((endpoint, String::new())).or_default() += 1;
        }
        for key in keys {
            *self.requests.entry((endpoint, key.clone())).or_default() += 1;
        }
    }

    /// Bills one call; no credits is no billed call.
    pub(crate) fn bill(&mut self, endpoint: Endpoint, credits: u64) {
        if credits == 0 {
            return;
        }
        let (calls, total) = self.billed.entry(endpoint).or_default();
        *calls += 1;
        *total += credits;
    }

    /// How often this was tried before; counts this try.
    pub(crate) fn earlier_tries(&mut self, what: &'static str, key: &str) -> u64 {
        let tries = self.tries.entry((what, key.to_owned())).or_default();
        *tries += 1;
        *tries - 1
    }

    pub(crate) fn requests(&self) -> Vec<RequestCount> {
        let count = |((endpoint, key), count): (&(Endpoint, String), &u64)| RequestCount {
            endpoint: endpoint.name(),
            key: key.clone(),
            count: *count,
        };
        self.requests.iter().map(count).collect()
    }

    /// Requests by endpoint; one that names several keys is one request.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.iter().map(|(endpoint, count)| (endpoint.name(), *count)).collect()
    }

    pub(crate) fn billing(&self) -> Vec<Billing> {
        let bill = |endpoint: Endpoint| {
            let (billed_calls, credits) = self.billed.get(&endpoint).copied().unwrap_or_default();
            let calls = self.calls.get(&endpoint).copied().unwrap_or_default();
            Billing { endpoint: endpoint.name(), calls, billed_calls, credits }
        };
        Endpoint::PAID.into_iter().map(bill).collect()
    }
}
