//! What one source said about one field, and why a field is absent.

use serde::{Deserialize, Serialize};

use crate::schema::Field;
use crate::units::{BasisPoints, Timestamp};
use crate::value::Value;

/// How a source came by a value; it caps the confidence (DESIGN §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Derived from something else.
    Inferred,
    /// Said outright.
    #[default]
    Stated,
    /// Tested directly, such as a deliverability check (S0-87).
    Validated,
}

/// One value of one field from one source. A value without a source cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// The field it is about.
    #[serde(rename = "f")]
    pub field: Field,
    /// The value in canonical form.
    #[serde(rename = "v")]
    pub value: Value,
    /// Who said it, such as `crustdata.company`, `signup` or `crm`.
    #[serde(rename = "s")]
    pub source: String,
    /// The family of sources that copy each other; only distinct families corroborate (S0-84).
    #[serde(rename = "y")]
    pub family: String,
    /// When the source last knew it.
    #[serde(rename = "t")]
    pub observed_at: Timestamp,
    /// The source's own confidence.
    #[serde(rename = "c")]
    pub stated: BasisPoints,
    /// How the source came by it.
    #[serde(rename = "b", default)]
    pub basis: Basis,
}

/// Why a field is absent: "no data" is a signal with a reason, never a silent default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Nobody was asked.
    NotAttempted,
    /// Every source that was asked knows nothing.
    NoMatch,
    /// A source failed.
    Error,
    /// The field may not be looked up for this person.
    Suppressed,
    /// This kind of company does not produce the data (S3-75).
    VerticalNoData,
    /// There are values, none good enough.
    LowConfidence,
}
