//! The hour in which one person is paid for once.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{StoreError, Window};

use super::item::{Item, Key, Reader, expiry, moment, text};
use super::{DynamoStore, Effect, send_delete, send_put, send_update};
use crate::tables::TTL_ATTRIBUTE;

/// A window past its end is of no use; a day is for whoever looks into a fault.
const WINDOW_KEPT: Millis = Millis::days(1);

const MAY_OPEN: &str = "attribute_not_exists(pk) OR (held_by = :run AND paid = :no) OR hold_until <= :now";

impl DynamoStore {
    pub(super) async fn hold_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        let key = self.window_key(identity);
        let item = key.item([
            ("held_by", text(run.as_str())),
            ("paid", AttributeValue::Bool(false)),
            ("hold_until", moment(until)),
            (TTL_ATTRIBUTE, expiry(until.after(WINDOW_KEPT))),
        ]);
        let put = self
            .put(&self.tables.leads, item)
            .condition_expression(MAY_OPEN)
            .expression_attribute_values(":run", text(run.as_str()))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":now", moment(now));
        match send_put(put).await? {
            Effect::Took(_) => Ok(Window::Mine),
            Effect::Refused(item) => held(&key, &item, run),
        }
    }

    pub(super) async fn mark_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        let update = self
            .update(&self.tables.leads, &self.window_key(identity))
            .update_expression("SET paid = :yes, hold_until = :until, expires_at = :expires")
            .condition_expression("held_by = :run")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":until", moment(until))
            .expression_attribute_values(":expires", expiry(until.after(WINDOW_KEPT)))
            .expression_attribute_values(":run", text(run.as_str()));
        send_update(update).await.map(drop)
    }

    pub(super) async fn drop_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        let delete = self
            .delete(&self.tables.leads, &self.window_key(identity))
            .condition_expression("held_by = :run AND paid = :no")
            .expression_attribute_values(":run", text(run.as_str()))
            .expression_attribute_values(":no", AttributeValue::Bool(false));
        send_delete(delete).await.map(drop)
    }

    fn window_key(&self, identity: &str) -> Key {
        self.key(&["SEEN", identity])
    }
}

fn held(key: &Key, item: &Item, me: &RunId) -> Result<Window, StoreError> {
    let reader = Reader::of(key, item)?;
    let run = RunId::parse(reader.text("held_by")?).map_err(|_| reader.corrupt("attribute `held_by` is no run's id"))?;
    if run == *me {
        return Ok(Window::Mine);
    }
    let until = reader.moment("hold_until")?;
    Ok(if reader.flag("paid")? { Window::PaidBy(run) } else { Window::HeldBy { run, until } })
}
