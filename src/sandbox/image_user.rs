//! The ids behind an image's USER. The engine resolves names when it starts a container; who makes a folder for
//! that user must know them before.

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder};
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::io::Read;

use super::engine::{Engine, EngineError};
use super::image::Image;
use super::teardown;

/// User databases of images are small; a hostile one shall not fill our memory.
const MOST_BYTES: usize = 4 << 20;

/// uid and gid.
pub(crate) type Ids = (u32, u32);

/// What USER says by itself: numbers, or root.
pub(crate) fn by_number(user: &str) -> Option<Ids> {
    look_up(user, "", "")
}

/// What USER means in this image. For names, a container is made, never started, read and removed.
pub(crate) async fn by_name(
    engine: &Engine,
    image: &Image,
    name: &str,
    labels: HashMap<String, String>,
) -> Result<Option<Ids>, EngineError> {
    let failed = |source| EngineError::Call { what: "look into the image", source };
    let volumes = image.settings.volumes.iter();
    let body = ContainerCreateBody {
        image: Some(image.id.clone()),
        entrypoint: Some(vec!["/".into()]),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some("none".into()),
            // So that the engine makes no volumes.
            tmpfs: Some(volumes.map(|path| (path.to_string_lossy().into_owned(), String::new())).collect()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let probe = engine.docker().create_container(Some(options), body).await.map_err(failed)?.id;
    let (passwd, group) =
        tokio::join!(file(engine, &probe, "/etc/passwd"), file(engine, &probe, "/etc/group"));
    teardown::remove_all(engine, &[probe]).await;
    Ok(look_up(&image.settings.user, &passwd.unwrap_or_default(), &group.unwrap_or_default()))
}

async fn file(engine: &Engine, container: &str, path: &str) -> Option<String> {
    let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
    let mut stream = std::pin::pin!(engine.docker().download_from_container(container, Some(options)));
    let mut tar = Vec::new();
    while let Some(bytes) = stream.try_next().await.ok()? {
        tar.extend_from_slice(&bytes);
        if tar.len() > MOST_BYTES {
            return None;
        }
    }
    let mut archive = tar::Archive::new(tar.as_slice());
    let entry = archive.entries().ok()?.next()?.ok()?;
    let mut text = Vec::new();
    entry.take(MOST_BYTES as u64).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// `name`, `1000`, `name:group`, `1000:1000`, or nothing, which is root.
fn look_up(user: &str, passwd: &str, group: &str) -> Option<Ids> {
    let (user, wanted_group) = match user.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (user, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let account = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
        let (name, uid, gid) = (fields.first()?, fields.get(2)?, fields.get(3)?);
        (*name == user || *uid == user).then(|| Some((uid.parse().ok()?, gid.parse().ok()?)))?
    });
    let (uid, own_gid) = match (account, user.parse()) {
        (Some(ids), _) => ids,
        (None, Ok(uid)) => (uid, 0),
        (None, Err(_)) if user == "root" => (0, 0),
        (None, Err(_)) => return None,
    };
    let gid = match wanted_group {
        None => own_gid,
        Some(wanted) => match wanted.parse() {
            Ok(gid) => gid,
            Err(_) => group
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find_map(|fields| (*fields.first()? == wanted).then(|| fields.get(2)?.parse().ok())?)?,
        },
    };
    Some((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\nbroken\n";
    const GROUP: &str = "root:x:0:\nstaff:x:50:\n";

    #[test]
    fn users_as_images_write_them() {
        for (user, ids) in [
            ("", Some((0, 0))),
            ("root", Some((0, 0))),
            ("node", Some((1000, 1001))),
            ("1000", Some((1000, 1001))),
            ("1234", Some((1234, 0))),
            ("node:staff", Some((1000, 50))),
            ("7:8", Some((7, 8))),
            ("nobody-knows", None),
            ("node:no-such", None),
        ] {
            assert_eq!(look_up(user, PASSWD, GROUP), ids, "{user}");
        }
        assert_eq!(by_number("node"), None);
        assert_eq!(by_number("1000:1000"), Some((1000, 1000)));
    }

    proptest! {
        #[test]
        fn no_database_makes_it_panic(user in ".*", passwd in ".*", group in ".*") {
            let _ = look_up(&user, &passwd, &group);
        }
    }
}
