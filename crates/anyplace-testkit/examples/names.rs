//! Prints the name and meaning of each behaviour, a line each: what the Python tests compare their list with.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (family, behaviours) in anyplace_testkit::behaviours::ALL {
        for behaviour in *behaviours {
            writeln!(out, "{}\t{}\t{}", family.name(), behaviour.name, behaviour.about)?;
        }
    }
    Ok(())
}
