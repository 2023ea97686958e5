//! `millrace config publish` and what follows it, as an operator types it, over the protocol of `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::process::{Output, Stdio};
use std::sync::Arc;

use pipeline::ports::{Activated, Clock as _, InForce, Settings as _};
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

    /// Takes a version away from the one in force: its files are changed, or nothing stands under the hash that is named.
    fn break_version(&self, hash: &str, is_gone: bool) {
        let items = self.endpoint.items(Table::Settings).unwrap();
        let of = |key: &str| items.iter().find(|item| item["pk"]["S"] == key).unwrap().clone();
        let mut broken = if is_gone { of("default#ACTIVE") } else { of(&format!("default#CFG#{hash}")) };
        let (attribute, value) = if is_gone { ("hash", json!({ "S": "0123456789abcdef" })) } else { ("doc", json!({ "S": "{}" })) };
        broken.insert(attribute.to_owned(), value);
        self.endpoint.overwrite(Table::Settings, &broken).unwrap();
    }

    async fn in_force(&self) -> InForce {
        self.settings.in_force().await.unwrap()
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

fn of(folder: &TempDir) -> InForce {
    InForce::Version(hash_of(folder))
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
        first.starts_with(&format!("version {} is published", hash_of(&one)))
            && first.contains("against what came with the functions, which is in force:\n  which files change cannot be said"),
        "{first}"
    );
    assert_eq!(stack.in_force().await, of(&one));
    std::fs::remove_file(two.path().join("presets/plg.yaml")).unwrap();
    std::fs::copy(two.path().join("presets/signup.yaml"), two.path().join("presets/ours.yaml")).unwrap();
    let second = stack.said(&["publish", "--config", path(&two)]).await;
    let changes = "  changed  millrace.yaml\n  added    presets/ours.yaml\n  removed  presets/plg.yaml\n";
    assert!(second.contains(&format!("against version {}", hash_of(&one))) && second.contains(changes), "{second}");
    assert_eq!(stack.in_force().await, of(&two));
    assert_eq!(stack.settings.version(&hash_of(&two)).await.unwrap(), Some(platform::config_folder(two.path()).unwrap()));
}

#[tokio::test]
async fn whoever_changes_something_is_told_where_before_and_whoever_reads_is_not() {
    let stack = Stack::empty().await;
    let (one, place) =
        (folder("# one\n"), format!("place: the deployed stack, table {}\n", stack.endpoint.tables().name_of(Table::Settings)));
    let noted = async |arguments: &[&str]| String::from_utf8(stack.config(arguments).await.stderr).unwrap();
    assert!(noted(&["rollback"]).await.starts_with(&place), "also where nothing comes of it");
    for arguments in [&["publish", path(&one)][..], &["rollback"], &["activate", &hash_of(&one)]] {
        assert_eq!(noted(arguments).await, place, "{arguments:?}");
    }
    for arguments in [&["versions"][..], &["show", "active"], &["check", "--published"]] {
        assert_eq!(noted(arguments).await, "", "{arguments:?}");
    }
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
    assert_eq!(stack.in_force().await, InForce::Bundled);
    stack.said(&["activate", &hash_of(&one)[..6]]).await;
    assert_eq!(stack.in_force().await, of(&one));
    assert!(stack.said(&["activate", &hash_of(&one)]).await.contains("in force already"));
    let unknown = stack.refused(&["activate", "zz"]).await;
    assert!(unknown.contains("there is no version zz") && unknown.contains("millrace config versions"), "{unknown}");
}

