//! Safeguards taken away, one at a time: what each was for must then turn red.

/// A safeguard that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Breakage {
    /// The fence is not looked at: every lease passes for the newest.
    NoFencing,
    /// A reservation takes the credits in one step and is written down in another.
    ReservationApart,
    /// The reservation is written down after the call.
    NoMarkBeforeCall,
    /// A call that did not answer in time is taken as free.
    RefundOnTimeout,
    /// The sender hears 2xx before the message is in the queue.
    TwoStoresAtAccept,
    /// The message is deleted before its copy is in the queue.
    DeleteBeforeCopy,
}
