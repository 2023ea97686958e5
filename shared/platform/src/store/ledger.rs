use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::credits::{
    Adjustment, Balance, BeforeReserve, Bounds, CapScope, Change, Reservation, ReservationId, ReservationState, Threshold, Usage,
};
use domain::signup::RunId;
use domain::units::{Credits, Timestamp};
use pipeline::ports::{Adjusted, Lease, Ledger, Reserved, StoreError};

use tokio::sync::MutexGuard;

use super::DynamoStore;
use super::books::{CROSSED, balance_of, count_in_day, count_in_month, usage_of};
use super::item::{Item, Key, Reader, credits, document, form, moment, number, text};
use super::transaction::{Transacted, not_built, put_in_transaction};
use crate::tables::{OPEN_ATTRIBUTE, OPEN_INDEX, OPEN_UNTIL_ATTRIBUTE, Table};

// The words of attribute `state`.
const CALLING: &str = "calling";
const PENDING: &str = "pending";
const SETTLED: &str = "settled";
const UNKNOWN: &str = "unknown";
const REFUNDED: &str = "refunded";

/// A month is opened or reallocated at most so often before a reservation: more than one is a race, more than these a fault.
const MONTH_TRIES: usize = 5;

// The places of a reservation's items in its transaction.
const MONTH: usize = 0;
const RESERVATION: usize = 1;
const FENCE: usize = 2;
const DAY: usize = 3;

#[async_trait]
impl Ledger for DynamoStore {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        let _turn = self.turn().await;
        for _ in 0..MONTH_TRIES {
            let Transacted::Refused(failed) = self.transact(self.reserving(lease, reservation, bounds)?).await? else {
                return Ok(Reserved::Reserved);
            };
            if let Some(answer) = self.why_not_reserved(reservation, bounds, failed).await? {
                return answer;
            }
        }
        Err(StoreError::Unavailable(format!("the month {} was changed by others {MONTH_TRIES} times in a row", reservation.periods.month)))
    }

    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError> {
        let change = from.change_to(to);
        let mut items = vec![self.replace_reservation(from, to)?];
        if change != Change::default() {
            items.push(self.in_credits(&self.month_key(&from.periods.month), count_in_month(from, change))?);
            items.push(self.in_credits(&self.day_key(&from.periods.day), count_in_day(from, change))?);
            if let (Some(week), true) = (&from.periods.week, change.taken() != Credits::ZERO) {
                items.push(self.in_credits(&self.week_key(week), count_in_week(change.taken()))?);
            }
        }
        let _turn = self.turn().await;
        Ok(self.transact(items).await? == Transacted::Done)
    }

    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError> {
        let key = self.reservation_key(id);
        let item = self.get(self.tables.name_of(Table::Credits), &key).await?;
        item.map(|item| reservation_of(&key, &item)).transpose()
    }

    async fn overdue(&self, before: Timestamp, most: usize) -> Result<Vec<ReservationId>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(self.tables.name_of(Table::Credits))
            .index_name(OPEN_INDEX)
            .key_condition_expression("#open = :open AND #until < :before")
            .expression_attribute_names("#open", OPEN_ATTRIBUTE)
            .expression_attribute_names("#until", OPEN_UNTIL_ATTRIBUTE)
            .expression_attribute_values(":open", text(&self.open_mark()))
            .expression_attribute_values(":before", moment(before))
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        let answer = request.send().await.map_err(|error| super::unavailable("Query", &error))?;
        // One entry that cannot be read keeps no other from being resolved.
        let readable =
            |item: &Item| self.id_of(item).inspect_err(|error| tracing::error!(error = %error, "an open entry is left alone")).ok();
        Ok(answer.items.unwrap_or_default().iter().filter_map(readable).collect())
    }

    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Result<Adjusted, StoreError> {
        self.open_month(&adjustment.month, allocation).await?;
        let key = self.key_with(&["ADJ", &adjustment.month], &adjustment.id);
        let item = key.item([("amount", credits(adjustment.amount)), ("doc", document(&key, adjustment)?)]);
        let entry = Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
        let entry = entry.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let entry = put_in_transaction(self.tables.name_of(Table::Credits), entry)?;
        let least = Credits::ZERO.minus(adjustment.amount);
        let month = Update::builder()
            .update_expression("ADD available :amount, adjusted :amount")
            .expression_attribute_values(":amount", credits(adjustment.amount));
        // Adding is always allowed, also where the overdraft is drawn on.
        let month = if least <= Credits::ZERO {
            month
        } else {
            month.condition_expression("available >= :least").expression_attribute_values(":least", credits(least))
        };
        match self.transact(vec![entry, self.in_credits(&self.month_key(&adjustment.month), month)?]).await? {
            Transacted::Done => Ok(Adjusted::Done),
            Transacted::Refused(failed) => match failed.into_iter().next().flatten() {
                None => Ok(Adjusted::MoreThanAvailable),
                Some(earlier) => {
                    let amount = Credits::from_micros(Reader::of(&key, &earlier)?.number("amount")?);
                    Ok(if amount == adjustment.amount { Adjusted::Before } else { Adjusted::OtherAmount(amount) })
                }
            },
        }
    }

    async fn balance(&self, month: &str) -> Result<Option<Balance>, StoreError> {
        let key = self.month_key(month);
        let item = self.get(self.tables.name_of(Table::Credits), &key).await?;
        item.map(|item| balance_of(&key, &item)).transpose()
    }

    async fn usage(&self, month: &str) -> Result<BTreeMap<String, Usage>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(self.tables.name_of(Table::Credits))
            .consistent_read(true)
            .key_condition_expression("pk = :month")
            .expression_attribute_values(":month", text(&self.day_key(month).partition));
        // A month has at most 31 small items: one page.
        let answer = request.send().await.map_err(|error| super::unavailable("Query", &error))?;
        answer.items.unwrap_or_default().iter().map(|item| usage_of(&self.key_of(item)?, item)).collect()
    }

    async fn taken_of_week(&self, week: &str) -> Result<Credits, StoreError> {
        let key = self.week_key(week);
        let Some(item) = self.get(self.tables.name_of(Table::Credits), &key).await? else { return Ok(Credits::ZERO) };
        Reader::of(&key, &item)?.number("taken").map(Credits::from_micros)
    }

    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Result<bool, StoreError> {
        let name = format!("{CROSSED}{}", threshold.as_str());
        let update = self
            .update(self.tables.name_of(Table::Credits), &self.month_key(month))
            .update_expression("SET #crossed = :at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#crossed)")
            .expression_attribute_names("#crossed", &name)
            .expression_attribute_values(":at", moment(at));
        match super::send_update(update).await? {
            super::Effect::Took(_) => Ok(true),
            // A lost reply to this very mark, which the SDK sent again.
            super::Effect::Refused(month) => Ok(month.get(&name) == Some(&moment(at))),
        }
    }
}

