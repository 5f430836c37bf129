//! Named pipes, and standard input and output.

use crate::alone::Alone;
use crate::{shortly, soon};
use anyplace::Kind;
use anyplace::net::{Wait, connect};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::io::Write as _;
use std::thread;

fn named_pipe() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    (folder, format!("pipe:{}", path.display()))
}

#[test]
fn a_named_pipe_is_read_until_its_writers_end() {
    let (_folder, pipe) = named_pipe();
    let (reader, writer) = (connect(&*pipe, None).unwrap(), connect(&*pipe, None).unwrap());
    assert_eq!(reader.read(&mut [0; 9], shortly()).unwrap_err().kind(), Kind::Timeout, "nobody writes yet");
    let much = vec![3; 1 << 20];
    let reading = thread::spawn(move || reader.read_to_end(2 << 20, soon()).unwrap());
    writer.write(&much, soon()).unwrap();
    writer.finish(soon()).unwrap();
    assert!(reading.join().unwrap() == much);
    assert_eq!(writer.write(b"x", soon()).unwrap_err().kind(), Kind::ConnectionLost);
}

#[test]
fn a_writer_waits_for_who_reads() {
    let (_folder, pipe) = named_pipe();
    let writer = connect(&*pipe, None).unwrap();
    assert_eq!(writer.write(b"x", shortly()).unwrap_err().kind(), Kind::Timeout);
    let mut writing = writer.writing(b"hello\n");
    assert!(writing.look().unwrap().is_none());
    let reading = thread::spawn(move || connect(&*pipe, None).unwrap().read_until(b"\n", 9, soon()).unwrap());
    writing.until(soon()).unwrap().unwrap();
    assert_eq!(reading.join().unwrap(), b"hello\n");
}

#[test]
fn an_abort_wakes_who_reads_a_pipe() {
    let (_folder, pipe) = named_pipe();
    let reader = connect(&*pipe, None).unwrap();
    let reading = thread::spawn({
        let reader = reader.clone();
        move || reader.read(&mut [0; 9], soon())
    });
    reader.abort();
    assert_eq!(reading.join().unwrap().unwrap_err().kind(), Kind::ConnectionLost);
}

#[test]
fn a_file_is_no_pipe() {
    let error = connect("pipe:/dev/null", None).unwrap_err();
    assert_eq!(error.kind(), Kind::ConfigInvalid);
    let error = connect("pipe:/no/such/pipe", None).unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

/// What is written to standard output goes where that goes, and when it is finished, its reader sees the end although the
/// process goes on.
#[test]
fn standard_output_ends_when_it_is_finished() {
    let (_folder, pipe) = named_pipe();
    let path = pipe.strip_prefix("pipe:").unwrap().to_owned();
    let reader = connect(&*pipe, None).unwrap();
    assert!(reader.reading(&mut [0; 1]).look().unwrap().is_none());
    let child = Alone::start("pipes::a_process_that_echoes", &[("ANYPLACE_NET_PIPE", path)]);
    assert_eq!(reader.read_to_end(99, soon()).unwrap(), b"hello from standard output");
    child.finish();
}

#[test]
#[ignore = "it changes its process's standard output, so it is run by the test above"]
fn a_process_that_echoes() {
    let pipe =
        std::fs::File::options().write(true).open(std::env::var("ANYPLACE_NET_PIPE").unwrap()).unwrap();
    let before = rustix::stdio::stdout().try_clone_to_owned().unwrap();
    std::io::stdout().flush().unwrap();
    rustix::stdio::dup2_stdout(&pipe).unwrap();
    drop(pipe);
    let stream = connect("stdio:", None).unwrap();
    assert_eq!(stream.read_to_end(99, soon()).unwrap(), b"", "a task has no standard input");
    stream.write(b"hello from standard output", soon()).unwrap();
    stream.finish(soon()).unwrap();
    // For what the test's own runner has to say.
    rustix::stdio::dup2_stdout(&before).unwrap();
}
