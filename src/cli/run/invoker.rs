//! Who calls creel. Under sudo that is the person who called sudo: the files are theirs.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::sandbox::spec::Invoker;

/// From the process's credentials and environment, and the user database: read as a file, since the C library's
/// own way loads code at run time, which a static program can't.
pub(crate) fn invoker() -> Result<Invoker> {
    let passwd = std::fs::read("/etc/passwd").context("could not read /etc/passwd")?;
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    from(uid, gid, &passwd, |key| std::env::var_os(key))
}

fn from(uid: u32, gid: u32, passwd: &[u8], var: impl Fn(&str) -> Option<OsString>) -> Result<Invoker> {
    let number = |key: &str| -> Result<Option<u32>> {
        let Some(value) = var(key).filter(|_| uid == 0) else { return Ok(None) };
        let number = value.to_str().and_then(|text| text.parse().ok());
        number.map(Some).with_context(|| format!("{key} is “{}”, and no number", value.display()))
    };
    let sudo = number("SUDO_UID")?.zip(number("SUDO_GID")?);
    let (uid, gid) = sudo.unwrap_or((uid, gid));
    let account = account(uid, passwd);
    let own_home = var("HOME").map(PathBuf::from).filter(|home| home.is_absolute() && sudo.is_none());
    let home = own_home.or_else(|| account.as_ref().map(|account| account.home.clone()));
    Ok(Invoker {
        uid,
        gid,
        name: account.map_or_else(|| format!("user{uid}"), |account| account.name),
        home: home.with_context(|| {
            format!(
                "user {uid} has no home directory: HOME is not set, and /etc/passwd does not know the user"
            )
        })?,
    })
}

struct Account {
    name: String,
    home: PathBuf,
}

/// passwd(5).
fn account(uid: u32, passwd: &[u8]) -> Option<Account> {
    passwd.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = std::str::from_utf8(line).ok()?.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(())?;
        let home = PathBuf::from(fields.nth(2)?);
        home.is_absolute().then(|| Account { name: name.to_owned(), home })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/bash\n\xff\nann:x:1000:1000::/home/ann:/bin/sh\nodd:x:7:7::nowhere:\n";

    fn who(uid: u32, env: &[(&str, &str)]) -> Result<(u32, u32, String, String)> {
        let var = |key: &str| env.iter().find(|(k, _)| *k == key).map(|(_, v)| OsString::from(v));
        let who = from(uid, uid, PASSWD, var)?;
        Ok((who.uid, who.gid, who.name, who.home.display().to_string()))
    }

    #[test]
    fn sudo_is_seen_through_by_root_alone() -> Result<()> {
        let sudo = [("SUDO_UID", "1000"), ("SUDO_GID", "1001"), ("HOME", "/root")];
        assert_eq!(who(0, &sudo)?, (1000, 1001, "ann".into(), "/home/ann".into()));
        assert_eq!(who(7, &sudo)?, (7, 7, "user7".into(), "/root".into()));
        assert_eq!(who(0, &[("HOME", "/tmp/h")])?, (0, 0, "root".into(), "/tmp/h".into()));
        assert_eq!(who(1000, &[])?.3, "/home/ann");
        assert!(who(0, &[("SUDO_UID", "x"), ("SUDO_GID", "0")]).is_err());
        assert!(who(7, &[]).is_err());
        Ok(())
    }

    proptest! {
        #[test]
        fn no_passwd_panics(passwd in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = account(0, &passwd);
        }
    }
}
