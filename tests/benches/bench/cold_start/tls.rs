//! HTTPS on loopback under a throw-away authority.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

/// Where machines keep their root certificates.
const BUNDLES: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Who vouches for the stand-ins.
pub(super) struct Authority {
    /// Its own certificate, for whoever adds it to roots of their own.
    pub(super) certificate: PathBuf,
    /// The machine's roots and this one, for whoever takes one file instead of its own roots.
    pub(super) bundle: PathBuf,
    /// How many roots the bundle has.
    pub(super) roots: usize,
    acceptor: TlsAcceptor,
}

impl Authority {
    /// Makes one and keeps its certificate in `folder`.
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Throw-away authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let system = BUNDLES.iter().find_map(|path| std::fs::read_to_string(path).ok()).context("this machine has no root certificates")?;
        let (certificate, bundle) = (folder.join("authority.pem"), folder.join("bundle.pem"));
        let everybody = format!("{system}\n{}", issuer.pem());
        std::fs::write(&certificate, issuer.pem())?;
        std::fs::write(&bundle, &everybody)?;
        let roots = everybody.matches("BEGIN CERTIFICATE").count();
        Ok(Self { certificate, bundle, roots, acceptor: TlsAcceptor::from(Arc::new(server_config(&issuer)?)) })
    }

    /// Listens on a free port. Handshakes are made side by side, so that none waits for another.
    pub(super) async fn listen(&self, tasks: &mut JoinSet<()>) -> std::io::Result<TlsListener> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, accepted) = mpsc::channel(16);
        let acceptor = self.acceptor.clone();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    // A client that breaks off is its own affair.
                    let _ = stream.set_nodelay(true);
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = sender.send(stream).await;
                    }
                });
            }
        });
        Ok(TlsListener { address, accepted })
    }
}

/// A certificate for `localhost`, as short a chain as there is; AWS speaks HTTP/1.1 to these services.
fn server_config(issuer: &CertifiedIssuer<'_, KeyPair>) -> anyhow::Result<ServerConfig> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Connections after their handshakes.
pub(super) struct TlsListener {
    address: SocketAddr,
    accepted: mpsc::Receiver<TlsStream<TcpStream>>,
}

impl TlsListener {
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(stream) => (stream, self.address),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
