//! `millrace config check` and what other commands say of a folder with mistakes, as an operator types it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::path::Path;
use std::process::{Command, Output};

/// A copy of the repository's configuration in another folder, with one text of the main file replaced.
fn folder(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../config"), folder.path());
    let main = folder.path().join("millrace.yaml");
    let text = std::fs::read_to_string(&main).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&main, text.replacen(from, to, 1)).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

fn millrace(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millrace")).args(arguments).env_clear().output().unwrap()
}

#[test]
fn a_folder_is_checked_by_its_place_and_by_the_option_that_other_commands_have() {
    let folder = folder("day: 500", "day: 500");
    let path = folder.path().to_str().unwrap();
    let [by_place, by_option] = [millrace(&["config", "check", path]), millrace(&["config", "check", "--config", path])];
    assert!(by_place.status.success() && by_option.status.success());
    assert_eq!(by_place.stdout, by_option.stdout);
    assert_eq!(millrace(&["config", "check", path, "--config", path]).status.code(), Some(2), "which of the two is not clear");
}

#[test]
fn a_mistake_is_named_in_the_folder_that_was_named() {
    let folder = folder("allocation: 10000", "alocation: 10000");
    let path = folder.path().to_str().unwrap();
    let main = std::fs::read_to_string(folder.path().join("millrace.yaml")).unwrap();
    let line = main.lines().position(|line| line.contains("alocation")).unwrap() + 1;
    let said = format!("millrace.yaml:{line}: there is no key `alocation` here; did you mean `allocation`? (at column 3)");
    let checked = String::from_utf8(millrace(&["config", "check", path]).stdout).unwrap();
    assert_eq!(checked, format!("{path}/{said}\n"));
    for command in [vec!["usage"], vec!["explain", &"A".repeat(43)]] {
        let refused = millrace(&[&command[..], &["--config", path, "--local", "http://127.0.0.1:9"]].concat());
        let why = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && why.contains(&format!("{path}/{said}")), "{command:?}: {why}");
    }
}

#[test]
fn whoever_stops_reading_is_no_failure_and_the_exit_code_stays_the_commands_own() {
    let [sound, mistaken] = [folder("day: 500", "day: 500"), folder("day: 500", "day: 1")];
    for (folder, is_sound) in [(&sound, true), (&mistaken, false)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        let ended = command.args(["config", "check"]).arg(folder.path()).stdout(writer).output().unwrap();
        assert_eq!(ended.status.code(), Some(i32::from(!is_sound)));
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"));
    }
}
