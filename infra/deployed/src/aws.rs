//! Calls that only a test makes: they break the stack and look at what AWS keeps, in AWS's own protocols.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::ministack::{Ministack, REGION};

/// The stand-in's API, unsigned: it takes any signature.
pub(crate) struct AwsApi {
    http: reqwest::Client,
    url: String,
}

impl AwsApi {
    pub(crate) fn new(stand_in: &Ministack) -> Result<Self> {
        Ok(Self { http: platform::http_client()?.no_proxy().build()?, url: stand_in.url() })
    }

    /// A call in the JSON protocol: `AmazonSQS.SendMessage`, `DynamoDB_20120810.DescribeTable`.
    pub(crate) async fn json(&self, target: &str, body: &Value) -> Result<Value> {
        let service = match target.split_once('.') {
            Some(("AmazonSQS", _)) => "sqs",
            Some(("secretsmanager", _)) => "secretsmanager",
            _ => "dynamodb",
        };
        let request = self.http.post(&self.url).header("x-amz-target", target).header("content-type", "application/x-amz-json-1.0");
        self.send(target, request.header("authorization", scope(service)).body(body.to_string())).await
    }

    /// What a function's environment is now.
    pub(crate) async fn environment_of(&self, function: &str) -> Result<Value> {
        let request = self.http.get(self.configuration(function)).header("authorization", scope("lambda"));
        let configuration = self.send("GetFunctionConfiguration", request).await?;
        Ok(configuration.pointer("/Environment/Variables").cloned().unwrap_or_default())
    }

    /// Gives a function another environment.
    pub(crate) async fn set_environment(&self, function: &str, variables: &Value) -> Result<()> {
        let body = json!({"Environment": {"Variables": variables}});
        let request = self.http.put(self.configuration(function)).header("authorization", scope("lambda")).body(body.to_string());
        self.send("UpdateFunctionConfiguration", request).await.map(drop)
    }

    /// Invokes a function with an event and waits for its answer.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let request = self.http.post(url).header("authorization", scope("lambda")).body(event.to_string());
        let answer = request.send().await?;
        let (status, is_error) = (answer.status(), answer.headers().contains_key("x-amz-function-error"));
        let text = answer.text().await?;
        if !status.is_success() || is_error {
            bail!("{function} ended with {status}: {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// The physical name of a resource of the stack.
    pub(crate) async fn physical_name(&self, stack: &str, logical: &str) -> Result<String> {
        let form = format!("Action=DescribeStackResource&Version=2010-05-15&StackName={stack}&LogicalResourceId={logical}");
        let request = self.http.post(&self.url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.header("authorization", scope("cloudformation")).body(form).send().await?.text().await?;
        let found = answer.split_once("<PhysicalResourceId>").and_then(|(_, rest)| rest.split_once('<'));
        match found {
            Some((name, _)) => Ok(name.to_owned()),
            None => bail!("the stack has no resource {logical}: {answer}"),
        }
    }

    fn configuration(&self, function: &str) -> String {
        format!("{}/2015-03-31/functions/{function}/configuration", self.url)
    }

    async fn send(&self, what: &str, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{what} answered {status}: {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}

/// The part of a signature by which the stand-in tells services apart.
fn scope(service: &str) -> String {
    let mut header = "AWS4-HMAC-SHA256 Credential=test/20261101/".to_owned();
    let _ = write!(header, "{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0");
    header
}