#[tokio::test]
async fn one_command_leads_back_and_says_what_that_changes_and_where_a_second_one_leads() {
    let stack = Stack::empty().await;
    assert!(stack.refused(&["rollback"]).await.contains("nothing to go back to"));
    let (one, two) = (folder("# one\n"), folder("# two\n"));
    std::fs::remove_file(two.path().join("presets/plg.yaml")).unwrap();
    stack.said(&["publish", path(&one)]).await;
    let second = stack.said(&["publish", path(&two)]).await;
    assert!(second.contains(&format!("`millrace config rollback` leads back to version {}", hash_of(&one))), "{second}");
    for (from, to, change) in [(&two, &one, "added  "), (&one, &two, "removed")] {
        let back = stack.said(&["rollback"]).await;
        let (from_hash, to_hash) = (hash_of(from), hash_of(to));
        let changes = format!("from version {from_hash} to version {to_hash}:\n  changed  millrace.yaml\n  {change}  presets/plg.yaml\n");
        assert!(back.starts_with(&changes), "{back}");
        assert!(back.contains(&format!("version {to_hash} is in force instead of version {from_hash}")), "{back}");
        assert!(back.contains(&format!("a second `millrace config rollback` leads to version {from_hash} again")), "{back}");
        assert_eq!(stack.in_force().await, of(to));
    }
}

#[tokio::test]
async fn the_first_publication_can_be_taken_back_to_what_came_with_the_functions() {
    let stack = Stack::empty().await;
    let one = folder("# one\n");
    stack.said(&["publish", path(&one)]).await;
    let back = stack.said(&["rollback"]).await;
    assert!(
        back.starts_with(&format!("from version {} to what came with the functions:\n  which files change cannot be said", hash_of(&one)))
    );
    assert!(back.contains("a deployment changes what decides"), "{back}");
    assert_eq!(stack.in_force().await, InForce::Bundled);
    assert!(stack.refused(&["show", "active"]).await.contains("stands in no table"));
    assert!(stack.said(&["activate", "bundled"]).await.contains("what came with the functions is in force already"));
    stack.said(&["rollback"]).await;
    assert_eq!(stack.in_force().await, of(&one));
    stack.said(&["activate", "bundled"]).await;
    assert_eq!(stack.in_force().await, InForce::Bundled);
    // Whoever publishes from there on is no less guarded.
    stack.said(&["publish", path(&one)]).await;
    assert_eq!(stack.in_force().await, of(&one));
}

