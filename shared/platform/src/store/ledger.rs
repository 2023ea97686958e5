use async_trait::async_trait;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
use domain::credits::{Counter, CounterBound, Reservation, ReservationId, ReservationState, Settlement};
use domain::units::Credits;
use pipeline::ports::{Lease, Ledger, Reserved, StoreError};

use super::DynamoStore;
use super::item::{Item, Key, Reader, credits, document, form, moment, number, text};
use super::transaction::{Transacted, not_built, put_in_transaction};
use crate::tables::Table;

// The words of attribute `state`.
const CALLING: &str = "calling";
const SETTLED: &str = "settled";
const UNKNOWN: &str = "unknown";

#[async_trait]
impl Ledger for DynamoStore {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &[CounterBound]) -> Result<Reserved, StoreError> {
        // A counter without an item counts as zero, which no expression can compare.
        if let Some(bound) = bounds.iter().find(|bound| bound.at_most_before.is_some_and(|most| most < Credits::ZERO)) {
            let before = self.read_reservation(&reservation.id).await?;
            return Ok(before.map_or_else(|| Reserved::Refused(bound.scope.clone()), Reserved::Before));
        }
        let mut items = Vec::with_capacity(bounds.len() + 2);
        for bound in bounds {
            items.push(self.take_from_counter(bound, reservation.amount)?);
        }
        items.push(self.put_reservation(reservation)?);
        items.push(self.check_fence(lease)?);
        match self.transact(items).await? {
            Transacted::Done => Ok(Reserved::Reserved),
            Transacted::Refused(failed) => self.why_not_reserved(reservation, bounds, &failed).await,
        }
    }

    async fn settle(&self, reservation: &Reservation, settlement: Settlement) -> Result<bool, StoreError> {
        let used = settlement.used_of(reservation.amount);
        let mut items = vec![self.resolve_reservation(reservation, settlement)?];
        for counter in &reservation.counters {
            let update = counter_update()
                .update_expression("SET v = :v ADD taken :released, used :used")
                .expression_attribute_values(":released", credits(used.minus(reservation.amount)))
                .expression_attribute_values(":used", credits(used));
            items.push(self.update_in_transaction(&self.counter_key(counter), update)?);
        }
        Ok(self.transact(items).await? == Transacted::Done)
    }

    async fn counter(&self, counter: &str) -> Result<Counter, StoreError> {
        let key = self.counter_key(counter);
        let Some(item) = self.get(self.tables.name_of(Table::Credits), &key).await? else { return Ok(Counter::default()) };
        let reader = Reader::of(&key, &item)?;
        let amount = |name: &str| if reader.has(name) { reader.number(name).map(Credits::from_micros) } else { Ok(Credits::ZERO) };
        Ok(Counter { taken: amount("taken")?, used: amount("used")? })
    }
}

impl DynamoStore {
    fn counter_key(&self, counter: &str) -> Key {
        self.key(&[counter])
    }

    fn reservation_key(&self, id: &ReservationId) -> Key {
        self.key(&["RES", id.run.as_str(), &id.operation, &id.attempt.to_string()])
    }

    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError> {
        let key = self.reservation_key(id);
        let Some(item) = self.get(self.tables.name_of(Table::Credits), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        let reservation: Reservation = reader.document()?;
        if reader.text("state")? != word_of(&reservation.state) {
            return Err(reader.corrupt("attribute `state` and the document's state differ"));
        }
        Ok(Some(reservation))
    }

    fn take_from_counter(&self, bound: &CounterBound, amount: Credits) -> Result<TransactWriteItem, StoreError> {
        let mut update =
            counter_update().update_expression("SET v = :v ADD taken :amount").expression_attribute_values(":amount", credits(amount));
        if let Some(most) = bound.at_most_before {
            update = update
                .condition_expression("attribute_not_exists(taken) OR taken <= :most")
                .expression_attribute_values(":most", credits(most));
        }
        self.update_in_transaction(&self.counter_key(&bound.counter), update)
    }

    fn put_reservation(&self, reservation: &Reservation) -> Result<TransactWriteItem, StoreError> {
        let key = self.reservation_key(&reservation.id);
        let item: Item = key.item([
            ("state", text(word_of(&reservation.state))),
            ("amount", credits(reservation.amount)),
            ("open_until", moment(reservation.open_until)),
            ("doc", document(&key, reservation)?),
        ]);
        put_in_transaction(
            self.tables.name_of(Table::Credits),
            Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(pk)"),
        )
    }

    fn check_fence(&self, lease: &Lease) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(self.tables.name_of(Table::Leads))
            .set_key(Some(self.run_key(&lease.run).attributes()))
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(lease.fence))
            .build();
        Ok(TransactWriteItem::builder().condition_check(check.map_err(|error| not_built(&error))?).build())
    }

    /// The reservation leaves the state "calling" once; from then on it is not open any more.
    fn resolve_reservation(&self, reservation: &Reservation, settlement: Settlement) -> Result<TransactWriteItem, StoreError> {
        let key = self.reservation_key(&reservation.id);
        let resolved = Reservation { state: settlement.state(reservation.amount), ..reservation.clone() };
        let update = Update::builder()
            .update_expression("SET #state = :resolved, doc = :doc REMOVE open_until")
            .condition_expression("#state = :calling")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":resolved", text(word_of(&resolved.state)))
            .expression_attribute_values(":doc", document(&key, &resolved)?)
            .expression_attribute_values(":calling", text(CALLING));
        self.update_in_transaction(&key, update)
    }

    fn update_in_transaction(&self, key: &Key, update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
        let update = update.table_name(self.tables.name_of(Table::Credits)).set_key(Some(key.attributes())).build();
        Ok(TransactWriteItem::builder().update(update.map_err(|error| not_built(&error))?).build())
    }

    /// The items stand as in `reserve`: the counters, the reservation, the fence. An attempt that was reserved before
    /// says so whatever else failed, for it may have been called.
    async fn why_not_reserved(&self, reservation: &Reservation, bounds: &[CounterBound], failed: &[bool]) -> Result<Reserved, StoreError> {
        let did_fail = |index: usize| failed.get(index).copied().unwrap_or_default();
        if did_fail(bounds.len()) {
            let before = self.read_reservation(&reservation.id).await?;
            return before
                .map(Reserved::Before)
                .ok_or_else(|| StoreError::Unavailable("TransactWriteItems: the reservation came and went".to_owned()));
        }
        if did_fail(bounds.len() + 1) {
            return Err(StoreError::FenceLost);
        }
        let refusing = bounds.iter().enumerate().find(|(index, _)| did_fail(*index));
        refusing
            .map(|(_, bound)| Reserved::Refused(bound.scope.clone()))
            .ok_or_else(|| StoreError::Unavailable("TransactWriteItems: cancelled without a reason".to_owned()))
    }
}

fn counter_update() -> UpdateBuilder {
    Update::builder().expression_attribute_values(":v", form())
}

const fn word_of(state: &ReservationState) -> &'static str {
    match state {
        ReservationState::Calling => CALLING,
        ReservationState::Settled { .. } => SETTLED,
        ReservationState::OutcomeUnknown => UNKNOWN,
    }
}
