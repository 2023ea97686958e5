use async_trait::async_trait;
use domain::credits::{ReservationId, Tariff};
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{Cache, CacheKey, CachedReply, StoreError};
use serde::{Deserialize, Serialize};

use super::item::{Key, Reader, document, expiry, moment};
use super::{DynamoStore, send_put};
use crate::tables::{TTL_ATTRIBUTE, Table};

/// A stale reply still says something: it is kept this long past its freshness.
const KEPT_PAST_FRESH: Millis = Millis::days(30);

const OLDER: &str = "attribute_not_exists(pk) OR fetched_at < :fetched_at";
const OLDER_AND_OVER: &str = "attribute_not_exists(pk) OR (fetched_at < :fetched_at AND fresh_until <= :fetched_at)";

/// What a cache item's document holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    reply: Reply,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationId>,
    #[serde(default, skip_serializing_if = "Tariff::is_single")]
    tariff: Tariff,
}

#[async_trait]
impl Cache for DynamoStore {
    async fn kept_reply(&self, key: &CacheKey) -> Result<Option<CachedReply>, StoreError> {
        let key = self.cache_key(key);
        let Some(item) = self.get(self.tables.name_of(Table::Cache), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        let (fetched_at, fresh_until) = (reader.moment("fetched_at")?, reader.moment("fresh_until")?);
        let Kept { reply, reservation, tariff } = reader.document()?;
        Ok(Some(CachedReply { reply, fetched_at, fresh_until, reservation, tariff }))
    }

    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Result<(), StoreError> {
        let key = self.cache_key(key);
        let kept = Kept { reply: reply.reply.clone(), reservation: reply.reservation.clone(), tariff: reply.tariff };
        let item = key.item([
            ("doc", document(&key, &kept)?),
            ("fetched_at", moment(reply.fetched_at)),
            ("fresh_until", moment(reply.fresh_until)),
            (TTL_ATTRIBUTE, expiry(reply.fresh_until.after(KEPT_PAST_FRESH))),
        ]);
        let may_replace = if reply.reply.is_answer() { OLDER } else { OLDER_AND_OVER };
        let put = self
            .put(self.tables.name_of(Table::Cache), item)
            .condition_expression(may_replace)
            .expression_attribute_values(":fetched_at", moment(reply.fetched_at));
        // Refused means that a younger reply is there, or a fresh answer where ours is none: either is as good.
        send_put(put).await.map(drop)
    }
}

impl DynamoStore {
    fn cache_key(&self, key: &CacheKey) -> Key {
        self.key(&["CACHE", &key.operation, &key.hash])
    }
}
