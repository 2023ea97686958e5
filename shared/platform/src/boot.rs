//! What a function is told by its environment, read once. Nothing secret stands in there but AWS's own credentials,
//! which the SDK reads for itself.

use std::collections::BTreeMap;

use domain::priority::Priority;
use pipeline::ports::QueueName;

use crate::logging;
use crate::queue::QueueUrls;
use crate::secrets::SecretsId;
use crate::tables::{Table, TableNames};

const LOOKUP_QUEUES: [QueueName; 4] = [
    QueueName::Lookup(Priority::Critical),
    QueueName::Lookup(Priority::High),
    QueueName::Lookup(Priority::Normal),
    QueueName::Lookup(Priority::Low),
];

/// The environment as it was at the start.
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
    /// Where its secrets are.
    pub secrets: SecretsId,
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
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Begins to log, at `LOG_LEVEL` (error, warn, info, debug or trace; info when it is absent) for our own packages and
    /// the function's, warnings for all others.
    pub fn start_logging(&self, function: &str) {
        logging::start(function, self.optional("LOG_LEVEL"));
    }

    /// What signup-webhook needs: it sends to the lookup queues.
    ///
    /// # Errors
    /// Names every missing variable.
    pub fn settings_for_signup_webhook(&self) -> Result<Settings, MissingSettings> {
        self.settings(&LOOKUP_QUEUES)
    }

    /// What provider-lookup needs: it sends delayed copies to the lookup queues, and decided leads to write-back.
    ///
    /// # Errors
    /// Names every missing variable.
    pub fn settings_for_provider_lookup(&self) -> Result<Settings, MissingSettings> {
        self.settings(&QueueName::ALL)
    }

    /// What crm-writeback needs: it sends delayed copies to its own queue.
    ///
    /// # Errors
    /// Names every missing variable.
    pub fn settings_for_crm_writeback(&self) -> Result<Settings, MissingSettings> {
        self.settings(&[QueueName::Writeback])
    }

    fn listed(&self, name: &str) -> impl Iterator<Item = &str> {
        self.optional(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    fn settings(&self, queues: &[QueueName]) -> Result<Settings, MissingSettings> {
        let mut names = Vec::new();
        let mut required = |name: &'static str| {
            let value = self.optional(name);
            if value.is_none() {
                names.push(name);
            }
            value.unwrap_or_default().to_owned()
        };
        let mut table = |table: Table| required(table.variable());
        let tables = TableNames {
            leads: table(Table::Leads),
            cache: table(Table::Cache),
            credits: table(Table::Credits),
            settings: table(Table::Settings),
        };
        let queues: Vec<(QueueName, String)> = queues.iter().map(|queue| (*queue, required(QueueUrls::variable(*queue)))).collect();
        let secrets = SecretsId::new(&required(SecretsId::VARIABLE));
        if !names.is_empty() {
            return Err(MissingSettings { names });
        }
        let pairs = self.listed("ENDPOINTS").filter_map(|pair| pair.split_once('='));
        Ok(Settings {
            tables,
            queues: QueueUrls::new(queues),
            secrets,
            endpoints: pairs.map(|(provider, url)| (provider.to_owned(), url.to_owned())).collect(),
            egress_allowed: self.listed("EGRESS_ALLOWED").map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(names: &[&str]) -> Boot {
        Boot::from_variables(names.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))))
    }

    #[test]
    fn all_missing_variables_are_reported_together() {
        let missing = boot(&["LEADS_TABLE", "CACHE_TABLE", "SETTINGS_TABLE"]).settings_for_crm_writeback().unwrap_err();
        assert_eq!(missing.names, ["CREDITS_TABLE", "WRITEBACK_QUEUE_URL", "SECRETS_ID"]);
        assert!(missing.to_string().contains("CREDITS_TABLE, WRITEBACK_QUEUE_URL, SECRETS_ID"));
    }

    #[test]
    fn an_empty_variable_is_missing() {
        let boot = Boot::from_variables([("SECRETS_ID".to_owned(), "  ".to_owned())]);
        assert!(boot.settings_for_signup_webhook().unwrap_err().names.contains(&"SECRETS_ID"));
    }

    #[test]
    fn each_function_asks_for_its_own_queues_only() {
        let names = |settings: Result<Settings, MissingSettings>| settings.unwrap_err().names;
        let empty = boot(&[]);
        assert!(!names(empty.settings_for_signup_webhook()).contains(&"WRITEBACK_QUEUE_URL"));
        assert!(!names(empty.settings_for_crm_writeback()).contains(&"LOOKUP_LOW_QUEUE_URL"));
        assert_eq!(names(empty.settings_for_provider_lookup()).len(), 10);
    }

    #[test]
    fn settings_hold_what_the_environment_says() {
        let all = boot(&[]).settings_for_provider_lookup().unwrap_err().names;
        let settings = boot(&all).settings_for_provider_lookup().unwrap();
        assert_eq!(settings.tables.name_of(Table::Credits), "value-of-CREDITS_TABLE");
    }
}
