//! Runs README's example of two machines on this one, and sends a file between them: in two network namespaces with a cable
//! between them, which is slow and loses packets where the kernel can do that. Each has a folder of keys of its own, as two
//! users have.

mod cable;

use crate::Result;
use crate::blocks::{self, Block};
use crate::site::Site;
use crate::trials::Trials;
use cable::{Cable, Machine};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands in README for the ticket, which nobody knows before.
const TICKET: &str = "#ap1...";

/// How much is sent as a file.
const FILE: &str = "5000000";

/// Runs the blocks `sh lender` and `sh borrower`, and a transfer.
pub(crate) fn run(site: &Site) -> Result<bool> {
    let document = std::fs::read_to_string(site.root.join("README.md")).map_err(|error| error.to_string())?;
    let blocks = blocks::of(&document);
    let mut trials = Trials::default();
    match Cable::lay() {
        Err(why) => trials.skip("README.md's two machines", &why),
        Ok(cable) => {
            trials.add("README.md's two machines", lend(site, &cable, &blocks));
            trials.add("a file between two machines", transfer(site, &cable));
            match cable.spoil() {
                Err(why) => trials.skip("both, with delay and loss", &why),
                Ok(()) => {
                    trials.add("README.md's two machines, far apart", lend(site, &cable, &blocks));
                    trials.add("a file between two machines, far apart", transfer(site, &cable));
                }
            }
        }
    }
    Ok(trials.finish())
}

fn lend(site: &Site, cable: &Cable, blocks: &[Block]) -> Result<()> {
    let block = |language| blocks.iter().find(|block| block.language == language);
    let (Some(lender), Some(borrower)) = (block("sh lender"), block("sh borrower")) else {
        return Err("README.md has no block `sh lender`, or no `sh borrower`".into());
    };
    let mut lending = start(site, &cable.lender, &lender.text)?;
    let borrowed = first_line(&mut lending).and_then(|address| {
        let ticket = address.split_once('#').ok_or(format!("`{address}` has no ticket"))?.1;
        borrow(site, &cable.borrower, &borrower.text.replace(TICKET, &format!("#{ticket}")))
    });
    let ended = end(&mut lending);
    borrowed.and(ended)
}

/// Sends a file from the one to the other, and compares.
fn transfer(site: &Site, cable: &Cable) -> Result<()> {
    let mut receiving = start(site, &cable.lender, "anyplace receive tcp://10.0.0.1:7778 inbox")?;
    let sent = first_line(&mut receiving).and_then(|address| {
        let script = format!("head -c {FILE} /dev/urandom >file; anyplace send file '{address}'; echo sent");
        borrow(site, &cable.borrower, &script)
    });
    if sent.is_err() {
        return sent.and(end(&mut receiving));
    }
    // It ends by itself after one transfer.
    let ended = receiving.wait().map_err(|error| error.to_string())?;
    let read = |machine: &Machine, name| std::fs::read(home(site, machine).join(name)).unwrap_or_default();
    let [there, here] = [read(&cable.lender, "inbox/file"), read(&cable.borrower, "file")];
    match ended.success() && !there.is_empty() && there == here {
        true => Ok(()),
        false => Err(format!("{ended}; {} of {} bytes have arrived", there.len(), here.len())),
    }
}

fn home(site: &Site, machine: &Machine) -> PathBuf {
    site.target.join("xtask").join(format!("machines-{}", machine.name))
}

fn start(site: &Site, machine: &Machine, script: &str) -> Result<Child> {
    let mut command = on(site, machine, &format!("exec {}", script.trim()))?;
    command.stdout(Stdio::piped()).spawn().map_err(|error| format!("{script}: {error}"))
}

fn borrow(site: &Site, machine: &Machine, script: &str) -> Result<()> {
    let output = on(site, machine, script)?.output().map_err(|error| error.to_string())?;
    if output.status.success() && !output.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn on(site: &Site, machine: &Machine, script: &str) -> Result<Command> {
    let mut command = machine.command(&[
        "timeout",
        "--foreground",
        &PATIENCE.as_secs().to_string(),
        "bash",
        "-euc",
        script,
    ]);
    let home = site.empty_folder(&format!("machines-{}", machine.name))?;
    command.current_dir(&home).env("PATH", site.path()).env("HOME", &home).env_remove("XDG_CONFIG_HOME");
    Ok(command)
}

/// The first line that it prints, which says where it listens.
fn first_line(child: &mut Child) -> Result<String> {
    let output = child.stdout.take().ok_or("its output is piped")?;
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines();
        drop(tell.send(lines.next()));
        // It may print more, and must not wait for a reader.
        lines.for_each(drop);
    });
    match told.recv_timeout(PATIENCE) {
        Ok(Some(Ok(line))) => Ok(line),
        Ok(Some(Err(error))) => Err(error.to_string()),
        Ok(None) => Err("it ended without saying where it listens".into()),
        Err(_) => Err("it did not say where it listens".into()),
    }
}

/// Ends it as a service manager would.
fn end(child: &mut Child) -> Result<()> {
    // What was started is `ip`, which becomes `timeout`, which hands the signal on: once, as it is in the foreground.
    let status = Command::new("kill").arg(child.id().to_string()).status();
    let ended = child.wait().map_err(|error| error.to_string())?;
    match status {
        Ok(killed) if killed.success() && ended.success() => Ok(()),
        _ => Err(format!("the lender ended with {ended}")),
    }
}
