//! Builds again when a file of the bundled configuration comes, goes or changes.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../config");
}
