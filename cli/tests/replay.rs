//! `millrace replay` and `explain --what-if` as an operator types them, over the protocol of `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use domain::config::{Config, Sources};
use domain::decide::{Evidence, decide, join_observations, observations_of};
use domain::identity::Email;
use domain::merge::merge;
use domain::observation::{Basis, Observation};
use domain::priority::Priority;
use domain::record::RecordId;
use domain::run::Run;
use domain::schema::Field;
use domain::signup::{RunId, Signup};
use domain::units::{BasisPoints, Millis, Timestamp};
use domain::value::Value as FieldValue;
use pipeline::ports::{Claim, ClaimRequest, Runs as _, Settings as _};
use platform::{DEFAULT_WORKSPACE, DynamoStore, SystemClock, Table};
use serde_json::Value;
use stand_in::AwsEndpoint;
use tempfile::TempDir;
use tokio::process::Command;

const AT: Timestamp = Timestamp::from_millis(1_795_176_000_000);

struct Stack {
    endpoint: AwsEndpoint,
    store: DynamoStore,
    config: Config,
    /// A folder without a folder `config`.
    nowhere: TempDir,
}

impl Stack {
    async fn empty() -> Self {
        let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 1, Vec::<(String, String)>::new()).await.unwrap();
        let store = endpoint.connect().store(endpoint.tables(), DEFAULT_WORKSPACE);
        let sources = platform::config_folder(Path::new(&config_folder())).unwrap();
        let config = connectors::configure_for_use(&sources).unwrap().0;
        Self { endpoint, store, config, nowhere: tempfile::tempdir().unwrap() }
    }

    /// A run of somebody whose company only the record knew, decided by the repository's own configuration.
    fn decided(&self, letter: char, delivery: &str) -> Run {
        let email = Some(Email::parse("jane@acme.io").unwrap());
        let signup = Signup { issuer: "signup".into(), delivery: delivery.into(), email, occurred_at: AT, ..Signup::default() };
        let id = RunId::parse(&letter.to_string().repeat(43)).unwrap();
        let mut run = Run::begin(id, signup, Priority::High, AT, &self.config.hash);
        run.observations = observations_of(&run.signup, &self.config);
        let known = [observed("company.headcount", FieldValue::number(1200)), observed("company.funding_stage", FieldValue::text("seed"))];
        let window = self.config.deadlines.identity_window;
        let said = join_observations(&known, &run.observations, window);
        let now = AT.after(Millis(700));
        run.facts = merge(&said, &self.config.schema, &self.config.trust, now);
        let evidence = Evidence { facts: &run.facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: AT };
        let mut decision = decide(&self.config, &evidence, 1, now);
        decision.owner = self.config.owners(decision.route.track).first().cloned();
        run.record = Some(RecordId("r".into()));
        run.decide_for_good(decision, &said, window);
        run
    }

    async fn store(&self, run: &Run) {
        let request = ClaimRequest {
            run: run.clone(),
            payload_hash: "p".into(),
            nonce: "n".into(),
            now: AT,
            lease_until: AT.after(Millis::hours(1)),
        };
        let Claim::Mine(lease, _) = self.store.claim_run(&request).await.unwrap() else { panic!("somebody else has it") };
        self.store.decide_run(&lease, run).await.unwrap();
    }

    /// A stack whose configuration is no folder's, but published.
    async fn published() -> Self {
        let mut stack = Self::empty().await;
        let files = platform::config_folder(Path::new(&config_folder())).unwrap();
        let sources = Sources::new(files.iter().map(|(path, text)| (path.to_owned(), format!("{text}\n# published\n"))));
        stack.store.publish_version(&sources, AT).await.unwrap();
        stack.config = connectors::configure_for_use(&sources).unwrap().0;
        stack
    }

    /// `millrace` in an environment of its own.
    async fn millrace(&self, arguments: &[&str]) -> Output {
        self.millrace_anywhere(&[arguments, &["--config", &config_folder()]].concat()).await
    }

    /// The same where there is no folder `config`.
    async fn millrace_anywhere(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.unwrap()
    }

    /// As `millrace`, where nobody said where published versions are.
    async fn millrace_without_settings(&self, arguments: &[&str]) -> Output {
        self.command(&[arguments, &["--config", &config_folder()]].concat()).env_remove("SETTINGS_TABLE").output().await.unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.args(arguments).current_dir(self.nowhere.path()).env_clear().kill_on_drop(true);
        command.env("LEADS_TABLE", self.endpoint.tables().name_of(Table::Leads));
        command.env("SETTINGS_TABLE", self.endpoint.tables().name_of(Table::Settings));
        command.envs([("AWS_ENDPOINT_URL", self.endpoint.url()), ("AWS_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command
    }
}

fn config_folder() -> String {
    format!("{}/../config", env!("CARGO_MANIFEST_DIR"))
}

fn observed(path: &'static str, value: FieldValue) -> Observation {
    Observation {
        field: Field::known(path),
        value,
        source: "crustdata.company".into(),
        family: "crustdata".into(),
        observed_at: AT.before(Millis::days(3)),
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}

/// What it printed on standard output and on standard error.
fn printed(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[tokio::test]
async fn a_run_replays_without_a_difference() {
    let stack = Stack::empty().await;
    let run = stack.decided('a', "d1");
    stack.store(&run).await;
    let output = stack.millrace(&["replay", run.id.as_str()]).await;
    let hash = &stack.config.hash;
    assert_eq!(printed(&output), (format!("replayed 1, differences 0 (decisions 1, configuration {hash})\n"), String::new()));
    assert!(output.status.success());
}

#[tokio::test]
async fn all_runs_replay_and_every_difference_is_named() {
    let stack = Stack::empty().await;
    stack.store(&stack.decided('a', "d1")).await;
    let mut changed = stack.decided('b', "d2");
    changed.decisions[0].score.low += 1;
    stack.store(&changed).await;
    stack.store(&Run { config: "0123456789abcdef".into(), ..stack.decided('c', "d3") }).await;
    let output = stack.millrace(&["replay", "--all"]).await;
    let (text, error) = printed(&output);
    assert_eq!((output.status.code(), error.as_str()), (Some(1), "what is logged is not what is decided from it\n"));
    assert!(text.contains("$.decisions[0].score.low") && text.contains(changed.id.as_str()), "{text}");
    assert!(text.contains("1 not replayed: decided under configuration 0123456789abcdef"), "{text}");
    assert!(text.contains("replayed 2, differences 1"), "{text}");
    let (json, _) = printed(&stack.millrace(&["replay", "--all", "--json"]).await);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["replayed"], &json["differences"][0]["path"]), (&2.into(), &"$.decisions[0].score.low".into()));
}

#[tokio::test]
async fn a_file_of_logs_replays_as_the_table_does() {
    let stack = Stack::empty().await;
    let (one, two) = (stack.decided('a', "d1"), stack.decided('b', "d2"));
    let text = format!("{}\n{}", serde_json::to_string_pretty(&one).unwrap(), serde_json::to_string(&two).unwrap());
    let file = std::env::temp_dir().join(format!("millrace-replay-{}.json", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let output = stack.millrace(&["replay", "--all", "--from", file.to_str().unwrap()]).await;
    std::fs::write(&file, "{\"id\": \"canary\"").unwrap();
    let broken = stack.millrace(&["replay", "--all", "--from", file.to_str().unwrap()]).await;
    std::fs::remove_file(&file).unwrap();
    assert!(printed(&output).0.starts_with("replayed 2, differences 0"), "{:?}", printed(&output));
    assert!(printed(&broken).1.starts_with("run 1 in "), "{:?}", printed(&broken));
    assert!(!printed(&broken).1.contains("canary"));
}

#[tokio::test]
async fn a_run_of_another_configuration_says_which_one_it_takes() {
    let stack = Stack::empty().await;
    let run = Run { config: "0123456789abcdef".into(), ..stack.decided('a', "d1") };
    stack.store(&run).await;
    let output = stack.millrace(&["replay", run.id.as_str()]).await;
    assert_eq!(output.status.code(), Some(1));
    let (folder, given) = (config_folder(), &stack.config.hash);
    let why = format!(
        "run {} cannot be replayed: it was decided under configuration 0123456789abcdef; {folder} is {given}, and no such version was \
         published there. If it came with the functions, give --config with the folder as it was then",
        run.id
    );
    assert!(printed(&output).1.starts_with(&why), "{:?}", printed(&output));
    let unsaid = stack.millrace_without_settings(&["replay", run.id.as_str()]).await;
    assert!(printed(&unsaid).1.contains("give --table and --settings"), "{:?}", printed(&unsaid));
}

#[tokio::test]
async fn what_if_shows_both_decisions_and_writes_nothing() {
    let stack = Stack::empty().await;
    let run = stack.decided('a', "d1");
    stack.store(&run).await;
    let output = stack.millrace(&["explain", run.id.as_str(), "--what-if", "company.headcount=84000"]).await;
    let (text, error) = printed(&output);
    assert!(output.status.success(), "{error}");
    insta::assert_snapshot!(text.replace(&stack.config.hash, "[hash]"));
    let (json, _) = printed(&stack.millrace(&["explain", run.id.as_str(), "--what-if", "company.headcount=84000", "--json"]).await);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["what_if"]["company.headcount"], &json["after"]["route"]["track"]), (&84_000.into(), &"sales_assist".into()));
    assert_eq!(json["before"]["route"], serde_json::to_value(&run.decisions[0].route).unwrap());
    let wrong = stack.millrace(&["explain", run.id.as_str(), "--what-if", "company.headcout=1"]).await;
    assert_eq!(printed(&wrong).1, "`company.headcout` is not a field; did you mean `company.headcount`?\n");
    assert_eq!(stack.store.read_run(&run.id).await.unwrap().unwrap().run, run);
}

#[tokio::test]
async fn a_run_is_replayed_and_explained_by_the_published_version_that_it_is_pinned_to() {
    let stack = Stack::published().await;
    let run = stack.decided('a', "d1");
    stack.store(&run).await;
    let (id, hash) = (run.id.as_str(), &stack.config.hash);
    let replayed = format!("replayed 1, differences 0 (decisions 1, configuration {hash})\n");
    for arguments in [&["replay", id][..], &["replay", "--all"]] {
        assert_eq!(printed(&stack.millrace_anywhere(arguments).await), (replayed.clone(), String::new()), "without a folder");
        let (text, noted) = printed(&stack.millrace(arguments).await);
        assert_eq!(text, replayed, "with another one");
        let unused = format!("{} is configuration {} and was not used: ", config_folder(), Stack::empty().await.config.hash);
        assert!(noted.starts_with(&unused) && noted.lines().count() == 1, "{noted}");
    }
    let (explained, _) = printed(&stack.millrace(&["explain", id]).await);
    assert!(explained.contains("it would go to"), "only the configuration that decided can say so: {explained}");
    let what_if = ["explain", id, "--what-if", "company.headcount=84000", "--json"];
    let (by_its_version, error) = printed(&stack.millrace_anywhere(&what_if).await);
    let by_its_version: Value = serde_json::from_str(&by_its_version).unwrap_or_else(|_| panic!("{error}"));
    assert_eq!((&by_its_version["config"], &by_its_version["pinned"]), (&hash.as_str().into(), &hash.as_str().into()));
    let (by_the_folder, _) = printed(&stack.millrace(&what_if).await);
    let by_the_folder: Value = serde_json::from_str(&by_the_folder).unwrap();
    assert_ne!(by_the_folder["config"], by_the_folder["pinned"], "whoever names a folder asks what it would decide");
}

#[tokio::test]
async fn runs_of_several_versions_are_replayed_each_by_its_own() {
    let published = Stack::published().await;
    published.store(&published.decided('a', "d1")).await;
    let of_folder = Stack::empty().await.config;
    let stack = Stack { config: of_folder, ..published };
    stack.store(&stack.decided('b', "d2")).await;
    let (json, error) = printed(&stack.millrace(&["replay", "--all", "--json"]).await);
    let json: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{error}"));
    assert_eq!((&json["replayed"], json["configs"].as_array().unwrap().len()), (&2.into(), 2));
    assert_eq!(json["differences"], serde_json::json!([]));
}

#[tokio::test]
async fn a_file_of_logs_is_replayed_by_published_versions_where_the_stack_is_named() {
    let stack = Stack::published().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.json");
    std::fs::write(&file, serde_json::to_string(&stack.decided('a', "d1")).unwrap()).unwrap();
    let replay = ["replay", "--all", "--from", file.to_str().unwrap()];
    assert!(printed(&stack.millrace_anywhere(&replay).await).0.starts_with("replayed 1, differences 0"));
    let unsaid = stack.millrace_without_settings(&replay).await;
    let (text, why) = printed(&unsaid);
    assert!(text.contains(&format!("1 not replayed: decided under configuration {}", stack.config.hash)), "{text}");
    assert!(text.contains("give --table and --settings") && why.contains("nothing was replayed"), "{text} {why}");
}

#[tokio::test]
async fn a_published_version_that_this_program_cannot_use_is_told_from_one_that_was_never_published() {
    let stack = Stack::empty().await;
    let files = platform::config_folder(Path::new(&config_folder())).unwrap();
    let old = Sources::new(files.iter().map(|(path, text)| (path.to_owned(), format!("{text}\npresett: signup\n"))));
    stack.store.publish_version(&old, AT).await.unwrap();
    let run = Run { config: old.hash(), ..stack.decided('a', "d1") };
    stack.store(&run).await;
    for arguments in [&["replay", run.id.as_str()][..], &["replay", "--all"]] {
        let (text, why) = printed(&stack.millrace(arguments).await);
        let told = format!("{text}{why}");
        assert!(told.contains(&format!("version {} cannot be used by this `millrace`", old.hash())), "{told}");
        assert!(told.contains("presett") && !told.contains("no such version was published"), "{told}");
    }
}
