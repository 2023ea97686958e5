//! The whole stack in one process: tables, queues, functions, webhooks and the sandbox that plays the world.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use connectors::{Connectors, Egress, Endpoints, Reach};
use domain::config::{Config, Sources};
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::units::Millis;
use pipeline::enrich::{Configured, Desks, Enrich};
use pipeline::memory::MemoryQueue;
use pipeline::ports::{Active, Clock, Entropy, Queue, QueueName, Settings as _, Store};
use pipeline::redecide::Redecide;
use pipeline::sweep::Sweep;
use pipeline::versions::Versions;
use platform::{Aws, DEFAULT_WORKSPACE, OsEntropy};
use sandbox::{Latency, Options, Sandbox};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::args::Args;
use crate::clock::ClockAhead;
use crate::durable::{DurableQueue, Waiting};
use crate::folder::Folder;
use crate::journal::Journal;
use crate::pump::pump;
use crate::schedule::tick;
use crate::secrets::{LocalSecrets, hash_key};

/// As the template's redrive policy has it.
pub const RECEIVES_MAX: u32 = 5;

/// Everything that runs, until it is dropped.
pub struct Stack {
    /// Where webhooks are posted.
    pub url: String,
    /// Where the tables listen, in `DynamoDB`'s protocol.
    pub tables_url: String,
    /// Where the sandbox shows what it was asked and what was written to its CRM.
    pub sandbox_url: String,
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The configuration that was in force at the start.
    pub config: Arc<Config>,
    /// What had been put in force by the start; `None` while nothing ever was, and the files decide.
    pub(crate) published: Option<Active>,
    pub(crate) hash_key: Arc<HashKey>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) journal: Journal,
    pub(crate) http: reqwest::Client,
    /// The sandbox's books; empty where another one is called (`--sandbox`).
    pub sandbox: Sandbox,
    /// What waited in the folder of `--data` at the start.
    pub(crate) waiting: Option<Waiting>,
    _tasks: JoinSet<()>,
    _folder: Option<Folder>,
}

impl Stack {
    /// The key under which people are hashed here.
    #[must_use]
    pub fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    /// Starts everything.
    ///
    /// # Errors
    /// Says what could not start and what to do about it.
    pub async fn start(args: &Args, journal: Journal) -> Result<Self> {
        let folder = args.data.as_deref().map(Folder::take).transpose()?;
        let port = |offset: u16| if args.port == 0 { 0 } else { args.port + offset };
        let (web, tables) = (listen(port(0)).await?, listen(port(1)).await?);
        let (url, tables_url) = (url_of(&web)?, url_of(&tables)?);
        let mut tasks = JoinSet::new();

        let database = open_database(args.data.as_deref())?;
        tasks.spawn(dynoxide::server::serve_on(tables, database));
        let sandbox = Sandbox::new(Options { seed: args.seed, latency: Latency::Seeded });
        let sandbox_url = match &args.sandbox {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let world = listen(port(2)).await?;
                let url = url_of(&world)?;
                tasks.spawn(quietly(sandbox::serve(world, sandbox.clone())));
                url
            }
        };

        // Version 0 here. It is checked in full, also where a published version decides.
        let files = platform::config_folder(&args.config)?;
        configured(&files, &args.config)?;
        let clock: Arc<dyn Clock> = Arc::new(ClockAhead(Millis::seconds(args.clock_ahead)));
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let hash_key = Arc::new(hash_key()?);
        let aws = Aws::local(&tables_url).await?;
        let names = aws.create_tables(TABLE_PREFIX).await?;
        let settings = Arc::new(aws.store(names, DEFAULT_WORKSPACE));
        let store: Arc<dyn Store> = settings.clone();
        let (queue, waiting) = open_queue(args.data.as_deref(), &clock)?;

        let endpoints = Endpoints::new([
            ("crustdata".to_owned(), format!("{sandbox_url}/crustdata")),
            ("website".to_owned(), format!("{sandbox_url}/websites/{{{{key}}}}/")),
            ("dns".to_owned(), format!("{sandbox_url}/dns")),
            ("rdap".to_owned(), format!("{sandbox_url}/rdap")),
            ("hubspot".to_owned(), format!("{sandbox_url}/hubspot")),
        ])?;
        // The sandbox on loopback is the only address besides the public internet that may be called.
        let egress = Egress::new([sandbox_url.trim_start_matches("http://").to_owned()], aws.tls())?;
        let reach = Reach::new(endpoints, egress, Arc::new(LocalSecrets));
        let providers = reach.clone();
        let make = move |sources: &Sources| Ok(providers.providers(sources)?);
        let versions = Arc::new(Versions::load(settings.clone(), Arc::clone(&clock), files.clone(), make).await?);
        let Configured { config, provider } = Configured::clone(&*versions.in_force().await);

