//! The same thing measured again and again.

/// A measurement whose 90th percentile is further above its median than this says nothing: the machine was busy.
const SPREAD_MAX: f64 = 1.25;

/// Repeated measurements of one thing, in its unit.
#[derive(Clone, Debug)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Takes measurements; `None` when there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self(values))
    }

    /// Half of the measurements are below.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        let upper = self.0[middle];
        if self.0.len() % 2 == 1 { upper } else { f64::midpoint(self.0[middle - 1], upper) }
    }

    /// The smallest measurement that nine in ten do not exceed.
    pub(crate) fn p90(&self) -> f64 {
        let rank = (self.0.len() * 9).div_ceil(10);
        self.0[rank - 1]
    }

    /// Whether the median means something.
    pub(crate) fn is_steady(&self) -> bool {
        self.p90() <= SPREAD_MAX * self.median()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
