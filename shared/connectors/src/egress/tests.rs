//! The way out against every spelling of an inside (RELIABILITY §2, SSRF).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::names::{Guard, NotPublic};
use super::{Allowed, Call, Duration, Egress, Failure, HeaderMap, Method, NOT_PUBLIC, Page, Redirects, Url, is_public};

const SECOND: Duration = Duration::from_secs(1);

/// Names of a world without a network.
#[derive(Default)]
struct Names(BTreeMap<&'static str, Vec<&'static str>>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.get(name.as_str()).map(|addresses| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
            addresses
        });
        Box::pin(async move {
            match found {
                Some(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                None => Err("no such name".into()),
            }
        })
    }
}

/// Trusts nobody: nothing here speaks TLS.
fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

fn egress(allowed: &[String], names: impl Resolve + 'static) -> Egress {
    Egress::with_names(allowed.iter().cloned(), tls(), Arc::new(names)).unwrap()
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    place
}

async fn page(egress: &Egress, url: &str) -> Result<Page, Failure> {
    egress.page(Url::parse(url).unwrap(), SECOND).await
}

const CLOSED: &[&str] = &[
    // private, loopback, link-local, metadata
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "168.63.129.16",
    // shared, protocol, documentation, relays, benchmarks, multicast, reserved, broadcast
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    // the same in version 6
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "5f00::1",
    "4000::1",
    // mapped, compatible, translated, tunnelled
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:7f00:1",
];

const OPEN: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.3.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
    "3ffe::1",
];

