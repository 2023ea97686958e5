//! Where `cargo deployed` builds, for whoever measures what it deployed.

/// The folder, from the repository's root: `template.yaml`, and each function's `bootstrap` in a folder named as the function
/// in the template. It is not the one that `sam deploy` ships.
pub const BUILT: &str = ".millrace/deployed";
