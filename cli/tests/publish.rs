//! `millrace config publish` and what follows it, as an operator types it, over the protocol of `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::process::{Output, Stdio};
use std::sync::Arc;

use pipeline::ports::Settings as _;
use platform::{DEFAULT_WORKSPACE, DynamoStore, SystemClock, Table, bundled_config};
use serde_json::{Value, json};
use stand_in::AwsEndpoint;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A stack where nothing was ever published.
struct Stack {
    endpoint: AwsEndpoint,
    settings: DynamoStore,
}

impl Stack {
    async fn empty() -> Self {
        let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 1, Vec::<(String, String)>::new()).await.unwrap();
        let settings = endpoint.connect().store(endpoint.tables(), DEFAULT_WORKSPACE);
        Self { endpoint, settings }
    }

    /// `millrace config` in an environment of its own, with the outputs of a stack on standard input.
    async fn config(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.arg("config").args(arguments).args(["--outputs", "-"]).env_clear().kill_on_drop(true);
        command.envs([("AWS_ENDPOINT_URL", self.endpoint.url()), ("AWS_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let outputs = json!([{ "OutputKey": "SettingsTable", "OutputValue": self.endpoint.tables().name_of(Table::Settings) }]);
        let mut stdin = child.stdin.take().unwrap();
        // Whoever does not read it has ended by then.
        let _ = stdin.write_all(outputs.to_string().as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap()
    }

    /// What it said, when it ended well.
    async fn said(&self, arguments: &[&str]) -> String {
        let output = self.config(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why it failed.
    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.config(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn in_force(&self) -> Option<String> {
        self.settings.active().await.unwrap().map(|active| active.hash)
    }
}

/// The repository's configuration in a folder of its own, with something at the end of its main file.
fn folder(end: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in bundled_config().iter() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, if path == "millrace.yaml" { format!("{text}{end}") } else { text.to_owned() }).unwrap();
    }
    folder
}

fn hash_of(folder: &TempDir) -> String {
    platform::config_folder(folder.path()).unwrap().hash()
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().unwrap()
}

#[tokio::test]
async fn what_is_published_is_in_force_and_every_file_that_changes_is_named() {
    let stack = Stack::empty().await;
    let (one, two) = (folder("# one\n"), folder("# two\n"));
    let first = stack.said(&["publish", path(&one)]).await;
    assert!(
        first.starts_with(&format!("version {} is published", hash_of(&one))) && first.contains("nothing was in force before"),
        "{first}"
    );
    assert_eq!(stack.in_force().await, Some(hash_of(&one)));
    std::fs::remove_file(two.path().join("presets/plg.yaml")).unwrap();
    std::fs::copy(two.path().join("presets/signup.yaml"), two.path().join("presets/ours.yaml")).unwrap();
    let second = stack.said(&["publish", "--config", path(&two)]).await;
    let changes = "  changed  millrace.yaml\n  added    presets/ours.yaml\n  removed  presets/plg.yaml\n";
    assert!(second.contains(&format!("against version {}", hash_of(&one))) && second.contains(changes), "{second}");
    assert_eq!(stack.in_force().await, Some(hash_of(&two)));
    assert_eq!(stack.settings.version(&hash_of(&two)).await.unwrap(), Some(platform::config_folder(two.path()).unwrap()));
}

#[tokio::test]
async fn what_does_not_check_is_not_published() {
    let stack = Stack::empty().await;
    let mistaken = folder("presett: signup\n");
    let why = stack.refused(&["publish", path(&mistaken)]).await;
    assert!(why.contains("presett") && why.contains("1 mistake found, so nothing was published"), "{why}");
    let never = folder(
        "\nroute:\n  rules:\n    - {when: company.headcount > 5 && company.headcount < 3, to: review, because: x}\n  otherwise: self_serve\n  undecided: self_serve\n",
    );
    let why = stack.refused(&["publish", path(&never)]).await;
    assert!(why.contains("never holds"), "the lint as well: {why}");
    assert_eq!(stack.settings.versions().await.unwrap(), []);
}

#[tokio::test]
async fn the_same_files_again_change_nothing() {
    let stack = Stack::empty().await;
    let one = folder("# one\n");
    stack.said(&["publish", path(&one)]).await;
    let before = stack.settings.active().await.unwrap();
    let again = stack.said(&["publish", path(&one)]).await;
    assert!(again.contains("was published before") && again.contains("in force already"), "{again}");
    assert_eq!(stack.settings.active().await.unwrap(), before);
    assert_eq!(stack.settings.versions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_version_may_be_stored_and_put_in_force_later_by_the_beginning_of_its_hash() {
    let stack = Stack::empty().await;
    let one = folder("# one\n");
    let stored = stack.said(&["publish", path(&one), "--no-activate"]).await;
    assert!(stored.contains(&format!("millrace config activate {}", hash_of(&one))), "{stored}");
    assert_eq!(stack.in_force().await, None);
    stack.said(&["activate", &hash_of(&one)[..6]]).await;
    assert_eq!(stack.in_force().await, Some(hash_of(&one)));
    assert!(stack.said(&["activate", &hash_of(&one)]).await.contains("in force already"));
    let unknown = stack.refused(&["activate", "zz"]).await;
    assert!(unknown.contains("there is no version zz") && unknown.contains("millrace config versions"), "{unknown}");
}

#[tokio::test]
async fn one_command_leads_back_and_the_same_one_there_again() {
    let stack = Stack::empty().await;
    assert!(stack.refused(&["rollback"]).await.contains("nothing to go back to"));
    let (one, two) = (folder("# one\n"), folder("# two\n"));
    stack.said(&["publish", path(&one)]).await;
    assert!(stack.refused(&["rollback"]).await.contains("the first that was ever in force"));
    stack.said(&["publish", path(&two)]).await;
    let back = stack.said(&["rollback"]).await;
    assert!(back.contains(&format!("version {} is in force instead of {}", hash_of(&one), hash_of(&two))), "{back}");
    assert_eq!(stack.in_force().await, Some(hash_of(&one)));
    stack.said(&["rollback"]).await;
    assert_eq!(stack.in_force().await, Some(hash_of(&two)));
}

#[tokio::test]
async fn the_list_says_which_version_is_in_force() {
    let stack = Stack::empty().await;
    assert!(stack.said(&["versions"]).await.contains("no version is in force"));
    let (one, two, three) = (folder("# one\n"), folder("# two\n"), folder("# three\n"));
    stack.said(&["publish", path(&one)]).await;
    stack.said(&["publish", path(&two)]).await;
    stack.said(&["publish", path(&three), "--no-activate"]).await;
    let listed: Value = serde_json::from_str(&stack.said(&["versions", "--json"]).await).unwrap();
    let row = |version: &Value| json!([version["hash"], version["active"], version["activated_at"].is_string()]);
    let rows: Vec<Value> = listed.as_array().unwrap().iter().map(row).collect();
    let expected = [(&three, false, false), (&two, true, true), (&one, false, true)];
    assert_eq!(rows, expected.map(|(folder, active, was)| json!([hash_of(folder), active, was])));
    let table = stack.said(&["versions"]).await;
    let line = |folder: &TempDir| table.lines().find(|line| line.contains(&hash_of(folder))).unwrap().to_owned();
    assert_eq!([&one, &two, &three].map(|folder| line(folder).contains("in force now")), [false, true, false], "{table}");
}

#[tokio::test]
async fn the_files_of_a_version_are_shown_as_they_were_published() {
    let stack = Stack::empty().await;
    assert!(stack.refused(&["show", "active"]).await.contains("no version is in force"));
    let one = folder("# one\n");
    stack.said(&["publish", path(&one)]).await;
    let main = std::fs::read_to_string(one.path().join("millrace.yaml")).unwrap();
    assert_eq!(stack.said(&["show", "active", "millrace.yaml"]).await, main);
    let all = stack.said(&["show", &hash_of(&one)[..8]]).await;
    assert!(all.contains(main.trim_end()) && all.contains("# ---- presets/signup.yaml of version"), "{all}");
    assert!(stack.refused(&["show", "active", "nothing.yaml"]).await.contains("it has connectors/"));
}