        let webhook = signup_webhook::App {
            keys: Arc::new(LocalSecrets),
            queue: Arc::clone(&queue),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            hash_key: Arc::clone(&hash_key),
        };
        tasks.spawn(quietly(crate::http::serve(web, Arc::new(webhook))));
        let lookup = Arc::new(provider_lookup::App {
            enrich: Enrich {
                store: Arc::clone(&store),
                queue: Arc::clone(&queue),
                provider,
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
                config: Arc::clone(&config),
                versions: Some(versions),
                key: Arc::clone(&hash_key),
                desks: Desks::default(),
            },
        });
        for priority in Priority::ALL {
            tasks.spawn(pump(Arc::clone(&queue), Arc::clone(&clock), QueueName::Lookup(priority), Arc::clone(&lookup)));
        }
        let make = |sources: &Sources| Ok::<_, lambda_runtime::Error>(connectors::configure_for_use(sources)?.0);
        let versions = Arc::new(Versions::load(settings.clone(), Arc::clone(&clock), files.clone(), make).await?);
        let (kept, sent, now, in_force) = (settings.clone(), Arc::clone(&queue), Arc::clone(&clock), versions.in_force().await);
        let redecide = Redecide { store: kept, queue: sent, clock: now, config: in_force, versions: Some(versions) };
        let score = Arc::new(score_route::App { redecide });
        tasks.spawn(pump(Arc::clone(&queue), Arc::clone(&clock), QueueName::Score, score));
        let (kept, sent, now) = (Arc::clone(&store), Arc::clone(&queue), Arc::clone(&clock));
        let ports = crm_writeback::Ports { store: kept, queue: sent, clock: now, entropy };
        let make = move |sources: &Sources| Ok(ports.app(reach.crm(sources)?));
        let writeback = Arc::new(Versions::load(settings.clone(), Arc::clone(&clock), files.clone(), make).await?);
        tasks.spawn(pump(Arc::clone(&queue), Arc::clone(&clock), QueueName::Writeback, writeback));
        let (kept, now) = (Arc::clone(&store), Arc::clone(&clock));
        let make = move |sources: &Sources| {
            let config = Arc::new(connectors::configure_for_use(sources)?.0);
            Ok::<_, lambda_runtime::Error>(scheduled_refresh::App {
                sweep: Sweep { store: Arc::clone(&kept), clock: Arc::clone(&now), config },
            })
        };
        let refresh = Versions::load(settings.clone(), Arc::clone(&clock), files, make).await?;
        tasks.spawn(tick(refresh, Arc::clone(&clock)));
        let published = settings.active().await?;
        let http = platform::http_client()?.no_proxy().build()?;
        Ok(Self {
            url,
            tables_url,
            sandbox_url,
            store,
            queue,
            config,
            published,
            hash_key,
            clock,
            journal,
            http,
            sandbox,
            waiting,
            _tasks: tasks,
            _folder: folder,
        })
    }
}

/// Reads and checks the configuration in a folder.
///
/// # Errors
/// Says what is wrong with it, with file and line.
pub fn config(folder: &Path) -> Result<Config> {
    configured(&platform::config_folder(folder)?, folder).map(|(config, _)| config)
}

fn configured(sources: &Sources, folder: &Path) -> Result<(Config, Connectors)> {
    connectors::configure(sources).map_err(|findings| anyhow!(findings.below(folder)))
}

/// The tables' file in the folder of `--data`.
pub(crate) const TABLES_FILE: &str = "tables.sqlite";
/// How the names of the local tables begin; `millrace explain` finds them by it.
const TABLE_PREFIX: &str = "millrace";

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.with_context(|| {
        format!("port {port} is taken, most likely by another `cargo dev`; end it, or choose others with --port (0 takes free ones)")
    })
}

fn url_of(listener: &TcpListener) -> std::io::Result<String> {
    listener.local_addr().map(|address| format!("http://{address}"))
}

fn open_database(data: Option<&Path>) -> Result<dynoxide::Database> {
    let Some(folder) = data else { return dynoxide::Database::memory().map_err(|error| anyhow::anyhow!("{error}")) };
    let file = folder.join(TABLES_FILE);
    dynoxide::Database::new(&file.to_string_lossy()).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
}

fn open_queue(data: Option<&Path>, clock: &Arc<dyn Clock>) -> Result<(Arc<dyn Queue>, Option<Waiting>)> {
    let Some(folder) = data else { return Ok((Arc::new(MemoryQueue::new(Arc::clone(clock), RECEIVES_MAX)), None)) };
    let queue = DurableQueue::open(&folder.join("queue.sqlite"), Arc::clone(clock), RECEIVES_MAX)?;
    let waiting = queue.waiting()?;
    Ok((Arc::new(queue), waiting))
}

async fn quietly(server: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = server.await {
        tracing::error!(stage = "local", error = %error, "a server of the local stack has ended");
    }
}