impl DynamoStore {
    /// Transactions on the month's one balance cancel each other, and a hundred runs of one process would give up before all had their
    /// turn (S4-33): so those of one process go one after the other. Other processes collide with it still, and are tried again.
    async fn turn(&self) -> MutexGuard<'_, ()> {
        self.ledger.lock().await
    }

    fn month_key(&self, month: &str) -> Key {
        self.key(&["BAL", month])
    }

    /// All days of a month stand under one partition key, so that one query reads them.
    fn day_key(&self, day: &str) -> Key {
        self.key_with(&["USE", day.get(..7).unwrap_or(day)], day)
    }

    fn week_key(&self, week: &str) -> Key {
        self.key(&["WEEK", week])
    }

    fn reservation_key(&self, id: &ReservationId) -> Key {
        self.key_with(&["RES", id.run.as_str()], &format!("{}#{}", id.operation, id.attempt))
    }

    /// The one partition of the index of open entries.
    fn open_mark(&self) -> String {
        format!("{}#OPEN", self.workspace)
    }

    fn key_of(&self, item: &Item) -> Result<Key, StoreError> {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let key = part(crate::tables::PARTITION_KEY).zip(part(crate::tables::SORT_KEY));
        let (partition, sort) =
            key.ok_or_else(|| StoreError::Corrupt { key: "?".to_owned(), why: "an item without its keys".to_owned() })?;
        Ok(Key { partition, sort })
    }

    /// Reads an entry's name back from its key.
    fn id_of(&self, item: &Item) -> Result<ReservationId, StoreError> {
        let key = self.key_of(item)?;
        let run = key.partition.rsplit('#').next().and_then(|run| RunId::parse(run).ok());
        let attempt = key.sort.rsplit_once('#').and_then(|(operation, attempt)| Some((operation.to_owned(), attempt.parse().ok()?)));
        match (run, attempt) {
            (Some(run), Some((operation, attempt))) => Ok(ReservationId { run, operation, attempt }),
            _ => Err(StoreError::Corrupt { key: key.to_string(), why: "it stands among the open reservations and is none".to_owned() }),
        }
    }

    fn reserving(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (periods, change) = (&reservation.periods, reservation.taken());
        let mut items = vec![
            self.in_credits(&self.month_key(&periods.month), month_within(reservation, bounds))?,
            self.put_reservation(reservation)?,
            self.check_fence(lease)?,
            self.in_credits(&self.day_key(&periods.day), taken_within(count_in_day(reservation, change), bounds.day))?,
        ];
        if let Some(week) = &periods.week {
            items.push(self.in_credits(&self.week_key(week), taken_within(count_in_week(change.taken()), bounds.week))?);
        }
        Ok(items)
    }

    fn put_reservation(&self, reservation: &Reservation) -> Result<TransactWriteItem, StoreError> {
        let key = self.reservation_key(&reservation.id);
        let item = key.item([
            ("state", text(word_of(&reservation.state))),
            ("amount", credits(reservation.amount)),
            (OPEN_ATTRIBUTE, text(&self.open_mark())),
            (OPEN_UNTIL_ATTRIBUTE, moment(reservation.open_until)),
            ("doc", document(&key, reservation)?),
        ]);
        let put = Put::builder()
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        put_in_transaction(self.tables.name_of(Table::Credits), put)
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

    /// An entry leaves its state once; resolved, it is not open any more.
    fn replace_reservation(&self, from: &Reservation, to: &Reservation) -> Result<TransactWriteItem, StoreError> {
        let key = self.reservation_key(&from.id);
        let update = Update::builder()
            .condition_expression("#state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#until", OPEN_UNTIL_ATTRIBUTE)
            .expression_attribute_values(":from", text(word_of(&from.state)))
            .expression_attribute_values(":to", text(word_of(&to.state)))
            .expression_attribute_values(":doc", document(&key, to)?);
        let update = if to.is_open() {
            update
                .update_expression("SET #state = :to, doc = :doc, #until = :until")
                .expression_attribute_values(":until", moment(to.open_until))
        } else {
            update
                .update_expression("SET #state = :to, doc = :doc REMOVE #open, #until")
                .expression_attribute_names("#open", OPEN_ATTRIBUTE)
        };
        self.in_credits(&key, update)
    }

    fn in_credits(&self, key: &Key, update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
        let update = update.table_name(self.tables.name_of(Table::Credits)).set_key(Some(key.attributes())).build();
        Ok(TransactWriteItem::builder().update(update.map_err(|error| not_built(&error))?).build())
    }

    /// Why a transaction was refused; `None` when the month was brought up to date and it is worth another try. An attempt that
    /// was reserved before says so whatever else failed, for it may have been called.
    async fn why_not_reserved(
        &self,
        reservation: &Reservation,
        bounds: &Bounds,
        mut failed: Vec<Option<Item>>,
    ) -> Result<Option<Result<Reserved, StoreError>>, StoreError> {
        let mut of = |place: usize| failed.get_mut(place).and_then(Option::take);
        if let Some(before) = of(RESERVATION) {
            let before = reservation_of(&self.reservation_key(&reservation.id), &before)?;
            return Ok(Some(Ok(Reserved::Before(Box::new(before)))));
        }
        if of(FENCE).is_some() {
            return Ok(Some(Err(StoreError::FenceLost)));
        }
        let Some(month) = of(MONTH) else {
            let scope = if of(DAY).is_some() { CapScope::Day } else { CapScope::Week };
            return Ok(Some(Ok(Reserved::Refused(scope))));
        };
        let key = self.month_key(&reservation.periods.month);
        let balance = if month.is_empty() { None } else { Some(balance_of(&key, &month)?) };
        match (Balance::before_reserve(balance.as_ref(), bounds), balance) {
            (BeforeReserve::Open(allocation), _) => self.open_month(&reservation.periods.month, allocation).await?,
            (BeforeReserve::Reallocate(allocation), Some(balance)) => self.reallocate(&key, &balance, allocation).await?,
            (_, balance) => {
                let balance = balance.unwrap_or_default();
                let scope = bounds.refusal(&reservation.charge, &balance, Credits::ZERO, Credits::ZERO);
                return Ok(scope.map(|scope| Ok(Reserved::Refused(scope))));
            }
        }
        Ok(None)
    }

    /// Begins a month, unless it was begun.
    async fn open_month(&self, month: &str, allocation: Credits) -> Result<(), StoreError> {
        let zero = || credits(Credits::ZERO);
        let item = self.month_key(month).item([
            ("allocation", credits(allocation)),
            ("available", credits(allocation)),
            ("adjusted", zero()),
            ("reserved", zero()),
            ("used", zero()),
        ]);
        let put = self.put(self.tables.name_of(Table::Credits), item).condition_expression("attribute_not_exists(pk)");
        super::send_put(put).await.map(drop)
    }

    /// Changes an allocation that stands as it was read; a lower one only by what is available.
    async fn reallocate(&self, key: &Key, balance: &Balance, allocation: Credits) -> Result<(), StoreError> {
        let more = allocation.minus(balance.allocation);
        let mut condition = "allocation = :from".to_owned();
        let mut update = self
            .update(self.tables.name_of(Table::Credits), key)
            .update_expression("SET allocation = :to ADD available :more")
            .expression_attribute_values(":to", credits(allocation))
            .expression_attribute_values(":more", credits(more))
            .expression_attribute_values(":from", credits(balance.allocation));
        if more.micros().is_negative() {
            condition.push_str(" AND available >= :less");
            update = update.expression_attribute_values(":less", credits(Credits::ZERO.minus(more)));
        }
        let update = update.condition_expression(condition);
        super::send_update(update).await.map(drop)
    }
}

