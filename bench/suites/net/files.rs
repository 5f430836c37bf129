//! A file over loopback: by `Sending` and `Receiving`, and by a loop of `sendfile` with one of `read` and `write` at the
//! other end, which neither checks what arrives nor can go on where it was.
//!
//! The file is in memory where there is a file system for that: a disk would be measured otherwise.

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use anyplace::keys::Keys;
use anyplace::net::files::{Receiving, Sending, reach};
use anyplace::net::{Stream, connect, listen};
use anyplace::serve::Inbox;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// What the other end's loop reads at once; larger and smaller are no faster.
const BLOCK: usize = 256 << 10;

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let folder = Folder::new()?;
    let length = effort.items(512) << 20;
    let source = folder.0.join("source");
    make(&source, length).map_err(told)?;
    let ways: [(&str, &str, Way); 3] = [
        ("file over TCP", "anyplace", plain),
        ("file over TCP", "sendfile", sendfile),
        ("file over TCP with TLS", "anyplace", tls),
    ];
    for round in 0..effort.rounds() {
        for index in 0..ways.len() {
            // Whoever is first differs from round to round.
            let (case, who, way) = ways[(index + round) % ways.len()];
            let (begun, busy) = (Instant::now(), busy());
            way(&source, &folder.0.join("target"))?;
            let (took, busy) = (begun.elapsed().as_secs_f64(), self::busy() - busy);
            let arrived = folder.0.join("target/source");
            if std::fs::metadata(&arrived).map_err(told)?.len() != length as u64 {
                return Err(format!("{who} lost a part of the file"));
            }
            std::fs::remove_file(arrived).map_err(told)?;
            let gigabytes = length as f64 / 1e9;
            record.add(case, who, gigabytes / took, "GB/s");
            record.add(&format!("CPU of a {case}"), who, busy / gigabytes, "s per GB");
        }
    }
    Ok(())
}

type Way = fn(&Path, &Path) -> Result<()>;

fn plain(source: &Path, target: &Path) -> Result<()> {
    let listener = listen("tcp://127.0.0.1:0").map_err(told)?;
    let here = connect(listener.endpoint().clone(), None).map_err(told)?;
    let there = listener.accept(None).map_err(told)?;
    transfer(&here, there, source, target)
}

fn tls(source: &Path, target: &Path) -> Result<()> {
    let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS).map_err(told)?;
    let until = Instant::now() + Duration::from_secs(10);
    let here = reach(&inbox.address().reveal(), &Keys::in_memory(), until).map_err(told)?;
    let there = inbox.accept(None).map_err(told)?.ok_or("the inbox was closed")?;
    transfer(&here, there.stream, source, target)
}

fn transfer(here: &Stream, there: Stream, source: &Path, target: &Path) -> Result<()> {
    let target = target.to_owned();
    let receiver = thread::spawn(move || Receiving::into(target).over(&there));
    let sent = Sending::new([source]).over(here).map_err(told)?;
    receiver.join().map_err(|_| "the receiver panicked")?.map_err(told)?;
    if sent.files == 1 { Ok(()) } else { Err(format!("{sent:?}")) }
}

fn sendfile(source: &Path, target: &Path) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
    let here = TcpStream::connect(listener.local_addr().map_err(told)?).map_err(told)?;
    let (there, _) = listener.accept().map_err(told)?;
    std::fs::create_dir_all(target).map_err(told)?;
    let target = target.join("source");
    let receiver = thread::spawn(move || written(there, &target));
    let file = File::open(source).map_err(told)?;
    while rustix::fs::sendfile(&here, &file, None, 1 << 20).map_err(told)? > 0 {}
    drop(here);
    receiver.join().map_err(|_| "the receiver panicked")?.map_err(told)
}

fn written(mut from: TcpStream, target: &Path) -> std::io::Result<()> {
    let (mut file, mut block) = (File::create(target)?, vec![0; BLOCK]);
    loop {
        match from.read(&mut block)? {
            0 => return Ok(()),
            read => file.write_all(&block[..read])?,
        }
    }
}

/// How many seconds all threads have worked so far, at both ends.
fn busy() -> f64 {
    let busy = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    busy.tv_sec as f64 + busy.tv_nsec as f64 / 1e9
}

fn make(path: &Path, length: usize) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let mut state = 1_u64;
    let mut block = vec![0_u8; 1 << 20];
    for _ in 0..length >> 20 {
        for word in block.chunks_exact_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&state.to_le_bytes());
        }
        file.write_all(&block)?;
    }
    Ok(())
}

/// A folder that is gone when it is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let home = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = home.join(format!("anyplace-bench-files-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(told)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
