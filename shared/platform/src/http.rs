//! One TLS setup for whatever a function speaks to, and AWS's SDK on the same HTTP library as providers and CRM (ADR 0007).

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::boot::Boot;

/// The variable that names a file of certificates, in PEM, which are trusted beside the built-in ones: a stand-in's or a proxy's.
pub(crate) const OWN_CERTIFICATES: &str = "SSL_CERT_FILE";

/// A connection is there by then, or the attempt counts as failed.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Why no client can be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsNotReady {
    /// The file that was named cannot be read as certificates.
    #[error("{OWN_CERTIFICATES} names {file}, which cannot be read as PEM certificates: {error}")]
    OwnCertificates {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: rustls::pki_types::pem::Error,
    },
    /// The file that was named can be read, and there is nothing in it to trust.
    #[error("{OWN_CERTIFICATES} names {file}, which holds no certificate that can be used; write them there in PEM, or unset it")]
    NoCertificate {
        /// The file.
        file: String,
    },
    /// The library refuses the setup.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP library refuses the setup.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// Whom we trust: Mozilla's roots as built in, so that no process reads and parses a bundle before its first call, and the
/// certificates in the file that is named.
pub(crate) fn tls(own_certificates: Option<&str>) -> Result<ClientConfig, TlsNotReady> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = own_certificates {
        // A bundle may hold a single one that this library does not understand; the others serve.
        let (added, _) = roots.add_parsable_certificates(read_certificates(file)?);
        if added == 0 {
            return Err(TlsNotReady::NoCertificate { file: file.to_owned() });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read_certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, TlsNotReady> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.map_err(|error| TlsNotReady::OwnCertificates { file: file.to_owned(), error })
}

/// The beginning of an HTTP client with the same trust, for tools that speak to webhooks and stand-ins.
///
/// # Errors
/// [`TlsNotReady`] when the certificates in `SSL_CERT_FILE` cannot be used.
pub fn http_client() -> Result<reqwest::ClientBuilder, TlsNotReady> {
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls(Boot::from_env().own_certificates())?))
}

/// Whether requests go through the proxies that the environment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// They do: an operator's machine may have no other way out.
    OfTheSystem,
    /// They never do: a function reaches AWS directly, and a stand-in is on this machine.
    None,
}

/// What AWS's SDK sends its requests with.
pub(crate) fn sdk_client(tls: ClientConfig, proxies: Proxies) -> Result<SharedHttpClient, TlsNotReady> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .gzip(false) // the SDK checks the bytes as they were sent
        .connect_timeout(CONNECT_WITHIN);
    let client = match proxies {
        Proxies::OfTheSystem => builder.build()?,
        Proxies::None => builder.no_proxy().build()?,
    };
    let connector = SharedHttpConnector::new(Connector(client));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

#[derive(Clone, Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&client, request).await })
    }
}

async fn exchange(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    // DynamoDB, SQS and Secrets Manager get whole bodies; nothing of ours streams.
    let body = body.bytes().ok_or_else(|| ConnectorError::user("a streamed body".into()))?.to_vec();
    let request = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
    let answer = request.send().await.map_err(failure)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = http::Response::new(SdkBody::from(answer.bytes().await.map_err(failure)?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The SDK sends again what was cut off or came too late.
fn failure(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::path::PathBuf;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// PEM around bytes that are no certificate.
    const UNPARSABLE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    /// Answers every request on its own connection; gives back where, and the certificate to trust.
    async fn serve() -> (String, PathBuf, tempfile::TempDir) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.pem");
        std::fs::write(&file, cert.pem()).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust us breaks off.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 418 I'm a teapot\r\nx-a: b\r\ncontent-length: 3\r\n\r\ntea").await;
            }
        });
        (url, file, folder)
    }

    async fn get(url: &str, tls: ClientConfig) -> Result<HttpResponse, ConnectorError> {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request.set_uri(url).unwrap();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap();
        Connector(client).call(request).await
    }

    #[tokio::test]
    async fn an_own_certificate_is_trusted_and_the_answer_comes_back_whole() {
        let (url, file, _folder) = serve().await;
        let answer = get(&url, tls(file.to_str()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 418);
        assert_eq!(answer.headers().get("x-a"), Some("b"));
        assert_eq!(answer.body().bytes(), Some("tea".as_bytes()));
    }

    #[tokio::test]
    async fn a_stranger_is_not_trusted() {
        let (url, _, _folder) = serve().await;
        let error = get(&url, tls(None).unwrap()).await.unwrap_err();
        let mut cause: &dyn std::error::Error = error.source().unwrap();
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        assert!(error.is_io() && cause.to_string().contains("UnknownIssuer"), "{cause}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_variable() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["no-such-file.pem", folder.path().to_str().unwrap()] {
            let error = tls(Some(file)).unwrap_err();
            assert!(matches!(error, TlsNotReady::OwnCertificates { .. }), "{error}");
            assert!(error.to_string().contains(OWN_CERTIFICATES) && error.to_string().contains(file), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_that_can_be_used_is_named_with_its_variable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.pem");
        for text in ["", "no PEM at all\n", UNPARSABLE] {
            std::fs::write(&file, text).unwrap();
            let error = tls(file.to_str()).unwrap_err();
            assert!(matches!(error, TlsNotReady::NoCertificate { .. }), "{error}");
            assert!(error.to_string().contains(OWN_CERTIFICATES) && error.to_string().contains("own.pem"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_understood_does_not_take_the_others_with_it() {
        let (url, file, _folder) = serve().await;
        let good = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{UNPARSABLE}{good}")).unwrap();
        assert_eq!(get(&url, tls(file.to_str()).unwrap()).await.unwrap().status().as_u16(), 418);
    }
}
