//! Senders and receivers that do not keep to the rules.

use super::*;
use crate::wire::files::{Answers, Digest, Ended as Told, Offer, Says, What, length};

/// Speaks as a sender, word by word.
fn says(stream: &Stream, all: &[Says]) {
    let mut bytes = vec![];
    all.iter().for_each(|says| says.write(&mut bytes));
    // The other end may have gone by then.
    drop(stream.write(&bytes, None));
}

/// The next message.
fn message(stream: &Stream) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head, None).ok()?;
    let mut body = vec![0; length(head).unwrap()];
    stream.read_exact(&mut body, None).ok()?;
    Some(body)
}

fn answer(stream: &Stream) -> Option<Answers> {
    message(stream).map(|body| Answers::read(&body).unwrap())
}

fn file(path: &[&str], length: u64) -> Says {
    offer(path, What::File { length, stored: length })
}

fn offer(path: &[&str], what: What) -> Says {
    let path = path.iter().map(|name| name.as_bytes().to_vec()).collect();
    Says::Offer(Offer { path, what, mode: 0o644, modified: (0, 0) })
}

/// Receives from a sender that says all of this, and gives what it answered.
fn received(to: &Path, all: &[Says]) -> (Vec<Answers>, Result<Transfer>) {
    let (here, there) = pair();
    let receiving = Receiving::into(to);
    let receiver = thread::spawn(move || receiving.over(&there));
    says(&here, all);
    here.finish(None).unwrap();
    let answers = std::iter::from_fn(|| answer(&here)).collect();
    (answers, receiver.join().unwrap())
}

