//! A stack: a deployed one by its outputs, or that of `cargo dev`.

use anyhow::{Context as _, Result};
use clap::error::{Error, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use domain::priority::Priority;
use pipeline::ports::QueueName;
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, QueueUrls, SqsQueue, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};
use crate::outputs::Outputs;
use crate::say::note;

/// The environment variable that names the outputs where no flag does.
const OUTPUTS_VARIABLE: &str = "MILLRACE_OUTPUTS";
/// The names of the arguments below.
const OUTPUTS: &str = "outputs";
const LOCAL: &str = "local";

/// Which stack.
#[derive(Debug, Args)]
struct Given {
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. Without it `cargo dev` is meant, whose tables can be reached from outside and whose queues cannot.
    #[arg(id = OUTPUTS, long, env = OUTPUTS_VARIABLE, value_name = "FILE")]
    outputs: Option<String>,
    /// Another address of the local tables.
    #[arg(id = LOCAL, long, default_value = LOCAL_TABLES, value_parser = tables_at)]
    local: String,
}

/// Which stack, and who said so.
#[derive(Debug)]
pub(crate) struct Which {
    given: Given,
    is_named_by_flag: bool,
    is_named_by_environment: bool,
}

impl FromArgMatches for Which {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let is_from = |argument: &str, source| matches.value_source(argument) == Some(source);
        let [by_outputs, by_local] = [OUTPUTS, LOCAL].map(|argument| is_from(argument, ValueSource::CommandLine));
        if by_outputs && by_local {
            return Err(Error::raw(ErrorKind::ArgumentConflict, "`--outputs` and `--local` name two places; write one of them\n"));
        }
        let mut given = Given::from_arg_matches(matches)?;
        // A flag says more than a variable that was set for other commands; one that is empty says nothing.
        given.outputs = given.outputs.filter(|file| !by_local && !file.is_empty());
        let is_named_by_environment = given.outputs.is_some() && is_from(OUTPUTS, ValueSource::EnvVariable);
        Ok(Self { given, is_named_by_flag: by_outputs || by_local, is_named_by_environment })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Which {
    fn augment_args(command: Command) -> Command {
        Given::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Given::augment_args_for_update(command)
    }
}

/// The stack, connected.
pub(crate) struct Stack {
    pub(crate) store: DynamoStore,
    /// Absent where they cannot be reached: those of `cargo dev`.
    pub(crate) queue: Option<SqsQueue>,
    /// Where that is, for people: the same command writes here and there.
    pub(crate) name: String,
    question: String,
}

impl Which {
    /// Whether the command line says where.
    pub(crate) const fn is_named_by_flag(&self) -> bool {
        self.is_named_by_flag
    }

    /// Connects to these tables and queues, which a deployed stack names by its outputs.
    pub(crate) async fn connect(&self, tables: &[Table], queues: &[QueueName]) -> Result<Stack> {
        let Some(file) = &self.given.outputs else { return local(&self.given.local).await };
        let outputs = Outputs::read(file)?;
        let named: Vec<(Table, String)> =
            tables.iter().map(|table| Ok((*table, outputs.get(&output_of(*table))?))).collect::<Result<_>>()?;
        let urls = |kind: &str| -> Result<Vec<(QueueName, String)>> {
            queues.iter().map(|queue| Ok((*queue, outputs.get(&format!("{}{kind}", resource(*queue)))?))).collect()
        };
        let urls = QueueUrls::new(urls(QUEUE_URL)?).with_dead_letters(urls(DLQ_URL)?);
        let aws = Aws::from_environment_in(outputs.region()).await?;
        let physical: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
        Ok(Stack {
            name: format!("the deployed stack, table {}", physical.join(", table ")),
            queue: Some(aws.queue(urls)),
            store: aws.store(TableNames::new(named), DEFAULT_WORKSPACE),
            question: format!("are the outputs in {file} those of this account's stack?"),
        })
    }

    /// The same for a command that changes something. It says where before it does, and who chose that place: a variable that was
    /// set for another command is easily forgotten.
    pub(crate) async fn connect_to_change(&self, tables: &[Table], queues: &[QueueName]) -> Result<Stack> {
        let stack = self.connect(tables, queues).await?;
        let file = self.given.outputs.as_deref().filter(|_| self.is_named_by_environment);
        let chosen_by = file.map_or_else(String::new, |file| format!(" (from {OUTPUTS_VARIABLE}: {file})"));
        note(format_args!("place: {}{chosen_by}", stack.name));
        Ok(stack)
    }
}

async fn local(address: &str) -> Result<Stack> {
    let store = Aws::local(address).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE);
    Ok(Stack { store, queue: None, name: format!("`cargo dev` at {address}"), question: is_it_up(address) })
}

impl Stack {
    /// The answer, or what to look at when there is none.
    pub(crate) fn asked<T, E: std::error::Error + Send + Sync + 'static>(&self, answer: Result<T, E>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }
}

const QUEUE_URL: &str = "QueueUrl";
const DLQ_URL: &str = "DlqUrl";

/// The output that names a table.
fn output_of(table: Table) -> String {
    let suffix = table.suffix();
    let (first, rest) = suffix.split_at(1);
    format!("{}{rest}Table", first.to_uppercase())
}

/// How the names of a queue's outputs begin.
const fn resource(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Lookup(Priority::Critical) => "LookupCritical",
        QueueName::Lookup(Priority::High) => "LookupHigh",
        QueueName::Lookup(Priority::Normal) => "LookupNormal",
        QueueName::Lookup(Priority::Low) => "LookupLow",
        QueueName::Score => "Score",
        QueueName::Writeback => "Writeback",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        which: Which,
    }

    #[test]
    fn every_output_that_is_asked_for_is_in_the_template() {
        let template = include_str!("../../template.yaml");
        let outputs = template.split_once("\nOutputs:").unwrap().1;
        let of_queues = QueueName::ALL.into_iter().flat_map(|queue| [QUEUE_URL, DLQ_URL].map(|kind| format!("{}{kind}", resource(queue))));
        for name in of_queues.chain(Table::ALL.map(output_of)) {
            assert!(outputs.contains(&format!("\n  {name}:\n")), "{name}");
        }
    }

    #[test]
    fn a_stack_is_named_by_its_outputs_or_is_cargo_dev_and_never_both() {
        let which = |arguments: &[&str]| Program::try_parse_from([&["millrace"], arguments].concat()).map(|program| program.which);
        let named = which(&["--outputs", "file"]).unwrap();
        assert_eq!((named.given.outputs.as_deref(), named.is_named_by_flag()), (Some("file"), true));
        let local = which(&[]).unwrap();
        assert_eq!((local.given.outputs.as_deref(), local.given.local.as_str(), local.is_named_by_flag()), (None, LOCAL_TABLES, false));
        assert!(which(&["--local", "http://127.0.0.1:9001"]).unwrap().is_named_by_flag());
        assert!(which(&["--outputs", "file", "--local", "http://127.0.0.1:9001"]).is_err());
    }
}
