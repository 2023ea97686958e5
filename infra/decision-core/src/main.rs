//! No function of the product, and never deployed. It decides about one signup again and again, through the product's own parts:
//! verify and parse the webhook, read what three providers answered, merge, gate, score, route, and write the CRM's body. Row b of
//! the benches counts its instructions; `tests/benches/decision_core` has the input, and the same work in Node and Python.

mod input;

use anyhow::{Context as _, bail};
use connectors::{Connector, Connectors, HubSpot, configure_for_use};
use domain::config::Config;
use domain::decide::{Evidence, decide, observations_of};
use domain::identity::LookupKey;
use domain::merge::{Facts, merge};
use domain::observation::Observation;
use domain::reply::Reply;
use domain::route::owner_of_turn;
use domain::signup::Signup;
use domain::units::Timestamp;
use domain::writeback::properties;
use futures::FutureExt as _;
use intake::{Event, accept};

use input::Input;

/// What comes of a signup.
struct Decided {
    facts: Facts,
    /// The CRM's.
    body: String,
}

/// `decision-core <config folder> <input folder> <times>` prints the last CRM body, and each fact with its confidence.
#[expect(clippy::print_stdout, reason = "the bench reads it: Node and Python must say the same")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, folder, times] = arguments.as_slice() else { bail!("write decision-core <config folder> <input folder> <times>") };
    let input = Input::read(config.as_ref(), folder.as_ref())?;
    let (config, connectors) = configure_for_use(&input.sources)?;
    let mut decided = None;
    for _ in 0..times.parse()? {
        decided = Some(decide_once(&input, &config, &connectors)?);
    }
    let Decided { facts, body } = decided.context("decide at least once")?;
    println!("{body}");
    facts.iter().for_each(|(field, fact)| println!("{field} {} {}", fact.confidence.get(), fact.value));
    Ok(())
}

/// All of the work of row b.
fn decide_once(input: &Input, config: &Config, connectors: &Connectors) -> anyhow::Result<Decided> {
    let signup = accepted(input)?;
    let mut observations = observations_of(&signup, config);
    let keys = signup.lookup_keys();
    for (operation, answer) in &input.answers {
        let connector = connectors.get(operation).with_context(|| format!("there is no connector {operation}"))?;
        observations.extend(answered(&keys, connector, answer.clone(), input.now)?);
    }
    let facts = merge(&observations, &config.schema, &config.trust, input.now);
    let evidence = Evidence { facts: &facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: input.now };
    let mut decision = decide(config, &evidence, 1, input.now);
    decision.owner = owner_of_turn(config.owners(decision.route.track), 0).map(str::to_owned);
    let plan = config.crm.as_ref().context("the bench's configuration names no CRM")?;
    let body = HubSpot::body(properties(plan, config, &facts, &decision)).to_string();
    Ok(Decided { facts, body })
}

fn accepted(input: &Input) -> anyhow::Result<Signup> {
    let accepting = accept("signup", input.request.clone(), &input.keys, input.now);
    match accepting.now_or_never().context("the keys are at hand and nothing is waited for")?? {
        Event::Signup(signup) => Ok(signup),
        Event::Ignored { why } => bail!("the signup was ignored: {why}"),
    }
}

/// What a provider says, asked by the best key that it takes.
fn answered(keys: &[LookupKey], connector: &Connector, answer: Vec<u8>, now: Timestamp) -> anyhow::Result<Vec<Observation>> {
    let operation = connector.operation();
    let key = keys.iter().find(|key| operation.keys.contains(&key.kind)).context("no key to ask by")?;
    match connector.read(key, answer, now) {
        Reply::Hit { observations } => Ok(observations),
        other => bail!("{} answered {other:?}", operation.name),
    }
}
