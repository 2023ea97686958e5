//! HTTP as API Gateway would pass it on.

use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use signup_webhook::App;

/// API Gateway's own limit.
const BODY_MAX_BYTES: usize = 10 * 1024 * 1024;

/// Serves the webhook function until the task is dropped.
///
/// # Errors
/// Passes on what the listener says.
pub(crate) async fn serve(listener: tokio::net::TcpListener, app: Arc<App>) -> std::io::Result<()> {
    let router = Router::new().fallback(pass_on).with_state(app);
    axum::serve(listener, router).await
}

async fn pass_on(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else { return plain(StatusCode::PAYLOAD_TOO_LARGE) };
    let mut event = ApiGatewayV2httpRequest::default();
    event.raw_path = Some(parts.uri.path().to_owned());
    event.request_context.http.method = parts.method;
    event.headers = parts.headers;
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) => event.body = Some(text),
        Err(_) => {
            event.body = Some(base64(&bytes));
            event.is_base64_encoded = true;
        }
    }
    let answer = signup_webhook::handle(&app, event).await;
    let status = u16::try_from(answer.status_code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let body = match answer.body {
        Some(aws_lambda_events::encodings::Body::Text(text)) => Body::from(text),
        Some(aws_lambda_events::encodings::Body::Binary(bytes)) => Body::from(bytes),
        _ => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