/// The month's counters after the reservation, if every limit that stands in its item allows it.
fn month_within(reservation: &Reservation, bounds: &Bounds) -> UpdateBuilder {
    let mut condition = "allocation = :allocation AND available >= :least".to_owned();
    let mut update = count_in_month(reservation, reservation.taken())
        .expression_attribute_values(":allocation", credits(bounds.allocation))
        .expression_attribute_values(":least", credits(bounds.available))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    for (name, value, most) in [("#provider", ":most_provider", bounds.provider), ("#rule", ":most_rule", bounds.rule)] {
        let Some(most) = most else { continue };
        condition.push_str(&format!(" AND {}", at_most(name, value, most)));
        update = update.expression_attribute_values(value, credits(most));
    }
    update.condition_expression(condition)
}

fn taken_within(update: UpdateBuilder, most: Option<Credits>) -> UpdateBuilder {
    let Some(most) = most else { return update };
    update.condition_expression(at_most("taken", ":most", most)).expression_attribute_values(":most", credits(most))
}

/// A counter without an item counts as zero, which no expression can compare: then only a bound below zero refuses.
fn at_most(counter: &str, value: &str, most: Credits) -> String {
    if most < Credits::ZERO {
        format!("{counter} <= {value}")
    } else {
        format!("(attribute_not_exists({counter}) OR {counter} <= {value})")
    }
}

fn count_in_week(taken: Credits) -> UpdateBuilder {
    Update::builder()
        .update_expression("SET v = :v ADD taken :taken")
        .expression_attribute_values(":v", form())
        .expression_attribute_values(":taken", credits(taken))
}

fn reservation_of(key: &Key, item: &Item) -> Result<Reservation, StoreError> {
    let reader = Reader::of(key, item)?;
    let reservation: Reservation = reader.document()?;
    if reader.text("state")? != word_of(&reservation.state) {
        return Err(reader.corrupt("attribute `state` and the document's state differ"));
    }
    Ok(reservation)
}

const fn word_of(state: &ReservationState) -> &'static str {
    match state {
        ReservationState::Calling => CALLING,
        ReservationState::Pending => PENDING,
        ReservationState::Settled { .. } => SETTLED,
        ReservationState::OutcomeUnknown => UNKNOWN,
        ReservationState::Refunded { .. } => REFUNDED,
    }
}
