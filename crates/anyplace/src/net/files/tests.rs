//! Transfers from end to end, over real streams and real files.

mod hostile;
mod resumed;

use super::{Ended, Event, Receiving, Sending, Transfer};
use crate::error::{Kind, Result};
use crate::net::{Stream, connect, listen};
use std::ffi::OsStr;
use std::fs::{self, FileTimes, Permissions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Two ends of a stream.
fn pair() -> (Stream, Stream) {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let here = connect(listener.endpoint().clone(), None).unwrap();
    (here, listener.accept(None).unwrap())
}

/// Sends, while somebody receives.
fn transfer(sending: Sending, receiving: Receiving) -> (Result<Transfer>, Result<Transfer>) {
    let (here, there) = pair();
    let receiver = thread::spawn(move || receiving.over(&there));
    let sent = sending.over(&here);
    drop(here);
    (sent, receiver.join().unwrap())
}

/// What came of each file.
type Story = Arc<Mutex<Vec<(PathBuf, Ended)>>>;

fn story() -> (Story, impl FnMut(Event<'_>) + Send + 'static) {
    let story = Story::default();
    let told = story.clone();
    let tell = move |event: Event<'_>| {
        if let Event::Ends { path, ended } = event {
            told.lock().unwrap().push((path.to_owned(), ended.clone()));
        }
    };
    (story, tell)
}

fn endings(story: &Story) -> Vec<String> {
    let story = story.lock().unwrap();
    story.iter().map(|(path, ended)| format!("{}: {ended}", path.display())).collect()
}

/// Bytes that are nowhere the same.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn home() -> (TempDir, PathBuf, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::create_dir(&from).unwrap();
    (home, from, to)
}

fn made_then(path: &Path, seconds: u64) {
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::new(seconds, 123_456_789));
    fs::File::open(path).unwrap().set_times(times).unwrap();
}

#[test]
fn a_folder_arrives_with_all_that_is_in_it() {
    let (_home, from, to) = home();
    let top = from.join("top");
    fs::create_dir_all(top.join("a/b")).unwrap();
    fs::create_dir_all(top.join("empty")).unwrap();
    fs::write(top.join("a/b/large"), bytes(5_000_001)).unwrap();
    fs::write(top.join("a/nothing"), "").unwrap();
    fs::write(top.join(OsStr::from_bytes(b"no \xff text\n")), "strange").unwrap();
    fs::set_permissions(top.join("a/nothing"), Permissions::from_mode(0o751)).unwrap();
    made_then(&top.join("a/b/large"), 1_000_000_000);
    fs::set_permissions(top.join("a/b"), Permissions::from_mode(0o500)).unwrap();
    made_then(&top.join("a"), 1_100_000_000);

    let (sent, received) = transfer(Sending::new([&top]), Receiving::into(&to));
    let expected = Transfer { files: 3, folders: 4, bytes: 5_000_008, ..Transfer::default() };
    assert_eq!((sent.unwrap(), received.unwrap()), (expected, expected));
    assert_eq!(fs::read(to.join("top/a/b/large")).unwrap(), bytes(5_000_001));
    assert_eq!(fs::read(to.join("top").join(OsStr::from_bytes(b"no \xff text\n"))).unwrap(), b"strange");
    let state = |path: &str| fs::metadata(to.join(path)).unwrap();
    assert_eq!((state("top/a/nothing").len(), state("top/a/nothing").mode() & 0o777), (0, 0o751));
    assert_eq!(state("top/a/b").mode() & 0o777, 0o500);
    for (path, seconds) in [("top/a/b/large", 1_000_000_000), ("top/a", 1_100_000_000)] {
        assert_eq!((state(path).mtime(), state(path).mtime_nsec()), (seconds, 123_456_789), "{path}");
    }
    assert!(state("top/empty").is_dir());
}

#[test]
fn a_thousand_small_files_arrive() {
    let (_home, from, to) = home();
    for number in 0..1000 {
        fs::write(from.join(number.to_string()), number.to_string()).unwrap();
    }
    let (sent, received) = transfer(Sending::new([&from]), Receiving::into(&to));
    assert_eq!((sent.unwrap().files, received.unwrap().files), (1000, 1000));
    for number in 0..1000 {
        assert_eq!(fs::read_to_string(to.join("from").join(number.to_string())).unwrap(), number.to_string());
    }
}

#[test]
fn links_are_skipped_and_said_to_be() {
    let (_home, from, to) = home();
    symlink("/etc/passwd", from.join("link")).unwrap();
    let (story, tell) = story();
    let (sent, _) = transfer(Sending::new([&from]).on_event(tell), Receiving::into(&to));
    let sent = sent.unwrap();
    assert_eq!((sent.skipped, sent.failed), (1, 0));
    assert!(endings(&story)[0].starts_with("from/link: skipped: it is a symbolic link"));
    assert!(!to.join("from/link").exists());
}

#[test]
fn what_cannot_be_read_holds_nothing_else_up() {
    let (_home, from, to) = home();
    fs::write(from.join("letter"), "dear reader").unwrap();
    let (story, tell) = story();
    let paths = [from.join("nothing"), from.join("letter")];
    let (sent, received) = transfer(Sending::new(paths).on_event(tell), Receiving::into(&to));
    assert_eq!((sent.unwrap().failed, received.unwrap().files), (1, 1));
    assert!(endings(&story)[0].contains("nothing: failed: No such file"), "{story:?}");
}

