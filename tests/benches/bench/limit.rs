//! Values with their units, and what they are held against.

/// What a value is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    pub(crate) fn words(self, unit: Unit) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {}", unit.words(most)),
            Self::AtLeast(least) => format!("≥ {}", unit.words(least)),
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
    Times,
}

impl Unit {
    pub(crate) fn words(self, value: f64) -> String {
        let plain = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
        match self {
            Self::Milliseconds => format!("{plain} ms"),
            Self::Megabytes => format!("{plain} MB"),
            Self::Dollars => format!("${value:.2}"),
            Self::Times => format!("{plain}×"),
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::Dollars => "USD",
            Self::Times => "times",
        }
    }
}
