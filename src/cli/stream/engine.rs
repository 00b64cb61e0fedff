//! The engine's raw streams. bollard parses them for us, and in doing so takes a terminal's first bytes for a
//! frame and gathers whole lines and frames; what a workload prints is its own to choose, so here it stays bytes.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::keys::DetachKeys;
use crate::sys::tty::Size;

/// The longest refusal that is read.
const MAX_MESSAGE: usize = 64 * 1024;

/// The engine's socket, and the version of its API that was agreed on.
#[derive(Clone, Debug)]
pub(crate) struct RawEngine {
    pub(crate) socket: PathBuf,
    /// As in its paths: `v1.41`.
    pub(crate) version: (usize, usize),
}

/// Both directions of a workload's streams.
#[derive(Debug)]
pub(crate) struct Hijacked {
    pub(crate) stream: UnixStream,
    /// What came in the same packet as the answer.
    pub(crate) first: Bytes,
}

impl RawEngine {
    /// The streams of a container, from now on.
    pub(crate) async fn attach(&self, container: &str, stdin: bool, keys: &DetachKeys) -> Result<Hijacked> {
        // The engine looks for detach keys too: told ours, it never finds a sequence that we have not.
        let target = format!(
            "/containers/{container}/attach?stream=1&stdin={}&stdout=1&stderr=1&detachKeys={}",
            u8::from(stdin),
            percent_encoded(&keys.to_string())
        );
        self.hijack(&target, Bytes::new()).await.context("could not attach to the sandbox's streams")
    }

    /// Starts an exec that exists, and takes its streams.
    pub(crate) async fn start_exec(&self, exec: &str, tty: bool, size: Option<Size>) -> Result<Hijacked> {
        let mut body = serde_json::json!({ "Detach": false, "Tty": tty });
        // Older engines refuse the key.
        if let (Some(size), true, true) = (size, tty, self.version >= (1, 42)) {
            body["ConsoleSize"] = serde_json::json!([size.rows, size.columns]);
        }
        self.hijack(&format!("/exec/{exec}/start"), body.to_string().into()).await
    }

    /// What a container has printed, as it is kept.
    pub(crate) async fn logs(&self, container: &str, query: &str) -> Result<Incoming> {
        let request = Request::get(self.target(&format!("/containers/{container}/logs?{query}")));
        Ok(self.send(request.header(HOST, "docker").body(Full::default())?).await?.into_body())
    }

    async fn hijack(&self, target: &str, body: Bytes) -> Result<Hijacked> {
        let request = Request::post(self.target(target))
            .header(HOST, "docker")
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "tcp")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let response = self.send(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            bail!("the engine did not hand over the stream (it answered {})", response.status());
        }
        let upgraded = hyper::upgrade::on(response).await?;
        match upgraded.downcast::<TokioIo<UnixStream>>() {
            Ok(parts) => Ok(Hijacked { stream: parts.io.into_inner(), first: parts.read_buf }),
            Err(_) => bail!("the engine's connection is not the socket that was opened"),
        }
    }

    fn target(&self, rest: &str) -> String {
        let (major, minor) = self.version;
        format!("/v{major}.{minor}{rest}")
    }

    /// One request on a connection of its own; an answer that is a refusal becomes an error with its message.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let stream = connect(&self.socket).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the response's body, or when the stream is handed over.
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(request).await?;
        let status = response.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let body = Limited::new(response.into_body(), MAX_MESSAGE).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        bail!("{}", message(status, &body))
    }
}

async fn connect(socket: &Path) -> Result<UnixStream> {
    let connected: io::Result<UnixStream> = UnixStream::connect(socket).await;
    connected.with_context(|| format!("could not reach the Docker Engine at {}", socket.display()))
}

fn message(status: StatusCode, body: &[u8]) -> String {
    let parsed = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = parsed.as_ref().and_then(|value| value.get("message")?.as_str());
    said.map_or_else(|| format!("the engine answered {status}"), str::to_owned)
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        assert_eq!(percent_encoded("ctrl-p,~"), "ctrl%2Dp%2C%7E");
    }

    #[test]
    fn a_refusal_is_in_the_engines_words() {
        let body = br#"{"message":"No such container: x"}"#;
        assert_eq!(message(StatusCode::NOT_FOUND, body), "No such container: x");
        assert_eq!(message(StatusCode::NOT_FOUND, b"<html>"), "the engine answered 404 Not Found");
    }
}
