//! What `DynamoDB` bills for a request, from the items before and after it. Sizes are those of the developer guide: names and
//! values together, in UTF-8; a number has a byte for two digits and one more.

use platform::{OPEN_ATTRIBUTE, OPEN_UNTIL_ATTRIBUTE, PARTITION_KEY, SORT_KEY};
use serde_json::{Map, Value};

pub(crate) type Item = Map<String, Value>;

const KIB: usize = 1024;
/// A transaction is prepared and then carried out.
pub(crate) const TRANSACTION: u64 = 2;

/// Bytes of an item.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else { return 0 };
    match kind.as_str() {
        "N" => size_of_number(value.as_str().unwrap_or_default()),
        "S" => value.as_str().map_or(0, str::len),
        "B" => value.as_str().map_or(0, size_of_base64),
        "BOOL" | "NULL" => 1,
        "L" => 3 + value.as_array().map_or(0, |list| list.iter().map(|value| 1 + size_of_value(value)).sum()),
        "M" => 3 + value.as_object().map_or(0, |map| map.iter().map(|(name, value)| 1 + name.len() + size_of_value(value)).sum()),
        // Nothing of ours has sets; whoever adds them finds the row broken, not wrong.
        _ => usize::MAX / KIB,
    }
}

/// The bytes that a text on the wire stands for.
fn size_of_base64(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

/// Zeros before and after the digits are not stored.
fn size_of_number(digits: &str) -> usize {
    let significant = digits.trim_start_matches('-').replace('.', "");
    let significant = significant.trim_matches('0').len();
    1 + significant.div_ceil(2) + usize::from(digits.starts_with('-'))
}

/// A write is billed by the larger of the two images, and never less than one.
pub(crate) fn write_units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let larger = before.map_or(0, size).max(after.map_or(0, size));
    larger.div_ceil(KIB).max(1) as u64
}

/// A consistent read, of nothing as well.
pub(crate) fn read_units(bytes: usize) -> f64 {
    let units = bytes.div_ceil(4 * KIB).max(1);
    f64::from(u32::try_from(units).unwrap_or(u32::MAX))
}

/// What the index of open reservations costs with a write: an entry that comes or goes is a write, one that moves is two. The index
/// follows later, so that a transaction costs no more there.
pub(crate) fn index_units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    match (before.and_then(entry_of), after.and_then(entry_of)) {
        (None, None) => 0,
        (Some(before), Some(after)) if before == after => 0,
        (Some(_), Some(_)) => 2,
        _ => 1,
    }
}

/// An item's entry in the index, which only open reservations have: keys only, far below a kilobyte.
fn entry_of(item: &Item) -> Option<[&Value; 4]> {
    let part = |name: &str| item.get(name);
    Some([part(OPEN_ATTRIBUTE)?, part(OPEN_UNTIL_ATTRIBUTE)?, part(PARTITION_KEY)?, part(SORT_KEY)?])
}