#[test]
fn no_sender_writes_outside_of_the_folder() {
    let (home, _, to) = home();
    fs::create_dir(&to).unwrap();
    symlink(home.path(), to.join("out")).unwrap();
    let hostile: [&[&str]; 8] = [
        &["..", "pwned"],
        &["/tmp/pwned"],
        &["a/../../pwned"],
        &["out", "pwned"],
        &["out"],
        &[".."],
        &[""],
        &[".pwned.anyplace-part"],
    ];
    let mut all = vec![Says::Hello];
    all.extend(hostile.iter().map(|path| file(path, 5)));
    all.extend(hostile.iter().map(|path| offer(path, What::Folder)));
    all.push(Says::Bye);
    let (answers, received) = received(&to, &all);
    assert_eq!(received.unwrap().failed, 16);
    let is_refused = |answer: &&Answers| matches!(answer, Answers::Done(_, Told::Refused(_)));
    assert_eq!(answers.iter().filter(is_refused).count(), 16, "{answers:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    assert_eq!(fs::read_dir(&to).unwrap().count(), 1);
}

#[test]
fn what_makes_no_sense_ends_the_conversation() {
    let (_home, _, to) = home();
    for hostile in [
        &[Says::Bye][..],
        &[Says::Hello, Says::Hello],
        &[Says::Hello, Says::Data(1)],
        &[Says::Hello, Says::Hole(1)],
        &[Says::Hello, Says::End([0; 32])],
        &[Says::Hello, Says::GaveUp("for nothing".into())],
        &[Says::Hello, Says::Verdict(0)],
        &[Says::Hello, file(&["a"], 5), Says::Bye],
        &[Says::Hello, file(&["a"], 5), Says::Verdict(1)],
        &[Says::Hello, file(&["a"], 5), Says::Data(6)],
        &[Says::Hello, file(&["a"], 5), Says::Hole(6)],
        &[Says::Hello, file(&["a"], i64::MAX as u64), Says::Hole(1 << 30), Says::Bye],
    ] {
        let error = received(&to, hostile).1.unwrap_err();
        assert_eq!(error.kind(), Kind::VersionMismatch, "{hostile:?}: {error}");
    }
    assert!(!to.join("a").exists());
}

#[test]
fn no_sender_keeps_more_files_open_than_it_may() {
    let (_home, _, to) = home();
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let offers = names.iter().map(|name| file(&[name], 1));
    let all: Vec<Says> = [Says::Hello].into_iter().chain(offers).collect();
    assert_eq!(received(&to, &all).1.unwrap_err().kind(), Kind::VersionMismatch);
}

#[test]
fn a_file_with_another_digest_is_not_kept() {
    let (_home, _, to) = home();
    let hole =
        |digest: Digest| [Says::Hello, file(&["zeros"], 5), Says::Hole(5), Says::End(digest), Says::Bye];
    let (answers, received_wrong) = received(&to, &hole([7; 32]));
    assert!(matches!(&answers[2], Answers::Done(0, Told::Failed(why)) if why.contains("not what was sent")));
    assert_eq!((received_wrong.unwrap().failed, to.join("zeros").exists()), (1, false));
    let (answers, _) = received(&to, &hole(*blake3::hash(&[0; 5]).as_bytes()));
    assert!(matches!(answers[2], Answers::Done(0, Told::Written)), "{answers:?}");
    assert_eq!(fs::read(to.join("zeros")).unwrap(), [0; 5]);
}

#[test]
fn two_senders_do_not_write_to_the_same_file() {
    let (_home, from, to) = home();
    fs::write(from.join("file"), "second").unwrap();
    let (here, there) = pair();
    let receiving = Receiving::into(&to);
    let first = thread::spawn(move || receiving.over(&there));
    says(&here, &[Says::Hello, file(&["file"], 5)]);
    assert_eq!(answer(&here), Some(Answers::Hello));
    assert_eq!(answer(&here), Some(Answers::Take(0, vec![])));

    let (story, tell) = story();
    let (sent, _) = transfer(Sending::new([from.join("file")]).on_event(tell), Receiving::into(&to));
    assert_eq!(sent.unwrap().failed, 1);
    assert_eq!(endings(&story), ["file: refused: somebody is sending it already"]);
    drop(here);
    assert_eq!(first.join().unwrap().unwrap_err().kind(), Kind::ConnectionLost);
}

/// Plays a receiver that answers each offer as it is told, and gives what it heard in between.
fn played(stream: &Stream, mut play: impl FnMut(u64) -> Vec<Answers>) -> Vec<Says> {
    let (mut heard, mut offers) = (vec![], 0);
    let mut answers = vec![Answers::Hello];
    loop {
        let mut bytes = vec![];
        answers.drain(..).for_each(|answer| answer.write(&mut bytes));
        drop(stream.write(&bytes, None));
        let Some(says) = message(stream).map(|body| Says::read(&body).unwrap()) else { return heard };
        match &says {
            Says::Data(length) => {
                let mut bytes = vec![0; *length as usize];
                stream.read_exact(&mut bytes, None).unwrap();
            }
            Says::Offer(_) => {
                answers = play(offers);
                offers += 1;
            }
            Says::Bye => answers = vec![Answers::Bye],
            _ => {}
        }
        heard.push(says);
    }
}

#[test]
fn a_sender_stops_when_the_receiver_is_done_with_a_file() {
    let (_home, from, _) = home();
    fs::write(from.join("a"), bytes(50 << 20)).unwrap();
    fs::write(from.join("b"), "dear reader").unwrap();
    let (here, there) = pair();
    let receiver = thread::spawn(move || {
        played(&there, |number| match number {
            1 => vec![Answers::Take(1, vec![]), Answers::Done(1, Told::Failed("the disk is full".into()))],
            _ => vec![Answers::Take(number, vec![])],
        })
    });
    // The folder is no file: it cannot be taken.
    let error = Sending::new([&from]).over(&here).unwrap_err();
    assert_eq!(error.kind(), Kind::VersionMismatch);
    drop(here);
    receiver.join().unwrap();

    let (here, there) = pair();
    let (story, tell) = story();
    let receiver = thread::spawn(move || {
        played(&there, |number| match number {
            0 => vec![Answers::Take(0, vec![]), Answers::Done(0, Told::Failed("the disk is full".into()))],
            _ => vec![Answers::Done(number, Told::There)],
        })
    });
    let sent = Sending::new([from.join("a"), from.join("b")]).on_event(tell).over(&here).unwrap();
    assert!(sent.bytes < 50 << 20, "{sent:?}");
    assert_eq!(endings(&story), ["a: failed: the disk is full", "b: was there already"]);
    drop(here);
    assert!(receiver.join().unwrap().iter().any(|says| matches!(says, Says::GaveUp(_))));
}

#[test]
fn no_receiver_makes_a_sender_go_astray() {
    let (_home, from, _) = home();
    fs::write(from.join("a"), "dear reader").unwrap();
    for hostile in [
        vec![Answers::Take(7, vec![])],
        vec![Answers::Done(7, Told::There)],
        vec![Answers::Compare(0, vec![[0; 32]; 2])],
        vec![Answers::Take(0, vec![[0; 32]; 2])],
        vec![Answers::Take(0, vec![]), Answers::Take(0, vec![])],
        vec![Answers::Hello],
        vec![Answers::Bye],
    ] {
        let (here, there) = pair();
        let told = hostile.clone();
        let receiver = thread::spawn(move || played(&there, |_| told.clone()));
        let error = Sending::new([from.join("a")]).over(&here).unwrap_err();
        assert_eq!(error.kind(), Kind::VersionMismatch, "{hostile:?}: {error}");
        drop(here);
        receiver.join().unwrap();
    }
}
