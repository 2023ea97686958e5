//! `millrace secret`.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use connectors::configure_for_use;
use platform::{Aws, SecretEditor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::say::say;

/// The names that every stack reads, besides those of connectors and those of webhooks, which begin with [`WEBHOOK`].
const NAMES: [&str; 2] = ["hash_key", "hubspot_token"];
const WEBHOOK: &str = "webhook_secret_";

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Give a name its value; the others stay as they are. Asks for the value, or reads it from standard input.
    Set {
        /// `webhook_secret_signup`, `webhook_secret_clerk`, `hubspot_token`, the `secret` of a connector such as `crustdata_api_key`,
        /// or once `hash_key`.
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Show the names that have a value, and no value.
    List {
        #[command(flatten)]
        which: Which,
        /// Print a JSON list.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The secret's ARN or name: output `WebhookSecretsArn` or `VendorSecretsArn` of the stack.
    #[arg(long)]
    secret: String,
}

impl Secret {
    pub(crate) async fn run(&self) -> Result<()> {
        match self {
            Self::Set { name, which } => {
                check_name(name)?;
                let value = value_of(name)?;
                check_value(name, &value)?;
                which.editor().await?.set(name, &value).await?;
                say(format_args!("{name} is set; the functions see it within five minutes"))
            }
            Self::List { which, json } => {
                let names = which.editor().await?.names().await?;
                if *json { say(serde_json::to_string(&names)?) } else { names.iter().try_for_each(say) }
            }
        }
    }
}

impl Which {
    async fn editor(&self) -> Result<SecretEditor> {
        Ok(Aws::from_environment_in(region_of(&self.secret)).await?.secret_editor(&self.secret))
    }
}

/// The region in an ARN, `arn:aws:secretsmanager:eu-west-1:…`: the secret is nowhere else.
fn region_of(secret: &str) -> Option<&str> {
    let mut parts = secret.strip_prefix("arn:")?.split(':');
    parts.nth(2).filter(|region| !region.is_empty())
}

fn check_name(name: &str) -> Result<()> {
    if NAMES.contains(&name) || name.strip_prefix(WEBHOOK).is_some_and(|issuer| !issuer.is_empty()) {
        return Ok(());
    }
    let of_connectors = of_connectors();
    if of_connectors.contains(name) {
        return Ok(());
    }
    let names = of_connectors.iter().cloned().collect::<Vec<_>>().join(", ");
    bail!("nothing reads `{name}`; write {WEBHOOK}<issuer>, hubspot_token or one of a connector: {names}")
}

/// What connectors name as their secret: those in the folder `config`, if it is sound, and the bundled ones.
fn of_connectors() -> BTreeSet<String> {
    let here = platform::config_folder(Path::new("config")).ok();
    let configured = here.into_iter().chain([platform::bundled_config()]).filter_map(|sources| configure_for_use(&sources).ok());
    configured.flat_map(|(_, connectors)| connectors.secrets().into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A secret that its issuer could not have given out is refused here rather than at the first signup.
fn check_value(name: &str, value: &SecretString) -> Result<()> {
    if value.expose_secret().is_empty() {
        bail!("the value is empty");
    }
    let Some(issuer) = name.strip_prefix(WEBHOOK).filter(|rest| !rest.ends_with("_previous_until")) else { return Ok(()) };
    let issuer = issuer.strip_suffix("_previous").unwrap_or(issuer);
    intake::check_secret(issuer, value).with_context(|| format!("this is no secret of issuer {issuer}"))
}

/// Never from an argument: those stand in the shell's history and in the list of processes.
fn value_of(name: &str) -> Result<SecretString> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(format!("{name} (is not shown): "))?.trim().into());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the value is read from standard input")?;
    Ok(text.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nothing_reads_is_refused_with_those_that_are_read() {
        for name in ["crustdata_api_key", "twilio_credentials", "hubspot_token"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        assert!(check_name("webhook_secret_clerk").is_ok());
        let error = check_name("crustdata").unwrap_err().to_string();
        assert!(error.contains("crustdata_api_key"), "{error}");
    }

    #[test]
    fn the_region_is_that_of_the_arn() {
        assert_eq!(region_of("arn:aws:secretsmanager:eu-west-1:123456789012:secret:dev-AbC"), Some("eu-west-1"));
        assert_eq!(region_of("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:dev-AbC"), Some("cn-north-1"));
        for name in ["dev", "dev/webhooks", "arn:aws", "arn:aws:secretsmanager::1:secret:x"] {
            assert_eq!(region_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_webhook_secret_is_checked_as_its_issuer_writes_it() {
        assert!(check_value("webhook_secret_clerk", &"whsec_bG9jYWwtY2xlcmstc2VjcmV0LWZvci1zYW1wbGVz".into()).is_ok());
        assert!(check_value("webhook_secret_clerk", &"whsec_*".into()).is_err());
        assert!(check_value("webhook_secret_nobody", &"x".into()).is_err());
        assert!(check_value("webhook_secret_clerk_previous_until", &"2026-12-01T00:00:00Z".into()).is_ok());
        assert!(check_value("hubspot_token", &"".into()).is_err());
    }
}