#[tokio::test]
async fn the_list_says_which_version_is_in_force() {
    let stack = Stack::empty().await;
    let rows = async || {
        let listed: Value = serde_json::from_str(&stack.said(&["versions", "--json"]).await).unwrap();
        let row = |version: &Value| json!([version["hash"], version["active"], version["activated_at"].is_string()]);
        listed.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(rows().await, [json!(["bundled", true, false])], "nobody ever put it in force");
    let (one, two, three) = (folder("# one\n"), folder("# two\n"), folder("# three\n"));
    stack.said(&["publish", path(&one)]).await;
    stack.said(&["publish", path(&two)]).await;
    stack.said(&["publish", path(&three), "--no-activate"]).await;
    let expected = [(hash_of(&three), false, false), (hash_of(&two), true, true), (hash_of(&one), false, true)];
    let expected = expected.into_iter().chain([("bundled".to_owned(), false, false)]);
    assert_eq!(rows().await, expected.map(|(name, active, was)| json!([name, active, was])).collect::<Vec<_>>());
    let table = stack.said(&["versions"]).await;
    let is_now = |name: &str| table.lines().find(|line| line.contains(name)).unwrap().contains("in force now");
    assert_eq!([&one, &two, &three].map(|folder| is_now(&hash_of(folder))), [false, true, false], "{table}");
    assert!(!is_now("bundled"), "{table}");
    stack.said(&["activate", "bundled"]).await;
    assert_eq!(rows().await[3], json!(["bundled", true, true]));
}

#[tokio::test]
async fn the_files_of_a_version_are_shown_as_they_were_published() {
    let stack = Stack::empty().await;
    assert!(stack.refused(&["show", "active"]).await.contains("stands in no table"));
    let one = folder("# one\n");
    stack.said(&["publish", path(&one)]).await;
    let main = std::fs::read_to_string(one.path().join("millrace.yaml")).unwrap();
    assert_eq!(stack.said(&["show", "active", "millrace.yaml"]).await, main);
    let all = stack.said(&["show", &hash_of(&one)[..8]]).await;
    assert!(all.contains(main.trim_end()) && all.contains("# ---- presets/signup.yaml of version"), "{all}");
    assert!(stack.refused(&["show", "active", "nothing.yaml"]).await.contains("it has connectors/"));
}

#[tokio::test]
async fn what_this_code_cannot_read_of_the_version_in_force_is_told_before_a_deployment() {
    let stack = Stack::empty().await;
    assert!(stack.said(&["check", "--published"]).await.contains("no published version is in force"));
    let one = folder("# one\n");
    stack.said(&["publish", path(&one)]).await;
    assert!(stack.said(&["check", "--published"]).await.starts_with(&format!("version {}, which is in force in", hash_of(&one))));
    // As an earlier program published it.
    let old = folder("presett: signup\n");
    let (sources, main) =
        (platform::config_folder(old.path()).unwrap(), std::fs::read_to_string(old.path().join("millrace.yaml")).unwrap());
    stack.settings.publish_version(&sources, SystemClock.now()).await.unwrap();
    assert_eq!(stack.settings.activate(&of(&old), &of(&one), SystemClock.now()).await.unwrap(), Activated::Done);
    let checked = stack.config(&["check", "--published"]).await;
    let (found, why) = (String::from_utf8(checked.stdout).unwrap(), String::from_utf8(checked.stderr).unwrap());
    assert_eq!(checked.status.code(), Some(1));
    assert!(found.starts_with(&format!("{}/millrace.yaml:{}: there is no key `presett`", hash_of(&old), main.lines().count())), "{found}");
    assert!(why.contains("1 mistake found") && why.contains("functions of this program's code do not start on it"), "{why}");
    let json: Value = serde_json::from_slice(&stack.config(&["check", "--published", "--json"]).await.stdout).unwrap();
    assert_eq!((&json["version"], &json["findings"][0]["file"]), (&hash_of(&old).into(), &"millrace.yaml".into()));
    // The way out of it, in both directions.
    stack.said(&["rollback"]).await;
    let back = stack.config(&["rollback"]).await;
    let warned = String::from_utf8(back.stderr).unwrap();
    assert!(back.status.success() && warned.contains("functions of the same code do not start on it"), "{warned}");
    stack.said(&["publish", path(&folder("# two\n"))]).await;
}

#[tokio::test]
async fn outputs_without_a_word_of_what_is_published_are_not_ignored() {
    let stack = Stack::empty().await;
    let one = folder("# one\n");
    assert!(stack.refused(&["check", path(&one)]).await.contains("go with --published"));
}

#[tokio::test]
async fn a_version_in_force_that_is_gone_or_broken_stops_nobody_from_publishing_another() {
    for is_gone in [true, false] {
        let stack = Stack::empty().await;
        let (one, two) = (folder("# one\n"), folder("# two\n"));
        stack.said(&["publish", path(&one)]).await;
        stack.break_version(&hash_of(&one), is_gone);
        let why = stack.refused(&["check", "--published"]).await;
        assert!(why.contains(if is_gone { "cannot be found" } else { "cannot be read" }), "{why}");
        let told = stack.config(&["versions", "--json"]).await.stderr;
        assert_eq!(String::from_utf8(told).unwrap().contains("is in force and cannot be found"), is_gone);
        let said = stack.said(&["publish", path(&two)]).await;
        assert!(said.contains("which files change cannot be said: version"), "{said}");
        assert_eq!(stack.in_force().await, of(&two));
        let back = stack.refused(&["rollback"]).await;
        assert!(back.contains("so nothing changed"), "functions would not start on it: {back}");
        assert_eq!(stack.in_force().await, of(&two));
    }
}
