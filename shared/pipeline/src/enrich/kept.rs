//! Replies that are kept: looked up before anybody is asked, and stored for all who will ask the same.

use std::collections::{BTreeMap, BTreeSet};

use domain::credits::{ReservationId, Tariff};
use domain::identity::LookupKey;
use domain::plan::Operation;
use domain::record::{Record, aliases_of};
use domain::reply::Reply;
use domain::schema::FieldClass;
use domain::signup::Signup;
use domain::units::{Millis, Timestamp};
use futures::future::{try_join, try_join_all};

use super::settle::answer_life;
use super::{Enrich, Work};
use crate::ports::{CacheKey, CachedReply, Priced, StoreError};
use crate::work::Retry;

/// How long a look into the cache that found nothing counts before a paid call.
const NOTHING_BELIEVED: Millis = Millis(250);

/// What the cache said when the run began, so that the plan need not wait for it call by call.
pub(super) type Looked = BTreeMap<CacheKey, Option<CachedReply>>;

impl Enrich {
    /// What is known of a signup's person, and what the cache says to the questions the plan may ask: all at once.
    pub(super) async fn look_ahead(&self, signup: &Signup) -> Result<(Option<Record>, Looked), StoreError> {
        let (aliases, keys) = (aliases_of(signup, &self.key), signup.lookup_keys());
        let mut wanted: Vec<CacheKey> = self.config.operations().filter_map(|operation| self.first_key(operation, &keys)).collect();
        wanted.sort();
        wanted.dedup();
        let replies = try_join_all(wanted.iter().map(|key| self.store.kept_reply(key)));
        let (record, replies) = try_join(self.store.find_record(&aliases), replies).await?;
        Ok((record, wanted.into_iter().zip(replies).collect()))
    }

    fn first_key(&self, operation: &Operation, keys: &[LookupKey]) -> Option<CacheKey> {
        if !is_kept(operation) {
            return None;
        }
        Some(self.cache_key(operation, operation.key_among(keys)?))
    }

    /// What the cache says to keys that were found on the way. Only a run that gets by with it has to know before it asks.
    pub(super) async fn look_behind(&self, work: &mut Work, keys: &[LookupKey]) -> Result<(), StoreError> {
        if !self.config.plan.is_cached_only(&work.run, &self.config.view(&work.facts)) {
            return Ok(());
        }
        let is_new = |operation: &&Operation| work.run.calls.iter().all(|call| call.operation != operation.name);
        let mut wanted: Vec<CacheKey> =
            self.config.operations().filter(is_new).filter_map(|operation| self.first_key(operation, keys)).collect();
        wanted.retain(|key| !work.looked.contains_key(key));
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        let replies = try_join_all(wanted.iter().map(|key| self.store.kept_reply(key))).await?;
        work.looked.extend(wanted.into_iter().zip(replies));
        work.kept = self.kept_operations(work);
        Ok(())
    }

    /// The operations to which the cache has an answer that is fresh for this lead, by the key they would be asked by now: asking
    /// them costs nothing.
    pub(super) fn kept_operations(&self, work: &Work) -> BTreeSet<String> {
        let keys = work.run.lookup_keys(&work.facts);
        let is_kept = |operation: &&Operation| {
            let key = self.first_key(operation, &keys);
            let kept = key.and_then(|key| work.looked.get(&key)?.as_ref());
            kept.is_some_and(|kept| self.is_fresh_for(work, operation, kept))
        };
        self.config.operations().filter(is_kept).map(|operation| operation.name.clone()).collect()
    }

    /// Whether a kept reply is young enough for everybody, and for this lead where its segment asks for younger ones (S0-103).
    fn is_fresh_for(&self, work: &Work, operation: &Operation, kept: &CachedReply) -> bool {
        let own_life = answer_life(&work.freshness, operation.class, &kept.reply);
        kept.fresh_until.min(kept.fetched_at.after(own_life)) > self.clock.now()
    }

    /// A fresh reply that somebody else paid for, or that cost nothing.
    pub(super) async fn kept(&self, work: &mut Work, operation: &Operation, key: &CacheKey) -> Result<Option<CachedReply>, Retry> {
        if !is_kept(operation) {
            return Ok(None);
        }
        // That there was nothing is believed for a moment only: a colleague may have bought it since.
        let is_believed = operation.price.is_free() || self.clock.now() < work.looked_at.after(NOTHING_BELIEVED);
        let kept = match work.looked.remove(key) {
            Some(Some(kept)) => Some(kept),
            Some(None) if is_believed => None,
            _ => self.store.kept_reply(key).await?,
        };
        // A reply that this very run was paying for when it was cut off is no gift of the cache: its reservation says more.
        let is_gift = |kept: &CachedReply| kept.reservation.as_ref().is_none_or(|paid| paid.run != work.run.id);
        Ok(kept.filter(|kept| self.is_fresh_for(work, operation, kept) && is_gift(kept)))
    }

    /// Keeps the reply to a paid call under its reservation, an error as well: whoever comes after a crash settles from it.
    pub(super) async fn keep_paid(&self, key: &CacheKey, operation: &Operation, reply: &Priced, paid: &ReservationId) -> Result<(), Retry> {
        if matches!(reply.reply, Reply::TimedOut | Reply::Pending { .. }) {
            return Ok(());
        }
        let kept = CachedReply { tariff: reply.tariff, ..self.kept_now(operation, &reply.reply, Some(paid)) };
        Ok(self.store.keep_reply(key, &kept).await?)
    }

    /// Notes a free reply to be kept with the next write; lost, it is asked for again.
    pub(super) fn keep_free(&self, work: &mut Work, key: &CacheKey, operation: &Operation, reply: &Reply) {
        if is_kept(operation) && reply.is_answer() {
            work.to_keep.push((key.clone(), self.kept_now(operation, reply, None)));
        }
    }

    pub(super) async fn keep_noted(&self, noted: &[(CacheKey, CachedReply)]) -> Result<(), StoreError> {
        try_join_all(noted.iter().map(|(key, kept)| self.store.keep_reply(key, kept))).await.map(drop)
    }

    fn kept_now(&self, operation: &Operation, reply: &Reply, paid: Option<&ReservationId>) -> CachedReply {
        let now = self.clock.now();
        CachedReply {
            reply: reply.clone(),
            fetched_at: now,
            fresh_until: self.fresh_until(operation, reply, now),
            reservation: paid.cloned(),
            tariff: Tariff::Single,
        }
    }

    /// An error is believed by nobody: the next one asks again.
    fn fresh_until(&self, operation: &Operation, reply: &Reply, now: Timestamp) -> Timestamp {
        if reply.is_answer() { now.after(answer_life(&self.config.freshness, operation.class, reply)) } else { now }
    }

    pub(super) fn cache_key(&self, operation: &Operation, key: &LookupKey) -> CacheKey {
        CacheKey { operation: operation.name.clone(), hash: self.key.hash(&["cache", key.kind.as_str(), &key.value]) }
    }
}

/// Free checks of the moment cost less than a look into the cache.
pub(super) fn is_kept(operation: &Operation) -> bool {
    !(operation.price.is_free() && operation.class == FieldClass::Check)
}
