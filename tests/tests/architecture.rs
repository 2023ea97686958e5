//! Who may import whom, and what must be absent (DESIGN §2, STYLE §2). What the compiler cannot keep, this does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The arrows: package, and the workspace packages it may depend on outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("pipeline", &["domain"]),
    ("intake", &["domain"]),
    ("connectors", &["domain", "pipeline", "intake"]),
    ("platform", &["domain", "pipeline", "intake"]),
    ("signup-webhook", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("provider-lookup", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("score-route", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("crm-writeback", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("scheduled-refresh", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("sandbox", &[]),
    ("stand-in", &["domain", "pipeline", "platform"]),
    (
        "local",
        &[
            "domain",
            "pipeline",
            "intake",
            "connectors",
            "platform",
            "signup-webhook",
            "provider-lookup",
            "score-route",
            "crm-writeback",
            "scheduled-refresh",
            "sandbox",
        ],
    ),
    ("millrace", &["domain", "pipeline", "intake", "connectors", "platform"]),
    ("deployed", &["domain", "pipeline", "intake", "platform", "local", "sandbox"]),
    ("decision-core", &["domain", "intake", "connectors"]),
    ("three-calls", &["domain", "pipeline", "connectors", "platform"]),
    ("tests", &["domain", "pipeline", "connectors"]),
];

/// What the pure core may not even reach through somebody else.
const IMPURE: &[&str] =
    &["tokio", "reqwest", "hyper", "mio", "rand", "getrandom", "tracing", "aws-config", "aws-sdk-dynamodb", "lambda_runtime"];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).exec().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn normal_dependencies(package: &Package) -> BTreeSet<String> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let rooms: BTreeSet<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is a new room; write its arrows into ARROWS"));
        for dependency in normal_dependencies(package).intersection(&rooms) {
            assert!(may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_domain_reaches_nothing_impure() {
    // cargo metadata unites the features of all rooms; cargo tree shows what the domain itself is built with.
    let arguments = ["tree", "--offline", "--package", "domain", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let reached: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(reached.contains("serde") && reached.contains("psl"), "cargo tree said: {tree}");
    for impure in IMPURE {
        assert!(!reached.contains(impure), "domain reaches {impure}");
    }
}

#[test]
fn the_domain_asks_neither_clock_nor_environment_nor_network_nor_files() {
    for (path, text) in sources(&root().join("shared/domain/src")) {
        for word in
            ["SystemTime", "Instant::now", "std::env", "std::fs", "std::process", "TcpStream", "thread_rng", "Timestamp::now", "Zoned::now"]
        {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn only_platform_names_the_aws_sdk() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        if name == "platform" {
            continue;
        }
        let sdk = normal_dependencies(package).into_iter().find(|dependency| dependency.starts_with("aws-"));
        assert_eq!(sdk, None, "{name} depends on the SDK");
        for (path, text) in sources(package.manifest_path.parent().unwrap().as_std_path()) {
            if path.ends_with("tests/architecture.rs") {
                continue;
            }
            assert!(!text.contains("aws_sdk_") && !text.contains("aws_config"), "{} names the SDK", path.display());
        }
    }
}

#[test]
fn connectors_and_platform_never_see_each_other() {
    let metadata = metadata();
    let of = |name: &str| normal_dependencies(metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap());
    assert!(!of("connectors").contains("platform"));
    assert!(!of("platform").contains("connectors"));
}

#[test]
fn versions_and_features_stand_only_in_the_root() {
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        let mut is_table = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                is_table = line.ends_with("dependencies]");
                assert!(is_table || !line.contains("dependencies"), "{}: {line} has a table of its own", package.manifest_path);
            } else if is_table && line.contains('=') && !line.starts_with('#') {
                assert!(line.ends_with(".workspace = true"), "{}: {line}", package.manifest_path);
            }
        }
    }
}

#[test]
fn main_wires_in_at_most_30_lines() {
    for entry in fs::read_dir(root().join("functions")).unwrap() {
        let main = entry.unwrap().path().join("src/main.rs");
        let lines = fs::read_to_string(&main).unwrap().lines().count();
        assert!(lines <= 30, "{} has {lines} lines", main.display());
    }
}

#[test]
fn a_function_is_named_as_its_folder_and_depends_on_no_other() {
    let metadata = metadata();
    let functions: Vec<&Package> =
        metadata.workspace_packages().into_iter().filter(|package| package.manifest_path.as_str().contains("/functions/")).collect();
    assert!(functions.len() >= 3);
    for function in &functions {
        let folder = function.manifest_path.parent().unwrap().file_name().unwrap();
        assert_eq!(function.name.as_str(), folder);
        for other in &functions {
            assert!(!normal_dependencies(function).contains(other.name.as_str()));
        }
    }
}
