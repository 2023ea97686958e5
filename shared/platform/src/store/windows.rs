//! The hour in which one person is paid for once.

use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{StoreError, Window};

use super::item::{Key, Reader, expiry, moment, text};
use super::{DynamoStore, Effect, send_put, send_update};
use crate::tables::{TTL_ATTRIBUTE, Table};

/// A window past its end is of no use; a day is for whoever looks into a fault.
const WINDOW_KEPT: Millis = Millis::days(1);

const MAY_OPEN: &str = "attribute_not_exists(pk) OR (hold_until <= :now AND paid_until <= :now)";
/// A moment that is always over.
const NEVER: Timestamp = Timestamp::from_millis(0);

impl DynamoStore {
    pub(super) async fn hold_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        let key = self.window_key(identity);
        let item = key.item([
            ("held_by", text(run.as_str())),
            ("hold_until", moment(until)),
            ("paid_until", moment(NEVER)),
            (TTL_ATTRIBUTE, expiry(until.after(WINDOW_KEPT))),
        ]);
        let put = self
            .put(self.tables.name_of(Table::Leads), item)
            .condition_expression(MAY_OPEN)
            .expression_attribute_values(":now", moment(now));
        let item = match send_put(put).await? {
            Effect::Took(_) => return Ok(Window::Mine),
            Effect::Refused(item) => item,
        };
        let reader = Reader::of(&key, &item)?;
        let holder = RunId::parse(reader.text("held_by")?).map_err(|_| reader.corrupt("attribute `held_by` is no run's id"))?;
        if holder == *run {
            self.hold_until(identity, run, until).await?;
            return Ok(Window::Mine);
        }
        let held_until = reader.moment("hold_until")?;
        Ok(if held_until > now { Window::HeldBy { run: holder, until: held_until } } else { Window::PaidBy(holder) })
    }

    pub(super) async fn mark_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        let update = self
            .update(self.tables.name_of(Table::Leads), &self.window_key(identity))
            .update_expression("SET paid_until = :until, expires_at = :expires")
            .condition_expression("held_by = :run")
            .expression_attribute_values(":until", moment(until))
            .expression_attribute_values(":expires", expiry(until.after(WINDOW_KEPT)))
            .expression_attribute_values(":run", text(run.as_str()));
        send_update(update).await.map(drop)
    }

    pub(super) async fn drop_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        self.hold_until(identity, run, NEVER).await
    }

    /// Only the holder's hold is moved; anybody else's stays.
    async fn hold_until(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        let update = self
            .update(self.tables.name_of(Table::Leads), &self.window_key(identity))
            .update_expression("SET hold_until = :until")
            .condition_expression("held_by = :run")
            .expression_attribute_values(":until", moment(until))
            .expression_attribute_values(":run", text(run.as_str()));
        send_update(update).await.map(drop)
    }

    fn window_key(&self, identity: &str) -> Key {
        self.key(&["SEEN", identity])
    }
}
