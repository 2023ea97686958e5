//! The counters of months and days: how they are added to, and read back.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Update;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use domain::credits::{Balance, Change, Reservation, Threshold, Usage};
use domain::units::{Credits, Timestamp};
use pipeline::ports::StoreError;

use super::item::{Item, Key, Reader, credits, form, number};

/// How the attribute of a threshold begins that somebody was told of: `crossed:half`.
pub(super) const CROSSED: &str = "crossed:";

/// Counts a step in its month: what is available, reserved and used, and what provider and rule have taken.
pub(super) fn count_in_month(reservation: &Reservation, change: Change) -> UpdateBuilder {
    Update::builder()
        .update_expression("ADD available :given, reserved :reserved, used :used, #provider :taken, #rule :taken")
        .expression_attribute_names("#provider", reservation.charge.provider_part())
        .expression_attribute_names("#rule", reservation.charge.rule_part())
        .expression_attribute_values(":given", credits(Credits::ZERO.minus(change.taken())))
        .expression_attribute_values(":reserved", credits(change.reserved))
        .expression_attribute_values(":used", credits(change.used))
        .expression_attribute_values(":taken", credits(change.taken()))
}

/// Counts a step in its day: what is taken, and once it is used, that in all and in four ways (I7).
pub(super) fn count_in_day(reservation: &Reservation, change: Change) -> UpdateBuilder {
    let mut adds = vec!["taken :taken".to_owned()];
    let mut update =
        Update::builder().expression_attribute_values(":v", form()).expression_attribute_values(":taken", credits(change.taken()));
    if change.calls != 0 {
        adds.push("calls :calls".to_owned());
        update = update.expression_attribute_values(":calls", number(change.calls));
    }
    if change.unknown != Credits::ZERO {
        adds.push("#unknown :unknown".to_owned());
        update = update.expression_attribute_names("#unknown", "unknown").expression_attribute_values(":unknown", credits(change.unknown));
    }
    if change.used != Credits::ZERO {
        adds.push("used :used".to_owned());
        update = update.expression_attribute_values(":used", credits(change.used));
        for (index, part) in reservation.charge.parts().into_iter().enumerate() {
            adds.push(format!("#part{index} :used"));
            update = update.expression_attribute_names(format!("#part{index}"), part);
        }
    }
    update.update_expression(format!("SET v = :v ADD {}", adds.join(", ")))
}

/// Reads a month's balance.
pub(super) fn balance_of(key: &Key, item: &Item) -> Result<Balance, StoreError> {
    let reader = Reader::of(key, item)?;
    let amount = |name: &str| reader.number(name).map(Credits::from_micros);
    let mut balance = Balance {
        allocation: amount("allocation")?,
        adjusted: amount("adjusted")?,
        available: amount("available")?,
        reserved: amount("reserved")?,
        used: amount("used")?,
        ..Balance::default()
    };
    for name in item.keys().filter(|name| name.contains(':')) {
        match name.strip_prefix(CROSSED) {
            None => drop(balance.taken.insert(name.clone(), amount(name)?)),
            Some(word) => {
                let threshold = Threshold::ALL.into_iter().find(|threshold| threshold.as_str() == word);
                let threshold = threshold.ok_or_else(|| reader.corrupt("it names a threshold that there is not"))?;
                balance.crossed.insert(threshold, reader.number(name).map(Timestamp::from_millis)?);
            }
        }
    }
    Ok(balance)
}

/// Reads a day and what was used on it.
pub(super) fn usage_of(key: &Key, item: &Item) -> Result<(String, Usage), StoreError> {
    let reader = Reader::of(key, item)?;
    let amount = |name: &str| if reader.has(name) { reader.number(name).map(Credits::from_micros) } else { Ok(Credits::ZERO) };
    let parts = item.keys().filter(|name| name.contains(':'));
    let by = parts.map(|name| Ok((name.clone(), amount(name)?))).collect::<Result<BTreeMap<_, _>, StoreError>>()?;
    let calls = if reader.has("calls") { reader.number("calls")? } else { 0 };
    Ok((key.sort.clone(), Usage { taken: amount("taken")?, used: amount("used")?, unknown: amount("unknown")?, calls, by }))
}
