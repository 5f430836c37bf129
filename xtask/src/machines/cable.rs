//! Two network namespaces with a cable between them.

use crate::Result;
use std::process::Command;

/// Two machines that reach each other and nobody else. Dropping it takes both away.
pub(super) struct Cable {
    pub(super) lender: Machine,
    pub(super) borrower: Machine,
}

/// A network namespace.
pub(super) struct Machine {
    pub(super) name: String,
}

/// The addresses that README names.
const LENDER: &str = "10.0.0.1/24";
const BORROWER: &str = "10.0.0.2/24";
/// As a far away wireless network.
const SPOILT: &str = "delay 20ms 5ms loss 2%";

impl Cable {
    /// Why it cannot be laid here is the error.
    pub(super) fn lay() -> Result<Self> {
        let number = std::process::id();
        let [lender, borrower] =
            ["lender", "borrower"].map(|role| Machine { name: format!("{role}{number}") });
        let (near, far) = (format!("anyp{number}a"), format!("anyp{number}b"));
        ip(&["netns", "add", &lender.name])?;
        let cable = Self { lender, borrower };
        ip(&["netns", "add", &cable.borrower.name])?;
        ip(&["link", "add", &near, "type", "veth", "peer", "name", &far])?;
        cable.lender.plug(&near, LENDER)?;
        cable.borrower.plug(&far, BORROWER)?;
        Ok(cable)
    }

    /// Makes it slow and lossy in both directions.
    pub(super) fn spoil(&self) -> Result<()> {
        [&self.lender, &self.borrower].into_iter().try_for_each(|machine| {
            let words: Vec<&str> =
                "tc qdisc add dev cable root netem".split(' ').chain(SPOILT.split(' ')).collect();
            succeeds(machine.command(&words))
        })
    }
}

impl Machine {
    fn plug(&self, end: &str, address: &str) -> Result<()> {
        ip(&["link", "set", end, "netns", &self.name, "name", "cable"])?;
        let inside = |words: &str| succeeds(self.command(&words.split(' ').collect::<Vec<_>>()));
        inside("ip link set lo up")?;
        inside(&format!("ip address add {address} dev cable"))?;
        inside("ip link set cable up")
    }

    /// A command that runs there.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).args(words);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The cable goes with the machines. There may be none if making one failed.
        drop(ip(&["netns", "delete", &self.name]));
    }
}

fn ip(words: &[&str]) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(words);
    succeeds(command)
}

fn succeeds(mut command: Command) -> Result<()> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{:?}: {}", command, String::from_utf8_lossy(&output.stderr).trim()))
}
