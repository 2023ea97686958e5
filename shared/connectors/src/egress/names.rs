//! Names to addresses, public ones only. The connection uses what comes out of here, so a name cannot point
//! elsewhere between the check and the connection.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;
use super::allowed::Allowed;

/// A name that leads to none but closed addresses.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name leads to no public address")]
pub(super) struct NotPublic;

/// The system's resolver.
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Drops the addresses that are not public from what another resolver says.
pub(super) struct Guard {
    pub(super) names: Arc<dyn Resolve>,
    pub(super) allowed: Arc<Allowed>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let is_allowed = self.allowed.has_host(name.as_str());
        let resolving = self.names.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = resolving.await?.collect();
            let was_found = !found.is_empty();
            let open: Vec<SocketAddr> = found.into_iter().filter(|address| is_allowed || is_public(address.ip())).collect();
            if was_found && open.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}
