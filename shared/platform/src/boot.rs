//! What a function is told by its environment, read once. Nothing secret stands in there but AWS's own credentials,
//! which the SDK reads for itself.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::process::ExitCode;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use domain::priority::Priority;
use pipeline::ports::QueueName;

use crate::http::OWN_CERTIFICATES;
use crate::logging;
use crate::queue::QueueUrls;
use crate::secrets::SecretsIds;
use crate::tables::{Table, TableNames};

const LOOKUP_QUEUES: [QueueName; 4] = [
    QueueName::Lookup(Priority::Critical),
    QueueName::Lookup(Priority::High),
    QueueName::Lookup(Priority::Normal),
    QueueName::Lookup(Priority::Low),
];

const LOOKUP_QUEUES_AND_WRITEBACK: [QueueName; 5] = [
    QueueName::Lookup(Priority::Critical),
    QueueName::Lookup(Priority::High),
    QueueName::Lookup(Priority::Normal),
    QueueName::Lookup(Priority::Low),
    QueueName::Writeback,
];

/// The functions there are, and with them the environment each of them reads. `template.yaml` is checked against this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Takes signups and sends them to the lookup queues; watches runs.
    SignupWebhook,
    /// Looks up, decides, sends delayed copies to the lookup queues and decided leads to write-back.
    ProviderLookup,
    /// Decides about leads again; sends those that changed to write-back, and delayed copies to its own queue.
    ScoreRoute,
    /// Writes to the CRM; sends delayed copies to its own queue.
    CrmWriteback,
    /// Resolves what nobody came back to in the ledger, and tells of crossed thresholds.
    ScheduledRefresh,
}

impl Function {
    /// All functions.
    pub const ALL: [Self; 5] = [Self::SignupWebhook, Self::ProviderLookup, Self::ScoreRoute, Self::CrmWriteback, Self::ScheduledRefresh];

    /// The name of its folder, package and binary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignupWebhook => "signup-webhook",
            Self::ProviderLookup => "provider-lookup",
            Self::ScoreRoute => "score-route",
            Self::CrmWriteback => "crm-writeback",
            Self::ScheduledRefresh => "scheduled-refresh",
        }
    }

    /// The variables that it does not start without.
    #[must_use]
    pub fn required(self) -> Vec<&'static str> {
        let tables = self.tables().iter().map(|table| table.variable());
        let queues = self.queues().iter().map(|queue| QueueUrls::variable(*queue));
        tables.chain(queues).chain(self.reads_secrets().then_some(SecretsIds::VARIABLE)).collect()
    }

    /// The variables that may be absent or empty.
    #[must_use]
    pub const fn optional(self) -> &'static [&'static str] {
        match self {
            Self::SignupWebhook | Self::ScoreRoute | Self::ScheduledRefresh => &[LOG_LEVEL],
            Self::ProviderLookup | Self::CrmWriteback => &[LOG_LEVEL, ENDPOINTS, EGRESS_ALLOWED],
        }
    }

    const fn tables(self) -> &'static [Table] {
        match self {
            Self::SignupWebhook => &[Table::Leads],
            Self::ProviderLookup => &[Table::Leads, Table::Cache, Table::Credits, Table::Settings],
            Self::ScoreRoute | Self::CrmWriteback => &[Table::Leads, Table::Settings],
            Self::ScheduledRefresh => &[Table::Cache, Table::Credits, Table::Settings],
        }
    }

    const fn queues(self) -> &'static [QueueName] {
        match self {
            Self::SignupWebhook => &LOOKUP_QUEUES,
            Self::ProviderLookup => &LOOKUP_QUEUES_AND_WRITEBACK,
            Self::ScoreRoute => &[QueueName::Score, QueueName::Writeback],
            Self::CrmWriteback => &[QueueName::Writeback],
            Self::ScheduledRefresh => &[],
        }
    }

    const fn reads_secrets(self) -> bool {
        !matches!(self, Self::ScoreRoute | Self::ScheduledRefresh)
    }
}

const LOG_LEVEL: &str = "LOG_LEVEL";
const ENDPOINTS: &str = "ENDPOINTS";
const EGRESS_ALLOWED: &str = "EGRESS_ALLOWED";

