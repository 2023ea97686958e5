//! Connector files to connectors; every mistake is collected, with its file and line.

use std::collections::{BTreeMap, BTreeSet};

use domain::config::{Finding, Sources};
use domain::identity::KeyKind;
use domain::plan::{Catalogue, Operation};
use domain::schema::Schema;
use domain::units::Millis;
use serde_saphyr::Spanned;

use crate::builtin;
use crate::check::Checker;
use crate::connector::{Builtin, Connector, Speech};
use crate::document::Document;
use crate::example::{self, Example};
use crate::literal;

const FOLDER: &str = "connectors/";
/// A call that may take longer outlives every run.
const TIMEOUT_MAX: Millis = Millis::seconds(30);

/// All connectors by the name of their operation.
#[derive(Debug, Default)]
pub struct Connectors(BTreeMap<String, Connector>);

impl Connectors {
    /// The connector of an operation, such as `crustdata.company`.
    #[must_use]
    pub fn get(&self, operation: &str) -> Option<&Connector> {
        self.0.get(operation)
    }

    /// All of them, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Connector> {
        self.0.values()
    }

    /// The names of the secrets that they are called with, each once, in order.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        self.0.values().filter_map(Connector::secret).collect()
    }

    #[cfg(test)]
    pub(crate) fn take(mut self, operation: &str) -> Option<Connector> {
        self.0.remove(operation)
    }

    /// What the plan may ask.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        self.0.iter().map(|(name, connector)| (name.clone(), connector.operation.clone())).collect()
    }

    /// Reads every recorded example as a real answer is read, and says how many there are.
    ///
    /// # Errors
    /// The examples from which something else came out than they expect, with file and line; field names only. Paths to the
    /// vendor's confidence that lead nowhere in all of them.
    pub fn check_examples(&self) -> Result<usize, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut count = 0;
        for connector in self.0.values() {
            for example in &connector.examples {
                count += 1;
                if let Err(message) = example.check(connector) {
                    findings.push(Finding::new(&file_of(&connector.operation.name), example.line, message));
                }
            }
            if let Some((line, message)) = example::check_confidence(connector) {
                findings.push(Finding::new(&file_of(&connector.operation.name), line, message));
            }
        }
        if findings.is_empty() { Ok(count) } else { Err(findings) }
    }
}

/// Reads all files below `connectors/`.
///
/// # Errors
/// Every mistake that was found, in order of file and line, each with what to write instead.
pub fn load(sources: &Sources, schema: &Schema) -> Result<Connectors, Vec<Finding>> {
    load_all(sources, |file, text| {
        let document = read(file, text)?;
        let secrets = literal::secrets_in(file, &document);
        compile(file, document, schema, secrets)
    })
}

/// As [`load`], but what stands under `examples` is not even parsed, and nobody looks for secrets: what is published goes on working.
pub(crate) fn load_without_examples(sources: &Sources, schema: &Schema) -> Result<Connectors, Vec<Finding>> {
    load_all(sources, |file, text| compile(file, read(file, &without_examples(text))?, schema, Vec::new()))
}

fn load_all<F>(sources: &Sources, load: F) -> Result<Connectors, Vec<Finding>>
where
    F: Fn(&str, &str) -> Result<Connector, Vec<Finding>>,
{
    let mut connectors = BTreeMap::new();
    let mut findings = Vec::new();
    for (file, text) in sources.below(FOLDER).filter(|(file, _)| file.ends_with(".yaml")) {
        match load(file, text) {
            Ok(connector) => {
                connectors.insert(connector.operation.name.clone(), connector);
            }
            Err(found) => findings.extend(found),
        }
    }
    findings.sort();
    if findings.is_empty() { Ok(Connectors(connectors)) } else { Err(findings) }
}

