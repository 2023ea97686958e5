use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Our own packages. Everybody else logs warnings at most: below that, libraries write out requests with the people in them.
const OURS: [&str; 5] = ["domain", "pipeline", "intake", "connectors", "platform"];

/// Logs one JSON line an event to standard output. The first caller in a process wins.
pub(crate) fn start(function: &str, level: Option<&str>) {
    let parsed = level.map(str::parse::<LevelFilter>);
    let ours = parsed.clone().and_then(Result::ok).unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let started = tracing_subscriber::registry().with(targets(function, ours)).with(lines).try_init().is_ok();
    if !started {
        return;
    }
    // The text of a panic may hold a person's data; its place never does.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic happened");
    }));
    if let Some(Err(_)) = parsed {
        tracing::warn!("LOG_LEVEL is none of error, warn, info, debug, trace; logging at info");
    }
}

fn targets(function: &str, ours: LevelFilter) -> Targets {
    let function = function.replace('-', "_");
    let names = OURS.iter().map(|name| (*name).to_owned()).chain([function]);
    Targets::new().with_default(LevelFilter::WARN).with_targets(names.map(|name| (name, ours)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_never_log_more_than_warnings() {
        let targets = targets("signup-webhook", LevelFilter::TRACE);
        assert!(targets.would_enable("signup_webhook", &Level::TRACE));
        assert!(targets.would_enable("pipeline::enrich", &Level::DEBUG));
        for library in ["aws_smithy_runtime::client", "hyper_util", "lambda_runtime", "reqwest"] {
            assert!(!targets.would_enable(library, &Level::INFO), "{library}");
        }
    }
}
