//! `millrace usage` as an operator types it, over the protocol of `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use domain::credits::{
    Balance, Charge, Limits, Periods, Reservation, ReservationId, ReservationState, Settlement, Threshold, Trigger, bounds,
};
use domain::priority::Priority;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::{RunId, Signup};
use domain::units::{Credits, Millis, Timestamp};
use pipeline::ports::{Claim, ClaimRequest, Clock as _, Lease, Ledger as _, Runs as _};
use platform::{DEFAULT_WORKSPACE, DynamoStore, SystemClock, Table};
use serde_json::{Value, json};
use stand_in::AwsEndpoint;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A month that is over and begins with 15 credits, so that nothing depends on the day on which the tests run.
const MONTH: &str = "2024-02";
const RUN: &str = "-un5omebodyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct Stack {
    endpoint: AwsEndpoint,
    store: DynamoStore,
    lease: Lease,
}

impl Stack {
    async fn empty() -> Self {
        let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 1, Vec::<(String, String)>::new()).await.unwrap();
        let store = endpoint.connect().store(endpoint.tables(), DEFAULT_WORKSPACE);
        let lease = take(&store).await;
        Self { endpoint, store, lease }
    }

    /// A settled call of 1.5, one of 2 whose outcome is unknown, one of 1 that is open.
    async fn with_calls() -> Self {
        let stack = Self::empty().await;
        let settled = call("crustdata.company", Entity::Account, 2_000_000, "2024-02-05");
        stack.resolve(&settled, Settlement::Used(Credits::from_micros(1_500_000))).await;
        let unknown = call("crustdata.person", Entity::Contact, 2_000_000, "2024-02-06");
        stack.resolve(&unknown, Settlement::Unknown).await;
        stack.reserve(&call("acme.open", Entity::Lead, 1_000_000, "2024-02-06")).await;
        let at = Timestamp::parse("2024-02-06T10:00:00Z").unwrap();
        stack.store.mark_crossed(MONTH, Threshold::Half, at).await.unwrap();
        stack
    }

    async fn reserve(&self, reservation: &Reservation) {
        let limits = Limits { allocation: Credits::whole(15), ..Limits::default() };
        let bounds = bounds(&limits, reservation.amount, &reservation.charge, Priority::High);
        let reserved = self.store.reserve(&self.lease, reservation, &bounds).await.unwrap();
        assert_eq!(reserved, pipeline::ports::Reserved::Reserved);
    }

    async fn resolve(&self, reservation: &Reservation, settlement: Settlement) {
        self.reserve(reservation).await;
        assert!(self.store.move_on(reservation, &reservation.settled(settlement).unwrap()).await.unwrap());
    }

    async fn balance(&self) -> Balance {
        self.store.balance(MONTH).await.unwrap().unwrap()
    }

    /// `millrace usage` in an environment of its own, with the outputs on standard input.
    async fn usage(&self, arguments: &[&str]) -> Output {
        self.usage_into(Stdio::piped(), arguments).await
    }

    async fn usage_into(&self, stdout: Stdio, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.arg("usage").args(arguments).env_clear().env("MILLRACE_OUTPUTS", "-").kill_on_drop(true);
        command.envs([("AWS_ENDPOINT_URL", self.endpoint.url()), ("AWS_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        let mut child = command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let outputs = json!([{ "OutputKey": "CreditsTable", "OutputValue": self.endpoint.tables().name_of(Table::Credits) }]);
        // Whoever does not read it has ended by then.
        let _ = stdin.write_all(outputs.to_string().as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap()
    }

    /// Why it failed; whatever changes something says before where, and that the environment chose that place.
    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.usage(arguments).await;
        assert!(!output.status.success(), "{}", said(&output));
        let noted = String::from_utf8(output.stderr).unwrap();
        noted.strip_prefix(&self.place()).unwrap_or_else(|| panic!("{arguments:?}: {noted}")).to_owned()
    }

    fn place(&self) -> String {
        format!("place: the deployed stack, table {} (from MILLRACE_OUTPUTS: -)\n", self.endpoint.tables().name_of(Table::Credits))
    }
}

async fn take(store: &DynamoStore) -> Lease {
    let now = SystemClock.now();
    let signup = Signup { issuer: "signup".into(), delivery: "d".into(), ..Signup::default() };
    let run = Run::begin(RunId::parse(RUN).unwrap(), signup, Priority::High, now, "0123456789abcdef");
    let request = ClaimRequest { run, payload_hash: "p".into(), nonce: "n".into(), now, lease_until: now.after(Millis::hours(1)) };
    match store.claim_run(&request).await.unwrap() {
        Claim::Mine(lease, _) => lease,
        other => panic!("expected the run, got {other:?}"),
    }
}

fn call(operation: &str, entity: Entity, amount: i64, day: &str) -> Reservation {
    let provider = operation.split_once('.').unwrap().0.to_owned();
    Reservation {
        id: ReservationId { run: RunId::parse(RUN).unwrap(), operation: operation.into(), attempt: 1 },
        amount: Credits::from_micros(amount),
        charge: Charge { provider, entity, trigger: Trigger::Auto, rule: "demo_request".into() },
        periods: Periods { month: day[..7].into(), week: None, day: day.into() },
        answer: "h".into(),
        open_until: Timestamp::parse("2024-02-06T10:00:30Z").unwrap(),
        state: ReservationState::Calling,
    }
}

fn config_folder() -> String {
    format!("{}/../config", env!("CARGO_MANIFEST_DIR"))
}

fn limits() -> Limits {
    let sources = platform::config_folder(Path::new(&config_folder())).unwrap();
    connectors::configure_for_use(&sources).unwrap().0.limits
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it printed, when it ended well.
fn text_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    said(output)
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&text_of(output)).unwrap()
}

#[tokio::test]
async fn s0_67_to_s0_73_a_month_that_is_over_is_shown() {
    let stack = Stack::with_calls().await;
    insta::assert_snapshot!(text_of(&stack.usage(&["--month", MONTH]).await));
    let mut shown = json_of(&stack.usage(&["--month", MONTH, "--json"]).await);
    shown["at"] = "[now]".into();
    insta::assert_snapshot!(format!("{shown:#}"));
}

#[tokio::test]
async fn whoever_stops_reading_is_no_failure() {
    let stack = Stack::with_calls().await;
    let place = stack.place();
    let adjust = ["adjust", "5", "--because", "x", "--month", MONTH];
    for (arguments, noted) in [(&["--month", MONTH][..], ""), (&["--month", MONTH, "--json"], ""), (&adjust, &place)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = stack.usage_into(writer.into(), arguments).await;
        assert_eq!((ended.status.success(), String::from_utf8_lossy(&ended.stderr).as_ref()), (true, noted), "{arguments:?}");
    }
    assert_eq!(stack.balance().await.adjusted, Credits::whole(5), "what was to be done is done");
}

#[tokio::test]
async fn a_month_is_read_by_two_requests_and_no_scan() {
    let stack = Stack::with_calls().await;
    let before = stack.endpoint.requests().len();
    text_of(&stack.usage(&["--month", MONTH]).await);
    let requests: Vec<String> = stack.endpoint.requests().into_iter().skip(before).map(|(operation, _)| operation).collect();
    assert_eq!(requests, ["GetItem", "Query"]);
}

#[tokio::test]
async fn a_month_that_nobody_used_is_no_failure() {
    let stack = Stack::empty().await;
    assert_eq!(text_of(&stack.usage(&["--month", "2024-03"]).await), "nobody has used a credit in 2024-03\n");
    let shown = json_of(&stack.usage(&["--month", "2024-03", "--json"]).await);
    assert_eq!((&shown["balance"], &shown["days"], &shown["pace"]), (&Value::Null, &json!([]), &Value::Null));
}

#[tokio::test]
async fn x_10_this_months_caps_are_shown_with_what_is_taken() {
    let (stack, limits, now) = (Stack::empty().await, limits(), SystemClock.now());
    let mut open = call("crustdata.company", Entity::Account, 1_000_000, &now.day());
    open.periods = Periods::of(now, &limits);
    stack.reserve(&open).await;
    let shown = json_of(&stack.usage(&["--config", &config_folder(), "--json"]).await);
    if shown["at"].as_str().unwrap()[..10] != now.day() {
        return; // it is past midnight, and yesterday's call is no longer of today
    }
    let caps = shown["caps"].as_array().unwrap();
    for (scope, cap) in [("day", limits.day), ("week", limits.week), ("provider", limits.provider.get("crustdata").copied())] {
        let row = caps.iter().find(|row| row["scope"] == scope).unwrap();
        assert_eq!((row["cap"].as_i64(), row["taken"].as_i64()), (cap.map(Credits::micros), Some(1_000_000)), "{scope}");
    }
    assert_eq!(shown["balance"]["reserved"], 1_000_000);
}

#[tokio::test]
async fn an_adjustment_counts_with_its_reason_and_says_the_new_balance() {
    let stack = Stack::with_calls().await;
    let more = text_of(&stack.usage(&["adjust", "+500", "--because", "a second plan", "--month", MONTH]).await);
    assert_eq!(more, "2024-02 was adjusted by +500 credits: 510.5 left of 515, 3.5 used, 1 reserved\n");
    let less = json_of(&stack.usage(&["adjust", "-20.5", "--because", "sent back", "--month", MONTH, "--json"]).await);
    assert_eq!(
        (&less["amount"], &less["counted"], &less["balance"]["remaining"]),
        (&json!(-20_500_000), &json!(true), &json!(490_000_000))
    );
    assert_eq!((stack.balance().await.adjusted, stack.balance().await.adds_up()), (Credits::from_micros(479_500_000), true));
    let kept = stack.endpoint.items(Table::Credits).unwrap().into_iter().filter(|item| item["pk"].to_string().contains("ADJ"));
    assert!(kept.map(|item| item["doc"].to_string()).any(|doc| doc.contains("a second plan")));
}

#[tokio::test]
async fn an_adjustment_under_the_same_id_counts_once() {
    let stack = Stack::with_calls().await;
    let arguments = ["adjust", "5", "--because", "goodwill", "--month", MONTH, "--id=-a1"];
    text_of(&stack.usage(&arguments).await);
    let again = text_of(&stack.usage(&arguments).await);
    assert!(again.starts_with("the adjustment -a1 of 2024-02 counted before, nothing changed: 15.5 left of 20"), "{again}");
    let other = stack.refused(&["adjust", "6", "--because", "goodwill", "--month", MONTH, "--id=-a1"]).await;
    assert!(other.starts_with("the adjustment -a1 of 2024-02 was +5 and not +6; nothing changed"), "{other}");
    assert_eq!(stack.balance().await.adjusted, Credits::whole(5));
}

#[tokio::test]
async fn no_more_is_taken_away_than_is_left() {
    let stack = Stack::with_calls().await;
    let why = stack.refused(&["adjust", "-10.500001", "--because", "less", "--month", MONTH]).await;
    assert!(why.contains("10.500001 credits cannot be taken away from 2024-02, for only 10.5 are left"), "{why}");
    assert_eq!(stack.balance().await.adjusted, Credits::ZERO);
    text_of(&stack.usage(&["adjust", "-10.5", "--because", "less", "--month", MONTH]).await);
}

#[tokio::test]
async fn a_month_that_nobody_used_is_opened_with_the_configured_allocation() {
    let stack = Stack::empty().await;
    let config = config_folder();
    for month in [MONTH, "9990-01"] {
        let why = stack.refused(&["adjust", "1", "--because", "x", "--month", month, "--config", &config]).await;
        assert!(why.contains(&format!("nobody has used {month}")) && why.contains("--open"), "{why}");
    }
    let nowhere = stack.refused(&["adjust", "1", "--because", "x", "--open", "--month", MONTH, "--config", "no-such-folder"]).await;
    assert!(nowhere.contains("--config") && nowhere.contains("no-such-folder"), "{nowhere}");
    assert_eq!(stack.store.balance(MONTH).await.unwrap(), None);
    let opened = text_of(&stack.usage(&["adjust", "1", "--because", "x", "--open", "--month", MONTH, "--config", &config]).await);
    assert!(opened.starts_with(&format!("opened 2024-02 with {} from {config}\n2024-02 was adjusted", limits().allocation)), "{opened}");
    assert_eq!((stack.balance().await.allocation, stack.balance().await.adjusted), (limits().allocation, Credits::whole(1)));
}

#[tokio::test]
async fn when_an_adjustment_was_not_answered_the_way_to_repeat_it_is_said() {
    let stack = Stack::with_calls().await;
    stack.endpoint.fail_requests_with("a reason like no other");
    let why = stack.refused(&["adjust", "5", "--because", "a reason like no other", "--month", MONTH]).await;
    let id = why.split_once("--id=").unwrap().1.split(',').next().unwrap().to_owned();
    stack.endpoint.recover();
    for left in ["15.5 left of 20", "nothing changed: 15.5 left of 20"] {
        let id = format!("--id={id}");
        let again = text_of(&stack.usage(&["adjust", "5", "--because", "a reason like no other", "--month", MONTH, &id]).await);
        assert!(again.contains(left), "{again}");
    }
}

#[tokio::test]
async fn a_refund_gives_back_what_was_not_billed_once() {
    let stack = Stack::with_calls().await;
    let refunded = text_of(&stack.usage(&["refund", RUN, "crustdata.person", "1"]).await);
    assert_eq!(refunded, "2 credits were given back to 2024-02: 12.5 left of 15, 1.5 used, 1 reserved\n");
    let days = stack.store.usage(MONTH).await.unwrap();
    assert_eq!((days["2024-02-06"].used, days["2024-02-06"].unknown), (Credits::ZERO, Credits::ZERO));
    assert!(days.values().all(domain::credits::Usage::adds_up) && stack.balance().await.adds_up());
    let why = stack.refused(&["refund", RUN, "crustdata.person", "1"]).await;
    assert!(why.contains("refunded before, down to 0 credits"), "{why}");
}

#[tokio::test]
async fn a_settled_call_is_refunded_down_to_what_was_billed() {
    let stack = Stack::with_calls().await;
    let refunded = json_of(&stack.usage(&["refund", "--billed", "0.5", "--json", RUN, "crustdata.company", "1"]).await);
    assert_eq!((&refunded["given_back"], &refunded["balance"]["used"]), (&json!(1_000_000), &json!(2_500_000)));
}

#[tokio::test]
async fn what_cannot_be_refunded_says_why_and_nothing_changes() {
    let stack = Stack::with_calls().await;
    let before = stack.balance().await;
    for (arguments, why) in [
        (["refund", RUN, "crustdata.phone", "1", "--billed=0"], "the ledger has no entry"),
        (["refund", RUN, "crustdata.company", "2", "--billed=0"], "the ledger has no entry"),
        (["refund", RUN, "acme.open", "1", "--billed=0"], "still open"),
        (["refund", RUN, "crustdata.company", "1", "--billed=1.5"], "only 1.5 credits were counted"),
        (["refund", RUN, "crustdata.person", "1", "--billed=7"], "only 2 credits were counted"),
    ] {
        let said = stack.refused(&arguments).await;
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(stack.balance().await, before);
}

#[tokio::test]
async fn what_is_no_month_no_amount_and_no_reason_is_refused() {
    let stack = Stack::empty().await;
    for arguments in [
        &["--month", "2024-13"][..],
        &["adjust", "5"],
        &["adjust", "0", "--because", "x"],
        &["adjust", "much", "--because", "x"],
        &["adjust", "5", "--because", " "],
        &["adjust", "5", "--because", "x", "--id", ""],
        &["refund", RUN, "crustdata.person", "0"],
        &["refund", RUN, "crustdata.person", "1", "--billed=-1"],
        &["refund", "somebody", "crustdata.person", "1"],
    ] {
        assert_eq!(stack.usage(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_place_named_by_a_flag_counts_for_more_than_one_named_by_the_environment() {
    let stack = Stack::empty().await;
    let nobody = stack.usage(&["--local", "http://127.0.0.1:9"]).await;
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("are its tables at http://127.0.0.1:9"), "the outputs were not meant");
    let two = stack.usage(&["--local", "http://127.0.0.1:9", "--outputs", "-"]).await;
    assert!(String::from_utf8(two.stderr).unwrap().contains("name two places"));
}
