//! Writes the list of disposable domains as one sorted text. As the library's own array it would be 56,000 pointers, which the
//! loader has to relocate in every new process and every signup would walk through.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, io};

#[expect(clippy::disallowed_methods, reason = "cargo says where to write; nothing of a deployment is read")]
fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let domains: BTreeSet<&str> = mailchecker::blacklist().into_iter().collect();
    let lines: Vec<&str> = domains.into_iter().collect();
    fs::write(Path::new(&folder).join("disposable-domains.txt"), lines.join("\n"))
}
