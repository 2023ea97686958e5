use domain::units::Timestamp;

/// The time. The domain takes it as an argument; only the shell asks.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Randomness, for names that must be unlike any other.
pub trait Entropy: Send + Sync {
    /// A fresh random name of 22 URL-safe characters (128 bits).
    fn name(&self) -> String;
}
