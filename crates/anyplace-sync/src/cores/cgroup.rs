//! The CPU quota of this process's control groups, versions 1 and 2.
//!
//! `/proc/self/cgroup` names the group of this process in each hierarchy, `/proc/self/mountinfo` says where the
//! hierarchies are mounted and which of their groups the mount shows. Every group between the two may have a quota, and
//! all of them hold: the tightest wins.

use std::path::{Path, PathBuf};

/// Reads a text file, or nothing if that cannot be done.
pub(super) type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// A mounted hierarchy that can limit CPU time.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The group that stands at the mount point.
    root: String,
    point: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The least number of cores that any group around this process grants, rounded up.
pub(super) fn tightest_quota(read: Read<'_>) -> Option<usize> {
    let groups = read(Path::new("/proc/self/cgroup"))?;
    let mounts = read(Path::new("/proc/self/mountinfo"))?;
    mounts
        .lines()
        .filter_map(mount)
        .filter_map(|mount| mount.quota(group(&groups, mount.version)?, read))
        .min()
}

impl Mount {
    fn quota(&self, group: &str, read: Read<'_>) -> Option<usize> {
        let here = self.point.join(self.below_root(group));
        let groups = here.ancestors().take_while(|folder| folder.starts_with(&self.point));
        groups.filter_map(|folder| self.version.quota(folder, read)).min()
    }

    /// The path of `group` below the mount point. A group the mount does not show leaves the mount point itself.
    fn below_root<'g>(&self, group: &'g str) -> &'g Path {
        let below = Path::new(group).strip_prefix(&self.root).unwrap_or(Path::new(""));
        // Outside of its cgroup namespace a process sees `/../other`; that leads nowhere below the mount.
        if below.components().any(|part| part.as_os_str() == "..") { Path::new("") } else { below }
    }
}

impl Version {
    fn quota(self, folder: &Path, read: Read<'_>) -> Option<usize> {
        match self {
            Self::Two => quota_v2(&read(&folder.join("cpu.max"))?),
            Self::One => {
                quota_v1(&read(&folder.join("cpu.cfs_quota_us"))?, &read(&folder.join("cpu.cfs_period_us"))?)
            }
        }
    }
}

/// The path in `/proc/self/cgroup`: lines of `number:controllers:path`, version 2 without controllers.
fn group(groups: &str, version: Version) -> Option<&str> {
    groups.lines().find_map(|line| {
        let (_number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let ours = match version {
            Version::One => names_cpu(controllers),
            Version::Two => controllers.is_empty(),
        };
        ours.then_some(path)
    })
}

/// A line of `/proc/self/mountinfo`: `id parent device root point options tags... - type source options`.
fn mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, point) = (unescaped(left.next()?), unescaped(left.next()?).into());
    let mut right = right.split(' ');
    let version = match right.next()? {
        "cgroup2" => Version::Two,
        "cgroup" if names_cpu(right.nth(1)?) => Version::One,
        _ => return None,
    };
    Some(Mount { version, root, point })
}

fn names_cpu(list: &str) -> bool {
    list.split(',').any(|name| name == "cpu")
}

/// mountinfo writes blanks and backslashes in octal: `\040`.
fn unescaped(field: &str) -> String {
    let mut parts = field.split('\\');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let octal = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => text + &char::from(byte).to_string() + &part[3..],
            None => text + "\\" + part,
        }
    })
}

/// `cpu.max`: `quota period` in microseconds, or `max period`.
fn quota_v2(text: &str) -> Option<usize> {
    let (quota, period) = text.trim().split_once(' ')?;
    cores(quota.parse().ok()?, period.parse().ok()?)
}

/// `cpu.cfs_quota_us` (-1: none) and `cpu.cfs_period_us`.
fn quota_v1(quota: &str, period: &str) -> Option<usize> {
    cores(quota.trim().parse().ok()?, period.trim().parse().ok()?)
}

fn cores(quota: u64, period: u64) -> Option<usize> {
    (period > 0).then(|| usize::try_from(quota.div_ceil(period)).unwrap_or(usize::MAX).max(1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const V2: &str = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct";
    const V1_MEMORY: &str = "34 32 0:30 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory";

    fn quota(files: &[(&str, &str)]) -> Option<usize> {
        let files: HashMap<_, _> = files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
        tightest_quota(&|path| files.get(path).map(|&text| text.to_owned()))
    }

    #[test]
    fn the_tightest_ancestor_wins() {
        let found = quota(&[
            ("/proc/self/cgroup", "0::/user.slice/jobs/mine\n"),
            ("/proc/self/mountinfo", V2),
            ("/sys/fs/cgroup/user.slice/jobs/mine/cpu.max", "max 100000\n"),
            ("/sys/fs/cgroup/user.slice/jobs/cpu.max", "150000 100000\n"),
            ("/sys/fs/cgroup/user.slice/cpu.max", "400000 100000\n"),
        ]);
        assert_eq!(found, Some(2));
    }

    #[test]
    fn a_container_sees_its_group_at_the_mount_point() {
        let mounts = V2.replace(" / /sys", " /docker/4f /sys");
        let found = quota(&[
            ("/proc/self/cgroup", "0::/docker/4f/inner"),
            ("/proc/self/mountinfo", &mounts),
            ("/sys/fs/cgroup/inner/cpu.max", "700000 100000"),
            ("/sys/fs/cgroup/cpu.max", "300000 100000"),
        ]);
        assert_eq!(found, Some(3));
    }

    #[test]
    fn a_group_outside_the_mount_leaves_the_mount_point() {
        for group in ["0::/elsewhere", "0::/docker/4f/../8a"] {
            let mounts = V2.replace(" / /sys", " /docker/4f /sys");
            let files = [
                ("/proc/self/cgroup", group),
                ("/proc/self/mountinfo", &mounts),
                ("/sys/fs/cgroup/cpu.max", "100000 100000"),
            ];
            assert_eq!(quota(&files), Some(1), "{group}");
        }
    }

    #[test]
    fn version_1_has_its_own_files() {
        let found = quota(&[
            ("/proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/x"),
            ("/proc/self/mountinfo", &format!("{V1_MEMORY}\n{V1}")),
            ("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "210000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "50000\n"),
        ]);
        assert_eq!(found, Some(5));
    }

    #[test]
    fn no_quota_is_no_limit() {
        assert_eq!(quota_v2("max 100000"), None);
        assert_eq!(quota_v1("-1", "100000"), None);
        assert_eq!(quota_v2("100000 0"), None);
        assert_eq!(quota(&[]), None);
    }

    #[test]
    fn parts_of_a_core_count_as_one() {
        assert_eq!(quota_v2("10000 100000"), Some(1));
        assert_eq!(quota_v2("100001 100000"), Some(2));
        assert_eq!(quota_v1("50000", "100000"), Some(1));
    }

    #[test]
    fn escaped_mount_points_are_read() {
        let found = mount(&V2.replace("/sys/fs/cgroup", r"/my\040groups\134x"));
        assert_eq!(found.unwrap().point, Path::new(r"/my groups\x"));
        assert_eq!(unescaped(r"a\9z"), r"a\9z");
    }
}
