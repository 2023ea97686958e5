//! Values with their units, and what they are held against.

/// What a value is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// A count that may only change on purpose.
    Exactly(f64),
}

impl Limit {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Exactly(count) => (value - count).abs() < f64::EPSILON,
        }
    }

    pub(crate) fn words(self, unit: Unit) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {}", unit.words(most)),
            Self::AtLeast(least) => format!("≥ {}", unit.words(least)),
            Self::Exactly(count) => format!("= {}", unit.words(count)),
        }
    }
}

/// What a value counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Milliseconds,
    /// Millions of bytes.
    Megabytes,
    Dollars,
    /// Less than a cent matters.
    SmallDollars,
    Times,
    /// Of what the row says.
    Count,
}

impl Unit {
    pub(crate) fn words(self, value: f64) -> String {
        let plain = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
        match self {
            Self::Milliseconds => format!("{plain} ms"),
            Self::Megabytes => format!("{plain} MB"),
            Self::Dollars => format!("${value:.2}"),
            Self::SmallDollars => format!("${value:.4}"),
            Self::Times => format!("{plain}×"),
            Self::Count => plain,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::Dollars | Self::SmallDollars => "USD",
            Self::Times => "times",
            Self::Count => "count",
        }
    }
}
