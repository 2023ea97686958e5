//! The outputs of a deployed stack: they say where its tables and queues are.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What `sam list stack-outputs --output json` prints.
pub(crate) struct Outputs {
    file: String,
    values: BTreeMap<String, String>,
}

impl Outputs {
    /// Reads a file, or standard input where it is `-`.
    pub(crate) fn read(file: &str) -> Result<Self> {
        let values = parse(&text_of(file)?).with_context(|| format!("{file} is not the list of a stack's outputs"))?;
        Ok(Self { file: file.to_owned(), values })
    }

    pub(crate) fn get(&self, key: &str) -> Result<String> {
        self.values.get(key).cloned().with_context(|| format!("{} has no output {key}", self.file))
    }

    /// The region in a queue's address: the stack is nowhere else.
    pub(crate) fn region(&self) -> Option<&str> {
        self.values.values().find_map(|value| region_of(value))
    }
}

fn text_of(file: &str) -> Result<String> {
    let read = if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(Path::new(file)) };
    read.with_context(|| format!("{file} cannot be read"))
}

/// Reads `[{"OutputKey": …, "OutputValue": …}, …]`, as SAM and AWS's command line print it.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let Value::Array(outputs) = serde_json::from_str(text)? else { bail!("it is no JSON list") };
    let pair = |output: &Value| Some((output.get("OutputKey")?.as_str()?.to_owned(), output.get("OutputValue")?.as_str()?.to_owned()));
    Ok(outputs.iter().filter_map(pair).collect())
}

/// The region in `https://sqs.eu-west-1.amazonaws.com/…`.
fn region_of(url: &str) -> Option<&str> {
    url.strip_prefix("https://sqs.")?.split_once('.').map(|(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_as_sam_prints_them() {
        let outputs = parse(r#"[{"OutputKey": "LeadsTable", "OutputValue": "t", "Description": "d"}, {"OutputKey": "x"}]"#).unwrap();
        assert_eq!(outputs, BTreeMap::from([("LeadsTable".to_owned(), "t".to_owned())]));
        assert!(parse(r#"{"Stacks": []}"#).is_err());
    }

    #[test]
    fn the_region_is_that_of_the_queues_address() {
        assert_eq!(region_of("https://sqs.eu-west-1.amazonaws.com/123456789012/q"), Some("eu-west-1"));
        assert_eq!(region_of("http://127.0.0.1:4566/000000000000/q"), None);
    }
}
