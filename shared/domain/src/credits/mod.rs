//! Money, exact: prices, caps, reservations, the month's balance and what was used.
//!
//! Everything here decides and adds up; a store only compares and adds in one transaction.

mod balance;
mod cap;
mod charge;
mod month;
mod price;
mod report;
mod reservation;
mod threshold;
mod usage;

pub use balance::{Adjustment, Balance, BeforeReserve};
pub use cap::{Bounds, CapScope, Limits, Periods, bounds};
pub use charge::{Charge, Trigger};
pub use month::Month;
pub use price::{Price, Tariff};
pub use report::{CapUse, Pace, Report, permille};
pub use reservation::{Change, Reservation, ReservationId, ReservationState, Settlement};
pub use threshold::{Threshold, crossed};
pub use usage::Usage;
