//! The deployed stack: its outputs, its secrets, and how it comes and goes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use domain::signup::RunId;
use intake::sample::local_secret;
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};
use sandbox::{Latency, Options, Sandbox};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::aws::AwsApi;
use crate::command::run;
use crate::ministack::{Ministack, pointed_at};
use crate::reference::SEED;
use crate::tools::{BUILT, Tools, architecture};

pub(crate) const NAME: &str = "millrace";

/// A stack that stands, and the sandbox that its functions take for the world.
pub(crate) struct Stack {
    outputs: BTreeMap<String, String>,
    endpoint: String,
    port: u16,
    pub(crate) store: DynamoStore,
    pub(crate) sandbox: Sandbox,
}

impl Stack {
    /// Deploys what was built.
    pub(crate) async fn deploy(root: &Path, tools: &Tools, stand_in: &Ministack) -> Result<Self> {
        let (sandbox, at) = Sandbox::start(Options { seed: SEED, latency: Latency::Seeded }).await?;
        let endpoints = format!(
            "crustdata=http://{at}/crustdata,website=http://{at}/websites/{{{{key}}}}/,dns=http://{at}/dns,rdap=http://{at}/rdap,hubspot=http://{at}/hubspot"
        );
        let mut command = tools.sam(root, &["deploy", "--stack-name", NAME, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]);
        command.args(["--no-confirm-changeset", "--no-progressbar"]).arg("--template-file").arg(root.join(BUILT).join("template.yaml"));
        command.arg("--parameter-overrides").arg(architecture());
        command.args([
            format!("Endpoints=\"{endpoints}\""),
            format!("EgressAllowed=\"{at}\""),
            "AlarmEmail=ops@millrace.example".to_owned(),
        ]);
        run(pointed_at(&mut command, &stand_in.url()), "").await?;
        let outputs = outputs(root, tools, stand_in).await?;
        let name = |key: &str| outputs.get(key).cloned().with_context(|| format!("template.yaml has no output {key}"));
        let tables = [(Table::Leads, "LeadsTable"), (Table::Cache, "CacheTable"), (Table::Credits, "CreditsTable")];
        let tables: Vec<(Table, String)> = tables.into_iter().map(|(table, key)| Ok((table, name(key)?))).collect::<Result<_>>()?;
        let store = Aws::local(&stand_in.url()).await?.store(TableNames::new(tables), DEFAULT_WORKSPACE);
        Ok(Self { outputs, endpoint: stand_in.url(), port: stand_in.port(), store, sandbox })
    }

    /// An output of the template.
    pub(crate) fn output(&self, key: &str) -> Result<&str> {
        self.outputs.get(key).map(String::as_str).with_context(|| format!("template.yaml has no output {key}"))
    }

    /// Where webhooks are posted: the stand-in tells APIs apart by the host's name, which this machine's resolver need not know.
    pub(crate) fn webhooks(&self) -> Result<(reqwest::Client, String)> {
        let url = self.output("WebhookUrl")?;
        let api = url.trim_start_matches("https://").split('.').next().unwrap_or_default();
        let host = format!("{api}.execute-api.localhost");
        let client = platform::http_client()?.no_proxy().resolve(&host, ([127, 0, 0, 1], self.port).into()).build()?;
        Ok((client, format!("http://{host}:{}", self.port)))
    }

    /// The addresses of all queues and dead-letter queues, by output.
    pub(crate) fn queue_urls(&self) -> impl Iterator<Item = (&String, &String)> {
        self.outputs.iter().filter(|(key, _)| key.ends_with("QueueUrl") || key.ends_with("DlqUrl"))
    }

    /// Fills the secrets as a user does.
    pub(crate) async fn set_secrets(&self, root: &Path) -> Result<()> {
        let secret = |issuer: &str| local_secret(issuer).unwrap_or_default();
        for (output, name, value) in [
            ("WebhookSecretsArn", "webhook_secret_signup", secret("signup")),
            ("WebhookSecretsArn", "webhook_secret_clerk", secret("clerk")),
            ("VendorSecretsArn", "crustdata_api_key", sandbox::CRUSTDATA_KEY),
            ("VendorSecretsArn", "hubspot_token", sandbox::HUBSPOT_TOKEN),
        ] {
            run(self.millrace(root).args(["secret", "set", name, "--secret", self.output(output)?]), value).await?;
        }
        Ok(())
    }

    /// Reads a run's explanation from the deployed table, as a user does.
    pub(crate) async fn explain(&self, root: &Path, id: &RunId) -> Result<()> {
        let said = run(self.millrace(root).args(["explain", id.as_str(), "--table", self.output("LeadsTable")?]), "").await?;
        if !said.contains("ae_queue") {
            bail!("millrace explain does not name the track:\n{said}");
        }
        Ok(())
    }

    /// Sends the dead letters of a queue again, as a user does.
    pub(crate) async fn redrive(&self, root: &Path, queue: &str) -> Result<()> {
        let output = |(key, value): (&String, &String)| json!({ "OutputKey": key, "OutputValue": value });
        let outputs: Value = self.outputs.iter().map(output).collect();
        let mut command = self.millrace(root);
        let said = run(command.args(["dlq", "redrive", "--all", "--queue", queue, "--outputs", "-"]), &outputs.to_string()).await?;
        ensure!(said.contains(&format!("was sent to {queue}")), "millrace dlq redrive sent nothing:\n{said}");
        Ok(())
    }

    /// Removes the stack; tables and secrets stay, as the template promises.
    pub(crate) async fn delete(self, root: &Path, tools: &Tools, aws: &AwsApi) -> Result<()> {
        let mut command = tools.sam(root, &["delete", "--stack-name", NAME, "--no-prompts"]);
        run(pointed_at(&mut command, &self.endpoint), "").await.context("sam delete")?;
        for table in ["LeadsTable", "CacheTable", "CreditsTable", "SettingsTable"] {
            let described = aws.json("DynamoDB_20120810.DescribeTable", &json!({ "TableName": self.output(table)? })).await;
            described.with_context(|| format!("sam delete took {table} with it"))?;
        }
        for secret in ["WebhookSecretsArn", "VendorSecretsArn"] {
            let described = aws.json("secretsmanager.DescribeSecret", &json!({ "SecretId": self.output(secret)? })).await;
            let described = described.with_context(|| format!("sam delete took the secret of {secret} with it"))?;
            ensure!(described.get("DeletedDate").is_none_or(Value::is_null), "sam delete sentenced the secret of {secret}: {described}");
        }
        Ok(())
    }

    fn millrace(&self, root: &Path) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--bin", "millrace", "--"]).current_dir(root);
        pointed_at(&mut command, &self.endpoint);
        command
    }
}

async fn outputs(root: &Path, tools: &Tools, stand_in: &Ministack) -> Result<BTreeMap<String, String>> {
    let mut command = tools.sam(root, &["list", "stack-outputs", "--stack-name", NAME, "--output", "json"]);
    let listed = run(pointed_at(&mut command, &stand_in.url()), "").await?;
    let listed: Value = serde_json::from_str(&listed).context("sam list stack-outputs")?;
    let pair = |output: &Value| Some((output.get("OutputKey")?.as_str()?.to_owned(), output.get("OutputValue")?.as_str()?.to_owned()));
    Ok(listed.as_array().into_iter().flatten().filter_map(pair).collect())
}
