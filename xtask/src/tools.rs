//! What the steps need on the machine: found, installed where that is allowed, or named with the line that does it.

use crate::Result;
use crate::trials::Trials;
use std::process::{Command, Stdio};

/// Something that a step starts.
struct Tool {
    name: &'static str,
    /// A command that succeeds where it is there.
    probe: &'static [&'static str],
    install: Install,
}

enum Install {
    /// With rustup, as anybody.
    Rustup(&'static str),
    /// With apt-get, as root.
    Debian(&'static str),
}

const PYTHON: &str = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11), sys.version";

const TOOLS: &[Tool] = &[
    Tool { name: "rustfmt", probe: &["cargo", "fmt", "--version"], install: Install::Rustup("rustfmt") },
    Tool { name: "clippy", probe: &["cargo", "clippy", "--version"], install: Install::Rustup("clippy") },
    Tool { name: "a C compiler", probe: &["cc", "--version"], install: Install::Debian("gcc libc6-dev") },
    Tool {
        name: "Python 3.11 or later with venv and pip",
        probe: &["python3", "-c", PYTHON],
        install: Install::Debian("python3 python3-venv"),
    },
    Tool { name: "bash", probe: &["bash", "--version"], install: Install::Debian("bash") },
    Tool { name: "dash", probe: &["dash", "-c", ":"], install: Install::Debian("dash") },
    Tool { name: "kill", probe: &["kill", "-l"], install: Install::Debian("procps") },
    Tool { name: "valgrind", probe: &["valgrind", "--version"], install: Install::Debian("valgrind") },
    Tool { name: "ip and tc", probe: &["ip", "-Version"], install: Install::Debian("iproute2") },
    Tool { name: "curl", probe: &["curl", "--version"], install: Install::Debian("curl") },
    Tool { name: "nc", probe: &["which", "nc"], install: Install::Debian("netcat-openbsd") },
    Tool { name: "openssl", probe: &["openssl", "version"], install: Install::Debian("openssl") },
    Tool { name: "script", probe: &["script", "--version"], install: Install::Debian("bsdutils") },
];

/// What the comparison needs besides.
const PEERS: &[Tool] = &[
    Tool { name: "xargs", probe: &["xargs", "--version"], install: Install::Debian("findutils") },
    Tool { name: "GNU parallel", probe: &["parallel", "--version"], install: Install::Debian("parallel") },
];

/// Looks for every tool of the test command and installs what is missing.
pub(crate) fn check() -> Result<bool> {
    Ok(ensure(TOOLS))
}

/// Looks for the peers that are measured beside anyplace.
pub(crate) fn check_peers() -> bool {
    ensure(PEERS)
}

fn ensure(tools: &[Tool]) -> bool {
    let mut trials = Trials::default();
    for tool in tools {
        let outcome = if tool.is_there() { Ok(()) } else { tool.install() };
        trials.add(tool.name, outcome);
    }
    trials.finish()
}

impl Tool {
    fn is_there(&self) -> bool {
        succeeds(self.probe)
    }

    fn install(&self) -> Result<()> {
        let line = self.install.line();
        let words: Vec<&str> = line.split(' ').collect();
        if self.install.is_allowed() && refreshes(&self.install) && succeeds(&words) && self.is_there() {
            return Ok(());
        }
        Err(format!("{} is missing; this installs it: {}{line}", self.name, self.install.prefix()))
    }
}

impl Install {
    fn line(&self) -> String {
        match self {
            Self::Rustup(component) => format!("rustup component add {component}"),
            Self::Debian(packages) => format!("apt-get install -y {packages}"),
        }
    }

    fn is_allowed(&self) -> bool {
        match self {
            Self::Rustup(_) => succeeds(&["rustup", "--version"]),
            Self::Debian(_) => is_root() && succeeds(&["apt-get", "--version"]),
        }
    }

    fn prefix(&self) -> &'static str {
        if matches!(self, Self::Debian(_)) && !is_root() { "sudo " } else { "" }
    }
}

/// A fresh machine's list of Debian packages is empty, or older than its mirror.
fn refreshes(install: &Install) -> bool {
    matches!(install, Install::Rustup(_)) || succeeds(&["apt-get", "update"])
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn succeeds(words: &[&str]) -> bool {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
