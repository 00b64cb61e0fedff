//! The connection to the local Docker Engine: where it is, whether it answers, and which API it speaks.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{ClientVersion, Docker};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Docker 20.10. Nothing older has `cgroupns`, which keeps the host's cgroup paths out of sight.
const OLDEST: ApiVersion = ApiVersion { major: 1, minor: 41 };
/// For one call. Pulls stream, so this bounds the wait for their first byte alone.
const CALL_TIMEOUT_SECONDS: u64 = 120;
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// More than any engine's ping answer; a stranger on the socket can't fill our memory.
const PING_LIMIT: u64 = 16 * 1024;

/// Why no engine can be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error(
        "{origin} points at {host}, an engine that is reached over the network. creel shares files and processes \
         with its engine, so run creel on that host, or unset {origin}"
    )]
    Remote { origin: String, host: String },
    #[error(
        "no Docker Engine at {}: the socket is not there. Start it (`sudo systemctl start docker`), or install it \
         (`sudo apt install docker.io`)", .0.display()
    )]
    Absent(PathBuf),
    #[error(
        "no Docker Engine answers at {}: the socket is there, but nobody listens. Start the engine \
         (`sudo systemctl start docker`)", .0.display()
    )]
    Silent(PathBuf),
    #[error(
        "you may not use the Docker socket {}: become a member of its group (`sudo usermod -aG docker $USER`, then \
         log in again), or call creel with sudo", .0.display()
    )]
    Forbidden(PathBuf),
    #[error(
        "the Docker Engine at {} is {version}, with API {api}; creel needs 20.10 (API {OLDEST}) or later", .socket.display()
    )]
    TooOld { socket: PathBuf, version: String, api: ApiVersion },
    #[error(
        "what answers at {} is not a Docker Engine on Linux but “{server}”. Point DOCKER_HOST at Docker's own socket",
        .socket.display()
    )]
    NotDocker { socket: PathBuf, server: String },
    #[error(
        "the engine at {} runs on another machine (its kernel is {engine}, this one's {here}), as Docker Desktop's \
         does. creel needs an engine on the same kernel: install Docker Engine here, or run creel inside that machine",
        .socket.display()
    )]
    OtherKernel { socket: PathBuf, engine: String, here: String },
    #[error(
        "the Docker context “{name}” can't be read: {why}. Choose another (`docker context use default`)"
    )]
    Context { name: String, why: String },
    #[error("the Docker Engine at {} can't be reached: {source}", .socket.display())]
    Unreachable { socket: PathBuf, source: io::Error },
    #[error("the Docker Engine could not {what}: {source}")]
    Call { what: &'static str, source: bollard::errors::Error },
}

/// Two numbers, as in `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, Deserialize)]
pub(crate) struct ApiVersion {
    pub(crate) major: usize,
    pub(crate) minor: usize,
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(Self { major: major.parse().map_err(drop)?, minor: minor.parse().map_err(drop)? })
    }
}

/// Where the engine's socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) socket: PathBuf,
}

impl Address {
    /// As docker's own client decides: DOCKER_HOST, then DOCKER_CONTEXT, then the context in use, then the default.
    pub(crate) fn from_env(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, EngineError> {
        let text = |key: &str| {
            var(key).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
        };
        if let Some(host) = text("DOCKER_HOST") {
            return Self::parse(&host, "DOCKER_HOST");
        }
        let config = text("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| text("HOME").map(|home| Path::new(&home).join(".docker")));
        let context = text("DOCKER_CONTEXT").or_else(|| current_context(config.as_deref()?));
        match (context, config) {
            (Some(name), Some(config)) if name != "default" => {
                let host = context_host(&config, &name)?;
                Self::parse(&host, &format!("the Docker context “{name}”"))
            }
            _ => Ok(Self { socket: DEFAULT_SOCKET.into() }),
        }
    }

    fn parse(host: &str, origin: &str) -> Result<Self, EngineError> {
        match host.strip_prefix("unix://") {
            Some(path) if path.starts_with('/') => Ok(Self { socket: path.into() }),
            _ => Err(EngineError::Remote { origin: origin.to_owned(), host: host.to_owned() }),
        }
    }
}

/// `currentContext` of docker's config.json; a broken file is docker's matter, and means the default.
fn current_context(config: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "currentContext")]
        current: Option<String>,
    }
    let text = std::fs::read(config.join("config.json")).ok()?;
    serde_json::from_slice::<Config>(&text).ok()?.current.filter(|name| !name.is_empty())
}

/// Contexts are kept in folders that are named by the hash of the context's name.
fn context_host(config: &Path, name: &str) -> Result<String, EngineError> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "Endpoints")]
        endpoints: std::collections::BTreeMap<String, Endpoint>,
    }
    #[derive(Deserialize)]
    struct Endpoint {
        #[serde(rename = "Host")]
        host: Option<String>,
    }
    let broken = |why: String| EngineError::Context { name: name.to_owned(), why };
    let folder: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = config.join("contexts/meta").join(folder).join("meta.json");
    let text = std::fs::read(&file).map_err(|e| broken(format!("{}: {e}", file.display())))?;
    let mut meta: Meta =
        serde_json::from_slice(&text).map_err(|e| broken(format!("{}: {e}", file.display())))?;
    let endpoint = meta.endpoints.remove("docker").and_then(|docker| docker.host);
    endpoint.ok_or_else(|| broken("it names no docker endpoint".into()))
}