/// The environment as it was at the start. Its values are never shown: AWS's credentials are among them.
#[derive(Clone)]
pub struct Boot {
    variables: BTreeMap<String, String>,
}

/// What a function works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The tables.
    pub tables: TableNames,
    /// The queues it sends to.
    pub queues: QueueUrls,
    /// Where its secrets are; nowhere for a function that reads none.
    pub secrets: SecretsIds,
    /// Base URLs that replace those of providers and CRMs: `ENDPOINTS`, `crustdata=https://proxy.internal,hubspot=…`.
    pub endpoints: Vec<(String, String)>,
    /// Exact `host:port` places besides the public internet that may be called: `EGRESS_ALLOWED`, comma-separated; empty in production.
    pub egress_allowed: Vec<String>,
}

/// Variables that have to be set and are not, all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these environment variables are missing or empty: {}; set them on the function in template.yaml", .names.join(", "))]
pub struct MissingSettings {
    /// Their names.
    pub names: Vec<&'static str>,
}

/// Why the environment cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Variables are missing.
    #[error(transparent)]
    Missing(#[from] MissingSettings),
    /// An endpoint without its provider or its URL.
    #[error("{ENDPOINTS} has the entry `{entry}`; write provider=URL, such as crustdata=https://proxy.internal")]
    Endpoint {
        /// The entry as it stands there.
        entry: String,
    },
}

