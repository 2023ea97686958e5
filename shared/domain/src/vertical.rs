//! Kinds of company that do not produce some data: a restaurant has no funding stage, and nobody is to blame (S3-75).

use std::collections::BTreeSet;

use crate::condition::{Condition, Truth, View};
use crate::schema::Field;

/// A kind of company and what it does not produce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertical {
    /// Which companies are meant.
    pub when: Condition,
    /// The fields that they do not produce.
    pub lacks: Vec<Field>,
}

/// The fields that a lead's verticals do not produce. A company whose vertical is not known lacks nothing: that it is new
/// and that it never will have the data are two reasons.
#[must_use]
pub fn lacked<'a>(verticals: &'a [Vertical], view: &View<'_>) -> BTreeSet<&'a Field> {
    let mine = verticals.iter().filter(|vertical| vertical.when.evaluate(view) == Truth::True);
    mine.flat_map(|vertical| &vertical.lacks).collect()
}