/// Empties the lines of the section `examples`, so that all others keep their numbers.
fn without_examples(text: &str) -> String {
    let mut is_example = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        // What stands at the very left begins a section, quoted names too; the rest belongs to the one before it.
        if line.starts_with(|first: char| !matches!(first, ' ' | '\t' | '-' | '#')) {
            is_example = line.starts_with("examples:");
        }
        lines.push(if is_example { "" } else { line });
    }
    lines.join("\n")
}

fn file_of(operation: &str) -> String {
    format!("{FOLDER}{operation}.yaml")
}

fn read(file: &str, text: &str) -> Result<Document, Vec<Finding>> {
    serde_saphyr::from_str(text).map_err(|error| vec![Finding::of_form(file, &error)])
}

/// Compiles a file of which this was found already.
fn compile(file: &str, document: Document, schema: &Schema, found: Vec<Finding>) -> Result<Connector, Vec<Finding>> {
    let mut checker = Checker::new(file, schema);
    checker.findings = found;
    let connector = connector(&mut checker, file, document);
    match connector {
        Some(connector) if checker.findings.is_empty() => Ok(connector),
        _ => Err(checker.findings),
    }
}

fn connector(checker: &mut Checker<'_>, file: &str, document: Document) -> Option<Connector> {
    let name = match &document.operation {
        Some(operation) => format!("{}.{operation}", document.provider.value),
        None => document.provider.value.clone(),
    };
    if file_of(&name) != file {
        checker.find(&document.provider, format!("provider and operation name this connector `{name}`; call the file {}", file_of(&name)));
    }
    let timeout = document.timeout.value;
    if timeout <= Millis(0) || timeout > TIMEOUT_MAX {
        checker.find(&document.timeout, format!("a timeout of {timeout} is of no use; write more than 0ms and at most {TIMEOUT_MAX}"));
    }
    let mut operation = Operation {
        name,
        provider: document.provider.value.clone(),
        family: document.family.clone(),
        keys: Vec::new(),
        supplies: Vec::new(),
        inferred: Vec::new(),
        price: document.price,
        class: document.class,
        timeout,
        batch: None,
    };
    checker.rate_limit(document.rate_limit.as_ref());
    let (about, rate_limit) = (document.about.clone(), document.rate_limit.as_ref().map(|limit| limit.value.clone()));
    let (speech, examples) = speech(checker, document)?;
    (operation.keys, operation.supplies) = match &speech {
        Speech::Builtin(builtin) => (builtin::keys(*builtin), builtin::supplies(*builtin)),
        Speech::Http(http) => {
            let keys: Vec<KeyKind> = http.request.keys.iter().map(|(kind, _)| *kind).collect();
            operation.inferred = http.inferred().cloned().collect();
            operation.batch = http.batch.as_ref().map(|batch| batch.terms.clone());
            (keys, http.fields.iter().map(|(field, _)| field.clone()).collect())
        }
    };
    Some(Connector { operation, about, rate_limit, speech, examples })
}

fn speech(checker: &mut Checker<'_>, mut document: Document) -> Option<(Speech, Vec<Example>)> {
    let sections = std::mem::take(&mut document.examples);
    let builtin = document.builtin.take();
    let examples = sections.into_iter().filter_map(|section| checker.example(section)).collect();
    let speech = match builtin {
        Some(builtin) => {
            check_builtin(checker, &builtin, &document);
            Speech::Builtin(builtin.value)
        }
        None => Speech::Http(Box::new(checker.http(document)?)),
    };
    Some((speech, examples))
}

fn check_builtin(checker: &mut Checker<'_>, builtin: &Spanned<Builtin>, document: &Document) {
    let has_more = document.request.is_some()
        || document.auth.is_some()
        || document.reply.is_some()
        || document.batch.is_some()
        || !document.keys.is_empty();
    if has_more {
        checker.find(
            builtin,
            "a builtin operation knows its own request, keys and reply; drop `request`, `auth`, `keys`, `batch` and `reply`".to_owned(),
        );
    }
}