/// Starts a function: begins to log and hands the environment to `serve`, which answers events until the process ends.
/// What keeps it from starting is logged, and the process ends with a failure, which Lambda counts as an error.
///
/// Our own packages and the function's log at `LOG_LEVEL` (error, warn, info, debug or trace; info when it is absent), all
/// others warnings.
pub async fn start<E: Display>(function: Function, serve: impl AsyncFnOnce(Boot) -> Result<(), E>) -> ExitCode {
    let boot = Boot::from_env();
    logging::start(function.name(), boot.optional(LOG_LEVEL));
    match serve(boot).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(function = function.name(), error = %error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

impl fmt::Debug for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Boot {
    /// Reads the whole environment; what is not Unicode is left out.
    #[must_use]
    pub fn from_env() -> Self {
        let unicode = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_variables(unicode)
    }

    /// Takes these variables for the environment.
    #[must_use]
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// A variable that may be absent; an empty one is.
    fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The file of certificates that are trusted beside the built-in ones.
    pub(crate) fn own_certificates(&self) -> Option<&str> {
        self.optional(OWN_CERTIFICATES)
    }

    /// Where the stack runs, as Lambda says.
    pub(crate) fn region(&self) -> Option<&str> {
        self.optional("AWS_REGION")
    }

    /// What plays AWS instead of AWS.
    pub(crate) fn endpoint_url(&self) -> Option<&str> {
        self.optional("AWS_ENDPOINT_URL")
    }

    /// What a function needs.
    ///
    /// # Errors
    /// Names every missing variable, or the first endpoint that is none.
    pub fn settings(&self, function: Function) -> Result<Settings, SettingsError> {
        let names: Vec<&'static str> = function.required().into_iter().filter(|name| self.optional(name).is_none()).collect();
        if !names.is_empty() {
            return Err(MissingSettings { names }.into());
        }
        let text = |name: &str| self.optional(name).unwrap_or_default();
        let tables = function.tables().iter().map(|table| (*table, text(table.variable()).to_owned()));
        let queues = function.queues().iter().map(|queue| (*queue, text(QueueUrls::variable(*queue)).to_owned()));
        Ok(Settings {
            tables: TableNames::new(tables),
            queues: QueueUrls::new(queues),
            secrets: SecretsIds::new(text(SecretsIds::VARIABLE)),
            endpoints: self.listed(ENDPOINTS).map(endpoint).collect::<Result<_, _>>()?,
            egress_allowed: self.listed(EGRESS_ALLOWED).map(str::to_owned).collect(),
        })
    }

    fn listed(&self, name: &str) -> impl Iterator<Item = &str> {
        self.optional(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
    }
}

/// The two sides of `crustdata=https://proxy.internal`.
fn endpoint(entry: &str) -> Result<(String, String), SettingsError> {
    let sides = entry.split_once('=').map(|(provider, url)| (provider.trim(), url.trim()));
    match sides.filter(|(provider, url)| !provider.is_empty() && !url.is_empty()) {
        Some((provider, url)) => Ok((provider.to_owned(), url.to_owned())),
        None => Err(SettingsError::Endpoint { entry: entry.to_owned() }),
    }
}

/// What the SDK asks for one service alone: `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
impl LoadServiceConfig for Boot {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        self.optional(&format!("{}_{service}", key.env())).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(names: &[&str]) -> Boot {
        Boot::from_variables(names.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))))
    }

    fn missing(boot: &Boot, function: Function) -> MissingSettings {
        match boot.settings(function).unwrap_err() {
            SettingsError::Missing(missing) => missing,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_endpoint_without_one_of_its_sides_is_quoted_and_the_form_is_shown() {
        let with = |endpoints: &str| {
            let mut boot = boot(&Function::CrmWriteback.required());
            boot.variables.insert(ENDPOINTS.to_owned(), endpoints.to_owned());
            boot.settings(Function::CrmWriteback)
        };
        for entry in ["hubspot", "=https://a.example", "hubspot=", "https://a.example"] {
            let error = with(&format!("crustdata=https://b.example, {entry}")).unwrap_err().to_string();
            assert!(error.contains(&format!("`{entry}`")) && error.contains("crustdata=https://"), "{error}");
        }
        let settings = with("crustdata=https://b.example?a=b, hubspot = https://a.example,").unwrap();
        let expected = [("crustdata", "https://b.example?a=b"), ("hubspot", "https://a.example")];
        assert_eq!(settings.endpoints, expected.map(|(provider, url)| (provider.to_owned(), url.to_owned())));
    }

    #[test]
    fn all_missing_variables_are_reported_together() {
        let missing = missing(&boot(&["LEADS_TABLE", "CACHE_TABLE"]), Function::CrmWriteback);
        assert_eq!(missing.names, ["SETTINGS_TABLE", "WRITEBACK_QUEUE_URL", "SECRETS_ID"]);
        assert!(missing.to_string().contains("SETTINGS_TABLE, WRITEBACK_QUEUE_URL, SECRETS_ID"));
    }

    #[test]
    fn a_service_may_have_an_endpoint_of_its_own() {
        let boot = Boot::from_variables([("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), "https://localhost:1".to_owned())]);
        let key =
            |service| ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().unwrap();
        assert_eq!(boot.load_config(key("Secrets Manager")).as_deref(), Some("https://localhost:1"));
        assert_eq!(boot.load_config(key("SQS")), None);
        assert!(!format!("{boot:?}").contains("localhost"));
    }

    #[test]
    fn an_empty_variable_is_missing() {
        let boot = Boot::from_variables([("SECRETS_ID".to_owned(), "  ".to_owned())]);
        assert!(missing(&boot, Function::SignupWebhook).names.contains(&"SECRETS_ID"));
    }

    #[test]
    fn each_function_asks_for_its_own_tables_and_queues_only() {
        let names = |function: Function| missing(&boot(&[]), function).names;
        assert!(!names(Function::SignupWebhook).contains(&"WRITEBACK_QUEUE_URL"));
        assert!(!names(Function::SignupWebhook).contains(&"CREDITS_TABLE"));
        assert!(!names(Function::CrmWriteback).contains(&"LOOKUP_LOW_QUEUE_URL"));
        assert!(!names(Function::ProviderLookup).contains(&"SCORE_QUEUE_URL"));
        assert_eq!(names(Function::ScheduledRefresh), ["CACHE_TABLE", "CREDITS_TABLE", "SETTINGS_TABLE"], "it reads no secret");
        assert!(!names(Function::SignupWebhook).contains(&"SETTINGS_TABLE"), "it works with no configuration");
        let of_score = ["LEADS_TABLE", "SETTINGS_TABLE", "SCORE_QUEUE_URL", "WRITEBACK_QUEUE_URL"];
        assert_eq!(names(Function::ScoreRoute), of_score, "neither ledger nor replies nor secrets");
        for function in Function::ALL {
            assert_eq!(names(function), function.required());
        }
    }

    #[test]
    fn settings_hold_what_the_environment_says() {
        let settings = boot(&Function::ProviderLookup.required()).settings(Function::ProviderLookup).unwrap();
        assert_eq!(settings.tables.name_of(Table::Credits), "value-of-CREDITS_TABLE");
    }
}
