//! Transfers of which something is there already.

use super::*;

/// A group, so far as it matters here: what is compared and sent as one.
const GROUP: usize = 4 << 20;

fn part(to: &Path, bytes: &[u8]) -> PathBuf {
    fs::create_dir_all(to).unwrap();
    let part = to.join(".file.anyplace-part");
    fs::write(&part, bytes).unwrap();
    part
}

/// How many bytes are sent if this is there of a file.
fn sent_beside(whole: &[u8], there: &[u8]) -> u64 {
    let (_home, from, to) = home();
    fs::write(from.join("file"), whole).unwrap();
    let part = part(&to, there);
    let (sent, received) = transfer(Sending::new([from.join("file")]), Receiving::into(&to));
    assert_eq!((received.unwrap().files, fs::read(to.join("file")).unwrap() == whole), (1, true));
    assert!(!part.exists());
    sent.unwrap().bytes
}

#[test]
fn what_was_cut_off_goes_on_where_it_was() {
    let whole = bytes(3 * GROUP + 100);
    let length = whole.len() as u64;
    for (there, groups) in [(0, 0), (GROUP - 1, 0), (GROUP, 1), (2 * GROUP + 5, 2)] {
        assert_eq!(sent_beside(&whole, &whole[..there]), length - (groups * GROUP) as u64, "{there}");
    }
    assert_eq!(sent_beside(&whole, &whole), 0);
}

#[test]
fn what_differs_is_sent_from_the_first_difference_on() {
    let whole = bytes(3 * GROUP);
    let mut other = whole.clone();
    other[GROUP + 7] ^= 1;
    assert_eq!(sent_beside(&whole, &other), 2 * GROUP as u64);
    other[0] ^= 1;
    assert_eq!(sent_beside(&whole, &other), 3 * GROUP as u64);
    // A longer file was begun under that name.
    assert_eq!(sent_beside(&whole[..GROUP + 1], &whole), 0);
    assert_eq!(sent_beside(b"short", &whole), 5);
    assert_eq!(sent_beside(b"", &whole), 0);
}

#[test]
fn holes_are_not_filled_with_what_was_there_before() {
    let (_home, from, to) = home();
    let mut file = fs::File::create(from.join("file")).unwrap();
    file.set_len(2 * GROUP as u64).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(b"end").unwrap();
    let part = part(&to, &bytes(2 * GROUP));
    let (_, received) = transfer(Sending::new([from.join("file")]), Receiving::into(&to));
    assert_eq!(received.unwrap().files, 1);
    assert!(fs::read(to.join("file")).unwrap() == fs::read(from.join("file")).unwrap() && !part.exists());
}

#[test]
fn the_same_again_sends_nothing() {
    let (_home, from, to) = home();
    fs::write(from.join("large"), bytes(GROUP + 1)).unwrap();
    fs::write(from.join("small"), "dear reader").unwrap();
    fs::write(from.join("empty"), "").unwrap();
    let send = || transfer(Sending::new([&from]), Receiving::into(&to));
    assert_eq!(send().0.unwrap().files, 3);
    let again = Transfer { there: 4, ..Transfer::default() };
    assert_eq!((send().0.unwrap(), send().1.unwrap()), (again, again));
    // Also if all that can be compared is what is in them.
    for name in ["large", "small", "empty"] {
        made_then(&to.join("from").join(name), 1);
    }
    assert_eq!((send().0.unwrap(), send().1.unwrap()), (again, again));
}

#[test]
fn a_sender_that_vanishes_leaves_a_part_to_go_on_with() {
    let (_home, from, to) = home();
    let whole = bytes(5 * GROUP);
    fs::write(from.join("file"), &whole).unwrap();
    let (here, there) = pair();
    let receiving = Receiving::into(&to);
    let receiver = thread::spawn(move || receiving.over(&there));
    let (cut, mut gone) = (here.clone(), 0);
    let watch = move |event: Event<'_>| {
        if let Event::Moves(bytes) = event {
            gone += bytes;
            if gone > 3 * GROUP as u64 {
                cut.abort();
            }
        }
    };
    let error = Sending::new([from.join("file")]).on_event(watch).over(&here).unwrap_err();
    assert_eq!(error.kind(), Kind::ConnectionLost);
    assert_eq!(receiver.join().unwrap().unwrap_err().kind(), Kind::ConnectionLost);
    assert!(!to.join("file").exists() && to.join(".file.anyplace-part").exists());

    let (sent, _) = transfer(Sending::new([from.join("file")]), Receiving::into(&to));
    assert_eq!(sent.unwrap().files, 1);
    assert!(fs::read(to.join("file")).unwrap() == whole);
}

#[test]
fn a_receiver_that_vanishes_is_told_with_what_to_do() {
    let (_home, from, _) = home();
    fs::write(from.join("file"), bytes(5 * GROUP)).unwrap();
    let (here, there) = pair();
    let receiver = thread::spawn(move || {
        there.read(&mut [0; 10], None).unwrap();
        there.abort();
    });
    let error = Sending::new([from.join("file")]).over(&here).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::ConnectionLost, crate::error::Retry::Safe));
    assert!(error.help().unwrap().contains("not sent twice"));
    receiver.join().unwrap();
}

#[test]
fn who_is_silent_is_not_waited_for_longer_than_is_said() {
    let (_home, from, to) = home();
    fs::write(from.join("file"), "dear reader").unwrap();
    let (here, there) = pair();
    let soon = Duration::from_millis(50);
    let error = Sending::new([from.join("file")]).patience(soon).over(&here).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    let (_here, silent) = pair();
    let error = Receiving::into(&to).patience(soon).over(&silent).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    drop(there);
}
