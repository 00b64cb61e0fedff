//! Options of `docker run` that creel knows and does not take: each would open the sandbox, or has a place of
//! its own in the policy. They are recognised, so that whoever types them is told where to go.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// One such option.
struct Refused {
    long: &'static str,
    short: Option<char>,
    /// It is followed by a value.
    valued: bool,
    /// Values that ask for what is the case anyway.
    harmless: &'static [&'static str],
    /// Why not, and what does what is wanted; after “--OPTION VALUE ”.
    why: &'static str,
}

const fn flag(long: &'static str, why: &'static str) -> Refused {
    Refused { long, short: None, valued: false, harmless: &[], why }
}

const fn valued(long: &'static str, harmless: &'static [&'static str], why: &'static str) -> Refused {
    Refused { long, short: None, valued: true, harmless, why }
}

const fn short(short: char, refused: Refused) -> Refused {
    Refused { short: Some(short), ..refused }
}

const TABLE: [Refused; 36] = [
    flag(
        "privileged",
        "would give the workload the whole machine; a single right from the short list comes back with sandbox.capabilities, such as --set 'sandbox.capabilities=[\"CHOWN\"]'",
    ),
    valued(
        "cap-add",
        &[],
        "is not taken from the command line's own options; sandbox.capabilities gives back CHOWN, FOWNER, DAC_OVERRIDE, SETUID, SETGID and NET_BIND_SERVICE, and any other would undo the sandbox",
    ),
    valued(
        "device",
        &[],
        "would give the workload hardware that no rule watches; files of the host come in with sandbox.read_only_paths",
    ),
    valued(
        "device-cgroup-rule",
        &[],
        "would give the workload hardware that no rule watches; files of the host come in with sandbox.read_only_paths",
    ),
    valued("gpus", &[], "would give the workload a driver of the host's kernel, which creel can't watch"),
    valued(
        "pid",
        &["private"],
        "would show the workload processes that are not its own, and let it reach them; programs that must see each other belong into one sandbox: creel exec NAME COMMAND",
    ),
    valued(
        "ipc",
        &["private", "none"],
        "would share memory with processes outside the sandbox; sandbox.shm sets the size of its own /dev/shm",
    ),
    valued("uts", &[], "would let the sandbox see the host's name as its own; --name gives it one"),
    valued(
        "userns",
        &[],
        "would take the workload out of the engine's own user mapping; sandbox.user says who it runs as",
    ),
    valued(
        "cgroupns",
        &["private"],
        "would show the workload the host's control groups; [limits] sets its share",
    ),
    valued(
        "cgroup-parent",
        &[],
        "would put the workload under limits that are not the policy's; [limits] sets them",
    ),
    valued(
        "security-opt",
        &["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"],
        "would replace what holds the sandbox together; debugging inside needs sandbox.debugging = true alone",
    ),
    valued(
        "group-add",
        &[],
        "would give the workload the rights of another group of the host; sandbox.user = \"UID:GID\" chooses its group",
    ),
    valued(
        "sysctl",
        &[],
        "would change the kernel's settings around the supervisor; [limits] and [sandbox] have what a workload may set",
    ),
    valued(
        "volumes-from",
        &[],
        "would mount what another container was given, unchecked; name the paths with -v, or with sandbox.read_only_paths and sandbox.read_write_paths",
    ),
    valued(
        "mount",
        &[],
        "is not taken; -v SOURCE:TARGET[:ro] and --tmpfs PATH mount the same, and are checked",
    ),
    valued("volume-driver", &[], "would mount what creel can't cap; -v takes folders of the host"),
    valued(
        "link",
        &[],
        "would open a way to another container; the sandbox has no network yet (network.default = \"deny\")",
    ),
    valued(
        "add-host",
        &[],
        "has no effect without a network, and the sandbox has none yet (network.default = \"deny\")",
    ),
    valued(
        "dns",
        &[],
        "has no effect without a network, and the sandbox has none yet (network.default = \"deny\")",
    ),
    valued(
        "ip",
        &[],
        "has no effect without a network, and the sandbox has none yet (network.default = \"deny\")",
    ),
    valued(
        "network-alias",
        &[],
        "has no effect without a network, and the sandbox has none yet (network.default = \"deny\")",
    ),
    short(
        'P',
        flag(
            "publish-all",
            "would open every port that the image names; the sandbox has no network yet (network.default = \"deny\")",
        ),
    ),
    valued("hostname", &[], "is not taken; the sandbox's name is its host name: --name"),
    valued(
        "restart",
        &["no"],
        "would start the workload again behind the monitor's back; creel's own restarts ([recovery]) come with a later version",
    ),
    valued(
        "runtime",
        &["runc"],
        "is not an option here; sandbox.runtime = \"NAME\" chooses another runtime of the engine's",
    ),
    flag(
        "oom-kill-disable",
        "would let the workload hang the machine for want of memory; limits.memory gives it more",
    ),
    valued(
        "oom-score-adj",
        &[],
        "would have the kernel kill others first; limits.memory gives the workload more",
    ),
    valued("memory-swap", &[], "would let the workload exceed limits.memory, which includes swap"),
    valued("memory-swappiness", &[], "would let the workload exceed limits.memory, which includes swap"),
    valued(
        "log-driver",
        &[],
        "would take the output away from creel logs; pipe it where it should go: creel logs -f NAME",
    ),
    valued(
        "log-opt",
        &[],
        "would take the output away from creel logs; pipe it where it should go: creel logs -f NAME",
    ),
    valued(
        "storage-opt",
        &[],
        "is not taken; the sandbox's root is read-only, and sandbox.home and sandbox.tmp set the sizes of what is not",
    ),
    valued(
        "health-cmd",
        &[],
        "would run commands behind the supervisor's back; [recovery] has health checks in a later version",
    ),
    valued("cpuset-cpus", &[], "is not taken; limits.cpus (--cpus) sets the share of the processors"),
    short(
        'c',
        valued("cpu-shares", &[], "is not taken; limits.cpus (--cpus) sets the share of the processors"),
    ),
];

/// What creel does anyway, so that habit costs nothing.
const ALREADY_SO: [(&str, bool); 4] =
    [("read-only", false), ("init", false), ("no-healthcheck", false), ("cap-drop", true)];

/// The first such option on the command line, as a sentence.
#[derive(Clone, Debug, Default)]
pub(crate) struct RefusedArgs {
    pub(crate) sentence: Option<String>,
}

impl Args for RefusedArgs {
    fn augment_args(command: Command) -> Command {
        let refused = TABLE.iter().map(|option| argument(option.long, option.valued).short(option.short));
        command.args(refused).args(ALREADY_SO.map(|(long, valued)| argument(long, valued)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(long: &'static str, valued: bool) -> Arg {
    let arg = Arg::new(long).long(long).hide(true);
    if valued {
        arg.action(ArgAction::Append).allow_hyphen_values(true)
    } else {
        // docker's flags take `=true` and `=false`.
        arg.action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool))
    }
}

impl FromArgMatches for RefusedArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let sentence = TABLE.iter().find_map(|option| option.sentence(matches));
        Ok(Self { sentence: sentence.or_else(|| switched_off(matches)) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Refused {
    fn sentence(&self, matches: &ArgMatches) -> Option<String> {
        let Self { long, why, .. } = self;
        if self.valued {
            let mut values = matches.get_many::<String>(long)?;
            let value = values.find(|value| !self.harmless.contains(&value.as_str()))?;
            Some(format!("--{long} {} {why}", value.escape_debug()))
        } else {
            matches.get_many::<bool>(long)?.any(|wanted| *wanted).then(|| format!("--{long} {why}"))
        }
    }
}

/// `--read-only=false` and its like.
fn switched_off(matches: &ArgMatches) -> Option<String> {
    let (long, _) = ALREADY_SO.into_iter().filter(|(_, valued)| !valued).find(|(long, _)| {
        matches.get_many::<bool>(long).is_some_and(|mut values| values.any(|wanted| !wanted))
    })?;
    Some(format!(
        "--{long}=false is not to be had: it is a part of every sandbox; sandbox.home and sandbox.tmp size what can be written"
    ))
}

/// `--network`: none is all there is.
pub(crate) fn network(value: &str) -> Option<String> {
    match value {
        "none" => None,
        "host" => Some(
            "--network host would open every port of this machine to the workload; named hosts are what [network] allow will let through, and until then the sandbox has no network"
                .to_owned(),
        ),
        other => Some(format!(
            "--network {} would put the workload beside other containers, past every rule; named hosts are what [network] allow will let through, and until then the sandbox has no network",
            other.escape_debug()
        )),
    }
}

/// `-p`: ports are the network's.
pub(crate) const PUBLISH: &str =
    "-p needs a network, which sandboxes do not have yet: sandbox.ports comes with a later version of creel";

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(args: &[&str]) -> Option<String> {
        let command =
            RefusedArgs::augment_args(Command::new("run").disable_help_flag(true).no_binary_name(true));
        let matches = command.try_get_matches_from(args).expect("they are known");
        RefusedArgs::from_arg_matches(&matches).expect("one sentence").sentence
    }

    #[test]
    fn each_gets_one_sentence_that_names_it() {
        for option in &TABLE {
            let long = format!("--{}", option.long);
            let args: &[&str] = if option.valued { &[&long, "host"] } else { &[&long] };
            let said = sentence(args).expect(option.long);
            assert!(said.starts_with(&long), "{said}");
            assert!(!said.contains('\n') && !said.ends_with('.'), "{said}");
        }
    }

    #[test]
    fn what_is_the_case_anyway_is_taken() {
        for args in [
            &["--read-only"][..],
            &["--read-only=true"],
            &["--init"],
            &["--cap-drop", "ALL"],
            &["--security-opt", "no-new-privileges"],
            &["--security-opt=no-new-privileges:true"],
            &["--ipc", "private"],
            &["--privileged=false"],
            &["--restart=no"],
        ] {
            assert_eq!(sentence(args), None, "{args:?}");
        }
        assert!(sentence(&["--read-only=false"]).is_some());
        assert!(
            sentence(&["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"])
                .is_some()
        );
    }
}