/// A connection, with the API version that both sides speak.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    docker: Docker,
    socket: PathBuf,
    version: String,
    api: ApiVersion,
}

impl Engine {
    /// One cheap call (`/_ping`, as docker's client does) says that the engine is there, which it is, and what it
    /// speaks: `/version` takes ten times as long, since it runs runc to ask it.
    pub(crate) async fn connect(address: &Address) -> Result<Self, EngineError> {
        let socket = &address.socket;
        let pong = tokio::time::timeout(PING_TIMEOUT, ping(socket))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => EngineError::Absent(socket.clone()),
                io::ErrorKind::ConnectionRefused => EngineError::Silent(socket.clone()),
                io::ErrorKind::PermissionDenied => EngineError::Forbidden(socket.clone()),
                _ => EngineError::Unreachable { socket: socket.clone(), source: error },
            })?;
        let Some((version, api)) = pong.docker() else {
            return Err(EngineError::NotDocker { socket: socket.clone(), server: pong.server });
        };
        if api < OLDEST {
            return Err(EngineError::TooOld { socket: socket.clone(), version, api });
        }
        let newest = bollard::API_DEFAULT_VERSION;
        let api = api.min(ApiVersion { major: newest.major_version, minor: newest.minor_version });
        let spoken = ClientVersion { major_version: api.major, minor_version: api.minor };
        let docker = Docker::connect_with_unix(&socket.to_string_lossy(), CALL_TIMEOUT_SECONDS, &spoken)
            .map_err(|source| EngineError::Call { what: "be connected to", source })?;
        Ok(Self { docker, socket: socket.clone(), version, api })
    }

    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The engine's own, such as `20.10.24`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What is spoken: the lower of the engine's and ours.
    pub(crate) fn api(&self) -> ApiVersion {
        self.api
    }
}

/// What the headers of `/_ping` say.
#[derive(Debug, Default, PartialEq)]
struct Pong {
    server: String,
    api: String,
    os: String,
}

impl Pong {
    fn docker(&self) -> Option<(String, ApiVersion)> {
        let version = self.server.strip_prefix("Docker/")?.split(' ').next()?;
        let api = self.api.parse().ok()?;
        (self.os == "linux" && !version.is_empty()).then(|| (version.to_owned(), api))
    }

    fn parse(head: &str) -> Self {
        let mut pong = Self::default();
        for line in head.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value: String = value.trim().chars().filter(|c| !c.is_control()).take(100).collect();
            match key.to_ascii_lowercase().as_str() {
                "server" => pong.server = value,
                "api-version" => pong.api = value,
                "ostype" => pong.os = value,
                _ => {}
            }
        }
        pong
    }
}

async fn ping(socket: &Path) -> io::Result<Pong> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(PING_LIMIT).read_to_end(&mut answer).await?;
    Ok(Pong::parse(&String::from_utf8_lossy(&answer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(pairs: &[(&str, &str)]) -> Result<Address, EngineError> {
        Address::from_env(|key| pairs.iter().find(|(k, _)| *k == key).map(|(_, v)| v.into()))
    }

    #[test]
    fn docker_host_wins_and_a_network_address_is_refused_by_name() {
        let unix = address(&[("DOCKER_HOST", "unix:///run/x.sock"), ("DOCKER_CONTEXT", "far")]);
        assert_eq!(unix.expect("local").socket, Path::new("/run/x.sock"));
        for host in ["tcp://10.0.0.1:2375", "ssh://me@far", "npipe:////./pipe/docker", "unix://relative"] {
            let error = address(&[("DOCKER_HOST", host)]).expect_err(host).to_string();
            assert!(error.contains(host) && error.contains("run creel on that host"), "{error}");
        }
        assert_eq!(address(&[]).expect("default").socket, Path::new(DEFAULT_SOCKET));
    }

    #[test]
    fn the_context_in_use_is_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().to_str().expect("plain");
        let config = dir.path().join(".docker");
        // sha256("rootless")
        let folder: String = Sha256::digest(b"rootless").iter().map(|b| format!("{b:02x}")).collect();
        let meta = config.join("contexts/meta").join(folder);
        std::fs::create_dir_all(&meta).expect("made");
        std::fs::write(config.join("config.json"), r#"{"currentContext":"rootless"}"#).expect("written");
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"rootless","Endpoints":{"docker":{"Host":"unix:///run/user/1/d.sock"}}}"#,
        )
        .expect("written");
        assert_eq!(address(&[("HOME", home)]).expect("context").socket, Path::new("/run/user/1/d.sock"));
        let missing = address(&[("HOME", home), ("DOCKER_CONTEXT", "gone")]).expect_err("no such context");
        assert!(missing.to_string().contains("“gone”"), "{missing}");
        let default = address(&[("HOME", home), ("DOCKER_CONTEXT", "default")]).expect("default");
        assert_eq!(default.socket, Path::new(DEFAULT_SOCKET));
    }

    #[test]
    fn ping_headers_tell_docker_from_others() {
        let docker = Pong::parse(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n\r\nOK",
        );
        assert_eq!(docker.docker(), Some(("20.10.24+dfsg1".into(), ApiVersion { major: 1, minor: 41 })));
        let podman =
            Pong::parse("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Libpod/5.4 (linux)\r\n\r\nOK");
        assert_eq!(podman.docker(), None);
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_ping_parser_panic(text in ".*") {
            let _ = Pong::parse(&text).docker();
        }
    }
}
