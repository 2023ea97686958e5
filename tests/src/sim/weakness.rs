/// A safeguard that is switched off on purpose, around the product and never in it: whoever looks must find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// The store takes every lease for the newest.
    NoFence,
    /// The caps are compared first and the credits counted later, not in one transaction.
    CountersApart,
    /// A reservation that was resolved may be resolved again.
    SettleTwice,
    /// A call that timed out is taken to have cost nothing.
    RefundOnTimeout,
    /// The reservation is written after the call.
    NoMark,
    /// A reservation that stands already is not seen, and taken for a fresh one.
    CallAgain,
    /// A message is deleted before its copy is sent.
    DeleteBeforeCopy,
    /// What was written last is believed after a write that ended without a word.
    DigestBelieved,
    /// The webhook says 2xx before the message is in the queue.
    AcceptBeforeSend,
}