#[test]
fn holes_stay_holes() {
    let (_home, from, to) = home();
    let mut file = fs::File::create(from.join("sparse")).unwrap();
    file.seek(SeekFrom::Start(200 << 20)).unwrap();
    file.write_all(b"in the middle").unwrap();
    file.set_len(300 << 20).unwrap();
    let stored = file.metadata().unwrap().blocks();
    let (sent, received) = transfer(Sending::new([from.join("sparse")]), Receiving::into(&to));
    assert!(sent.unwrap().bytes < 1 << 20);
    assert_eq!(received.unwrap().files, 1);
    let state = fs::metadata(to.join("sparse")).unwrap();
    assert_eq!(state.len(), 300 << 20);
    assert!(state.blocks() <= stored + 64, "{} blocks of {stored}", state.blocks());
    let there = fs::read(to.join("sparse")).unwrap();
    assert_eq!(&there[200 << 20..(200 << 20) + 13], b"in the middle");
    assert_eq!(there.iter().filter(|byte| **byte != 0).count(), 13);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_not_kept() {
    let (_home, from, to) = home();
    for length in [1000, 6_000_000] {
        for new_length in [length + 1, length - 1, 0] {
            let path = from.join("log");
            fs::write(&path, bytes(length)).unwrap();
            let (story, tell) = story();
            let mut tell = tell;
            let changed = path.clone();
            let change = move |event: Event<'_>| {
                tell(event);
                if let Event::Begins { .. } = event {
                    fs::write(&changed, bytes(new_length)).unwrap();
                }
            };
            let (sent, received) = transfer(Sending::new([&path]).on_event(change), Receiving::into(&to));
            assert_eq!((sent.unwrap().failed, received.unwrap().failed), (1, 1), "{length} {new_length}");
            assert!(endings(&story)[0].contains("while it was sent"), "{:?}", endings(&story));
            assert!(!to.join("log").exists());
        }
    }
}

#[test]
fn a_different_file_is_replaced_only_by_force() {
    let (_home, from, to) = home();
    fs::create_dir(&to).unwrap();
    for (theirs, force, left) in [("other", false, "other"), ("olds", false, "olds"), ("other", true, "mine")]
    {
        fs::write(from.join("letter"), "mine").unwrap();
        fs::write(to.join("letter"), theirs).unwrap();
        made_then(&to.join("letter"), 1);
        let (story, tell) = story();
        let sending = Sending::new([from.join("letter")]).on_event(tell);
        let (sent, _) = transfer(sending, Receiving::into(&to).force(force));
        assert_eq!(sent.unwrap().failed, u64::from(!force));
        assert_eq!(fs::read_to_string(to.join("letter")).unwrap(), left);
        let expected =
            if force { "letter: written" } else { "letter: refused: another file of that name is here" };
        assert_eq!(endings(&story), [expected]);
    }
}

#[test]
fn links_and_folders_are_not_replaced_by_any_force() {
    let (home, from, to) = home();
    let victim = home.path().join("victim");
    fs::write(&victim, "theirs").unwrap();
    fs::create_dir_all(to.join("folder")).unwrap();
    symlink(&victim, to.join("link")).unwrap();
    for name in ["folder", "link"] {
        fs::write(from.join(name), "mine").unwrap();
        let (sent, _) = transfer(Sending::new([from.join(name)]), Receiving::into(&to).force(true));
        assert_eq!(sent.unwrap().failed, 1, "{name}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    // A folder is no way through a link, either.
    fs::remove_file(from.join("link")).unwrap();
    fs::create_dir(from.join("link")).unwrap();
    fs::write(from.join("link/file"), "mine").unwrap();
    fs::remove_file(to.join("link")).unwrap();
    symlink(home.path(), to.join("link")).unwrap();
    let (sent, _) = transfer(Sending::new([from.join("link")]), Receiving::into(&to).force(true));
    assert_eq!(sent.unwrap().failed, 2);
    assert!(!home.path().join("file").exists());
}

#[test]
fn no_more_is_taken_than_the_limit() {
    let (_home, from, to) = home();
    for name in ["a", "b", "c"] {
        fs::write(from.join(name), bytes(400)).unwrap();
    }
    let paths = ["a", "b", "c"].map(|name| from.join(name));
    let (sent, received) = transfer(Sending::new(paths), Receiving::into(&to).limit(1000));
    assert_eq!((sent.unwrap().files, received.unwrap().failed), (2, 1));
}

#[test]
fn the_first_reason_is_the_error_of_the_short_form() {
    let (_home, from, to) = home();
    let (here, there) = pair();
    let receiver = thread::spawn(move || there.receive_files(to));
    let error = here.send_files([from.join("nothing")]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unexpected);
    assert!(error.message().contains("nothing`: failed: No such file"), "{error}");
    assert_eq!(receiver.join().unwrap().unwrap(), Transfer::default());
}

#[test]
fn the_stream_goes_on_after_a_transfer() {
    let (_home, from, to) = home();
    fs::write(from.join("letter"), "dear reader").unwrap();
    let (here, there) = pair();
    let receiver = thread::spawn(move || {
        for _ in 0..2 {
            there.receive_files(&to).unwrap();
            there.write(b"thanks", None).unwrap();
        }
    });
    for _ in 0..2 {
        here.send_files([from.join("letter")]).unwrap();
        let mut thanks = [0; 6];
        here.read_exact(&mut thanks, None).unwrap();
        assert_eq!(&thanks, b"thanks");
    }
    receiver.join().unwrap();
}