#[test]
fn every_closed_range_is_closed_and_its_neighbours_are_open() {
    assert!(CLOSED.len() >= 45);
    for text in CLOSED {
        assert!(!is_public(text.parse::<IpAddr>().unwrap()), "{text}");
    }
    for text in OPEN {
        assert!(is_public(text.parse::<IpAddr>().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn every_closed_address_is_refused_in_a_url_and_behind_a_name() {
    for text in CLOSED {
        let host = if text.contains(':') { format!("[{text}]") } else { (*text).to_owned() };
        let outside = egress(&[], Names(BTreeMap::from([("inside.example", vec![*text])])));
        assert_eq!(page(&outside, &format!("http://{host}/")).await.err(), Some(NOT_PUBLIC), "{text}");
        assert_eq!(page(&outside, "http://inside.example/").await.err(), Some(NOT_PUBLIC), "{text} behind a name");
    }
}

#[tokio::test]
async fn odd_spellings_of_an_inside_are_refused() {
    let names = || {
        let inside = ["localhost", "localhost.", "app.localhost", "metadata.google.internal", "127.0.0.1.nip.io"];
        Names(inside.into_iter().map(|name| (name, vec!["127.0.0.1"])).collect())
    };
    for url in [
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:127.0.0.1]/",
        "http://[::]/",
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST/",
        "http://app.localhost/",
        "http://metadata.google.internal/",
        "http://127.0.0.1.nip.io/",
        "https://127.0.0.1/",
        "http://127.0.0.1:443/",
    ] {
        assert_eq!(page(&egress(&[], names()), url).await.err(), Some(NOT_PUBLIC), "{url}");
    }
}

#[tokio::test]
async fn other_schemes_ports_and_user_names_are_refused() {
    for url in [
        "ftp://acme.io/",
        "file:///etc/passwd",
        "gopher://acme.io/",
        "data:text/html,x",
        "http://acme.io:22/",
        "http://acme.io:8080/",
        "https://acme.io:6379/",
        "http://acme.io:0/",
        "http://user@acme.io/",
        "http://user:password@acme.io/",
        "http://:password@acme.io/",
        "http://acme.io@127.0.0.1/",
        "http://acme.io:80@127.0.0.1/",
        "http://1.1.1.1:8443/",
    ] {
        let refused = page(&egress(&[], Names::default()), url).await.err();
        assert!(matches!(refused, Some(Failure::Refused(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn of_mixed_addresses_only_the_public_ones_are_left() {
    let names = Names(BTreeMap::from([("mixed.example", vec!["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111", "::ffff:127.0.0.1"])]));
    let guard = Guard { names: Arc::new(names), allowed: Arc::default() };
    let left: Vec<String> =
        guard.resolve("mixed.example".parse().unwrap()).await.unwrap().map(|address| address.ip().to_string()).collect();
    assert_eq!(left, ["1.1.1.1", "2606:4700::1111"]);
}

#[tokio::test]
async fn a_name_that_turns_inside_between_two_look_ups_is_refused_at_the_second() {
    struct Turning(AtomicUsize);
    impl Resolve for Turning {
        fn resolve(&self, _: Name) -> Resolving {
            let address: IpAddr = if self.0.fetch_add(1, Ordering::SeqCst) == 0 { [1, 1, 1, 1].into() } else { [127, 0, 0, 1].into() };
            Box::pin(async move { Ok(Box::new(std::iter::once(SocketAddr::new(address, 0))) as Addrs) })
        }
    }
    let guard = Guard { names: Arc::new(Turning(AtomicUsize::new(0))), allowed: Arc::default() };
    assert!(guard.resolve("turning.example".parse().unwrap()).await.is_ok());
    let second = guard.resolve("turning.example".parse().unwrap()).await.err().unwrap();
    assert!(second.is::<NotPublic>());
}

#[tokio::test]
async fn the_allow_list_opens_exactly_its_places() {
    let place = serve(Router::new().route("/", get(|| async { "in" }))).await;
    let open = egress(std::slice::from_ref(&place), Names::default());
    assert_eq!(page(&open, &format!("http://{place}/")).await.unwrap().answer.body, b"in");
    let other = serve(Router::new()).await;
    for url in [format!("http://{other}/"), "http://127.0.0.1/".to_owned(), "http://127.0.0.1:443/".to_owned()] {
        assert!(matches!(page(&open, &url).await.err(), Some(Failure::Refused(_))), "{url}");
    }
    // A listed name is not a way to its other ports.
    let named = egress(&["sandbox.example:7702".to_owned()], Names(BTreeMap::from([("sandbox.example", vec!["127.0.0.1"])])));
    assert!(matches!(page(&named, "http://sandbox.example/").await.err(), Some(Failure::Refused(_))));
}

#[test]
fn the_allow_list_takes_nothing_but_host_and_port() {
    for entry in ["", "127.0.0.1", "http://127.0.0.1:80", "127.0.0.1:x", "127.0.0.1:80/path", "user@127.0.0.1:80", ":80", "*:80"] {
        assert!(Allowed::parse([entry.to_owned()]).is_err(), "{entry}");
    }
    for entry in ["127.0.0.1:7702", "localhost:80", "[::1]:443"] {
        assert!(Allowed::parse([entry.to_owned()]).is_ok(), "{entry}");
    }
}

#[tokio::test]
async fn redirects_are_checked_one_by_one_and_three_at_most() {
    let to = |target: &'static str| get(move || async move { (StatusCode::FOUND, [(header::LOCATION, target)]) });
    let router = Router::new()
        .route("/three", to("/two"))
        .route("/four", to("/three"))
        .route("/two", to("/one"))
        .route("/one", to("/"))
        .route("/", get(|| async { "page" }))
        .route("/metadata", to("http://169.254.169.254/latest/meta-data/"))
        .route("/inside", to("http://inside.example/"))
        .route("/port", to("http://acme.io:22/"))
        .route("/file", to("file:///etc/passwd"))
        .route("/user", to("//user@acme.io/"))
        .route("/nowhere", get(|| async { StatusCode::FOUND }));
    let place = serve(router).await;
    let open = egress(std::slice::from_ref(&place), Names(BTreeMap::from([("inside.example", vec!["192.168.1.1"])])));
    let three = page(&open, &format!("http://{place}/three")).await.unwrap();
    assert_eq!((three.answer.body.as_slice(), three.url.path()), (b"page".as_slice(), "/"));
    for path in ["four", "metadata", "inside", "port", "file", "user", "nowhere"] {
        let refused = page(&open, &format!("http://{place}/{path}")).await.err();
        assert!(matches!(refused, Some(Failure::Refused(_))), "{path}: {refused:?}");
    }
    let call = |path: &str, redirects| Call {
        method: Method::GET,
        url: Url::parse(&format!("http://{place}/{path}")).unwrap(),
        headers: HeaderMap::new(),
        redirects,
        body: None,
        most_bytes: super::BODY_MAX_BYTES,
    };
    let followed = open.send(call("three", Redirects::Followed), SECOND).await.unwrap();
    assert_eq!(followed.body, b"page");
    assert_eq!(open.send(call("three", Redirects::Refused), SECOND).await.unwrap().status, 302);
    assert!(matches!(open.send(call("metadata", Redirects::Followed), SECOND).await, Err(Failure::Refused(_))));
}

#[tokio::test]
async fn no_body_grows_without_end_and_none_is_unpacked() {
    let long = axum::body::Bytes::from(vec![b'a'; 2 * 1024 * 1024 + 1]);
    let streamed = long.clone();
    let router = Router::new()
        .route("/announced", get(move || async move { long }))
        .route("/streamed", get(move || async move { endless(streamed) }))
        .route("/asks", get(|headers: axum::http::HeaderMap| async move { format!("{:?}", headers.get("accept-encoding")) }))
        .route("/packed", get(|| async { ([(header::CONTENT_ENCODING, "gzip")], "as it came") }));
    let place = serve(router).await;
    let open = egress(std::slice::from_ref(&place), Names::default());
    for path in ["announced", "streamed"] {
        assert_eq!(page(&open, &format!("http://{place}/{path}")).await.err(), Some(Failure::TooLong), "{path}");
    }
    assert_eq!(page(&open, &format!("http://{place}/asks")).await.unwrap().answer.body, b"None");
    assert_eq!(page(&open, &format!("http://{place}/packed")).await.unwrap().answer.body, b"as it came");
}

/// A body of unknown length, which never ends.
fn endless(chunk: axum::body::Bytes) -> axum::body::Body {
    axum::body::Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::convert::Infallible>(chunk.clone())))
}

#[tokio::test]
async fn failures_are_told_apart() {
    let slow = serve(Router::new().route("/", get(|| async { tokio::time::sleep(10 * SECOND).await }))).await;
    let down = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let cut = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cut_place = cut.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = cut.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    });
    let open = egress(&[slow.clone(), down.clone(), cut_place.clone()], Names::default());
    let short = Duration::from_millis(50);
    assert_eq!(open.page(Url::parse(&format!("http://{slow}/")).unwrap(), short).await.err(), Some(Failure::TimedOut));
    assert_eq!(page(&open, &format!("http://{down}/")).await.err(), Some(Failure::NoConnection));
    assert_eq!(page(&open, &format!("http://{cut_place}/")).await.err(), Some(Failure::Broken));
    assert_eq!(page(&open, "http://nobody.example/").await.err(), Some(Failure::NoSuchName));
}
