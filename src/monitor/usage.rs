//! What a workload has used: its cgroup's own counters, of either version (Documentation/admin-guide/
//! cgroup-v2.rst, cgroup-v1/memory.rst, cpuacct.rst, pids.rst).

use std::fs;
use std::path::{Path, PathBuf};

/// The figures of a run; each absent where the kernel does not keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Highest memory use, bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Processes killed for want of memory.
    pub(crate) oom_kills: Option<u64>,
    /// Forks refused by the process limit.
    pub(crate) pids_denied: Option<u64>,
    /// CPU time, microseconds.
    pub(crate) cpu_us: Option<u64>,
}

/// Where the counters of one container are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CgroupFiles {
    memory_peak: PathBuf,
    memory_events: PathBuf,
    pids_events: PathBuf,
    cpu: CpuFile,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum CpuFile {
    /// `cpuacct.usage`: one number, nanoseconds.
    V1(PathBuf),
    /// `cpu.stat`: a line `usage_usec N`.
    V2(PathBuf),
}

impl CgroupFiles {
    /// Finds the cgroup of a process by its pid on the host.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        Self::parse(&text, Path::new("/sys/fs/cgroup"))
    }

    /// `text` is /proc/PID/cgroup: lines of `ID:CONTROLLERS:PATH` (cgroups(7)).
    fn parse(text: &str, root: &Path) -> Option<Self> {
        let lines = || {
            text.lines().filter_map(|line| line.splitn(3, ':').skip(1).collect::<Vec<_>>().try_into().ok())
        };
        let v1 = |controller: &str| {
            lines().find_map(|[controllers, path]: [&str; 2]| {
                let named = controllers.split(',').any(|c| c == controller);
                named.then(|| root.join(controllers).join(path.trim_start_matches('/')))
            })
        };
        if let Some(memory) = v1("memory") {
            return Some(Self {
                memory_peak: memory.join("memory.max_usage_in_bytes"),
                memory_events: memory.join("memory.oom_control"),
                pids_events: v1("pids")?.join("pids.events"),
                cpu: CpuFile::V1(v1("cpuacct")?.join("cpuacct.usage")),
            });
        }
        let [_, path] = lines().find(|[controllers, _]: &[&str; 2]| controllers.is_empty())?;
        let dir = root.join(path.trim_start_matches('/'));
        Some(Self {
            memory_peak: dir.join("memory.peak"),
            memory_events: dir.join("memory.events"),
            pids_events: dir.join("pids.events"),
            cpu: CpuFile::V2(dir.join("cpu.stat")),
        })
    }

    /// The file that changes when a memory limit is met.
    pub(crate) fn memory_events(&self) -> &Path {
        &self.memory_events
    }

    /// Reads the counters. Those of a cgroup that has gone keep what `before` had.
    pub(crate) fn read(&self, before: Usage) -> Usage {
        Usage {
            memory_peak: number(&self.memory_peak).or(before.memory_peak),
            oom_kills: field(&self.memory_events, "oom_kill").or(before.oom_kills),
            pids_denied: field(&self.pids_events, "max").or(before.pids_denied),
            cpu_us: match &self.cpu {
                CpuFile::V1(path) => number(path).map(|nanos| nanos / 1000),
                CpuFile::V2(path) => field(path, "usage_usec"),
            }
            .or(before.cpu_us),
        }
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The value of a line `NAME VALUE`.
fn field(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found() {
        let v1 = "9:pids:/docker/a\n4:memory:/docker/a\n2:cpu,cpuacct:/docker/a\n0::/x\n";
        let found = CgroupFiles::parse(v1, Path::new("/c")).expect("v1");
        assert_eq!(found.memory_peak, Path::new("/c/memory/docker/a/memory.max_usage_in_bytes"));
        assert_eq!(found.cpu, CpuFile::V1("/c/cpu,cpuacct/docker/a/cpuacct.usage".into()));
        let v2 = "0::/system.slice/docker-a.scope\n";
        let found = CgroupFiles::parse(v2, Path::new("/c")).expect("v2");
        assert_eq!(found.pids_events, Path::new("/c/system.slice/docker-a.scope/pids.events"));
        assert_eq!(CgroupFiles::parse("nonsense", Path::new("/c")), None);
    }

    #[test]
    fn a_gone_cgroup_keeps_the_last_figures() {
        let files = CgroupFiles::parse("0::/gone\n", Path::new("/nowhere")).expect("v2");
        let before = Usage { memory_peak: Some(7), ..Usage::default() };
        assert_eq!(files.read(before), before);
    }
}
