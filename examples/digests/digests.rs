//! The digest of every file, on all cores, in the order of the files.
#![allow(clippy::print_stdout)] // A program's printing is its result.

use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// The file's SHA-256 in hexadecimal digits.
fn digest(path: PathBuf) -> std::io::Result<String> {
    let digest = Sha256::digest(std::fs::read(path)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(".")?.map(|entry| Ok(entry?.file_name().into())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.to_string_lossy().starts_with("LICENSE-"));
    files.sort();
    let place = anyplace::open("threads:")?;
    for (path, found) in files.clone().iter().zip(place.map(digest, files)?) {
        println!("{}  {}", found??, path.display());
    }
    Ok(())
}
