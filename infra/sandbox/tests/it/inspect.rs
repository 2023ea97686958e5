//! The look into the sandbox.

use std::io::{Read, Write};
use std::net::TcpStream;

use axum::http::Method;
use sandbox::{Latency, Options, Sandbox};
use serde_json::json;
use tokio::net::TcpListener;

use crate::client::Client;

#[tokio::test]
async fn the_page_says_that_everybody_is_invented_and_works_without_scripts() {
    let client = Client::new();
    let page = client.get("/_sandbox").await.text;
    assert!(page.contains("All people and companies here are invented."));
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn the_page_lists_what_was_written_and_asked_and_escapes_it() {
    let client = Client::new();
    let properties = json!({"email": "sam@tinyforge.example", "jobtitle": "<b>Engineer</b>"});
    client.hubspot(Method::POST, "", &json!({"properties": properties})).await;
    let page = client.get("/_sandbox").await.text;
    assert!(page.contains("sam@tinyforge.example") && page.contains("hubspot.create"));
    assert!(page.contains("&lt;b&gt;Engineer") && !page.contains("<b>Engineer"));
    let contacts = client.get("/_sandbox/contacts").await.json();
    assert_eq!(contacts[0]["properties"]["email"], "sam@tinyforge.example");
}

#[tokio::test]
async fn it_serves_over_a_socket_and_clones_share_their_books() {
    let sandbox = Sandbox::new(Options { seed: 1, latency: Latency::Off });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(sandbox::serve(listener, sandbox.clone()));
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /websites/hexa-labs.example/ HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200 OK"));
    assert_eq!(sandbox.requests().len(), 1);
    server.abort();
}
