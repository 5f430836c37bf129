//! The end that gets the files.

use super::event::{Ended, Event, Teller, Transfer, Watch};
use super::folder::{Folder, Found, Outcome, Spot, refused};
use super::hashing::GULP;
use super::incoming::{Incoming, read_tree};
use super::talk::{Talk, garbled, unexpected};
use super::{PATIENCE, Stream};
use crate::error::Result;
use crate::wire::Malformed;
use crate::wire::files::{self as wire, Answers, Offer, Says, What};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

/// So many files may be open for a sender that offers ahead.
const MOST_OPEN: usize = 128;

/// Receives what is [sent](super::Sending) into a folder.
///
/// Nothing is written outside of it, whatever the sender says, and no symbolic link is followed in it. A file that is not
/// whole is called `.NAME.anyplace-part`; if it is sent again, what has arrived is not sent twice. It gets its name when
/// all of it is there and has the digest that the sender computed. A file that is there and different is not touched, unless
/// [`force`](Self::force) says so.
///
/// For an example see [`Sending`](super::Sending).
#[must_use = "nothing is received before it comes `over` a stream"]
pub struct Receiving {
    folder: PathBuf,
    force: bool,
    limit: Option<u64>,
    patience: Duration,
    is_strict: bool,
    watch: Watch,
}

impl Receiving {
    /// Into this folder, which is made if it is not there.
    pub fn into(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            force: false,
            limit: None,
            patience: PATIENCE,
            is_strict: false,
            watch: None,
        }
    }

    /// Replaces files that are there and different. Links and folders are never replaced.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Takes at most so many bytes in all.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// How long the other end may be silent: a minute, unless it is said.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What cannot be written, or is refused, is an error in the end, with the reason of the first; nothing else is held up by it.
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Is told what happens, on the thread that receives. It holds the transfer up while it works.
    pub fn on_event(mut self, watch: impl FnMut(Event<'_>) + Send + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Receives all that is sent from the other end. What cannot be written or is refused is counted,
    /// [told](Self::on_event), and holds nothing else up.
    ///
    /// # Errors
    /// `ConnectionLost` and `Timeout` if the sender goes away or is silent; `VersionMismatch` if it does not send files as
    /// this version does; what the system says if the folder cannot be opened. Files that had come by then are there. `Unexpected` in the
    /// end if it is [strict](Self::strict).
    pub fn over(self, stream: &Stream) -> Result<Transfer> {
        let mut receiver = Receiver {
            talk: Talk::new(stream, self.patience),
            folder: Folder::open(&self.folder)?,
            force: self.force,
            left: self.limit.unwrap_or(u64::MAX),
            count: 0,
            open: VecDeque::new(),
            made: Vec::new(),
            teller: Teller::new(self.watch, self.is_strict),
        };
        let received = receiver.run();
        // Also of a sender that has gone: what it sent is as it should be.
        receiver.end_folders();
        received?;
        receiver.talk.end()?;
        receiver.teller.end()
    }
}

impl fmt::Debug for Receiving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving").field("folder", &self.folder).finish_non_exhaustive()
    }
}

struct Receiver<'a> {
    talk: Talk<'a>,
    folder: Folder,
    force: bool,
    /// How many bytes may still come.
    left: u64,
    count: u64,
    /// What was answered and is not done, in the order of the answers.
    open: VecDeque<Open>,
    /// Folders that are new, each behind those that it is in.
    made: Vec<Offer>,
    teller: Teller,
}

/// A file that a sender has something to say of.
struct Open {
    number: u64,
    path: PathBuf,
    what: Doing,
    /// Whether some of it has come.
    has_begun: bool,
}

enum Doing {
    /// Waits to hear whether it is the one with so many groups that is here.
    Comparing(u64),
    /// Is received. So many groups were here, if the sender has not said yet how many are the same.
    Taking { file: Incoming, unsure: Option<u64> },
    /// Is done: what is still on its way is of no use.
    Over,
}

impl Receiver<'_> {
    fn run(&mut self) -> Result<()> {
        if self.talk.next(Says::read)? != Says::Hello {
            return Err(unexpected());
        }
        self.talk.say(|into| Answers::Hello.write(into))?;
        loop {
            match self.talk.next(Says::read)? {
                Says::Hello => return Err(unexpected()),
                Says::Still => {}
                Says::Offer(offer) => self.consider(offer)?,
                Says::Verdict(same) => self.go_on(same)?,
                Says::Data(length) => self.take(length)?,
                Says::Hole(length) => self.skip(length)?,
                Says::End(digest) => self.end(|file, force| file.end(&digest, force))?,
                Says::GaveUp(why) => self.end(|_, _| Err(wire::Ended::Failed(why)))?,
                Says::Bye if self.open.is_empty() => {
                    self.end_folders();
                    return self.talk.say(|into| Answers::Bye.write(into));
                }
                Says::Bye => return Err(unexpected()),
            }
        }
    }

    /// Answers an offer.
    fn consider(&mut self, offer: Offer) -> Result<()> {
        let number = self.count;
        self.count += 1;
        if self.open.len() >= MOST_OPEN {
            return Err(garbled(Malformed("an offer that was waited for")));
        }
        let path: PathBuf = offer.path.iter().map(|name| OsString::from_vec(name.clone())).collect();
        let spot = self.folder.spot(&offer.path);
        let is_folder = offer.what == What::Folder;
        let ended = match (spot, offer.what) {
            (Err(ended), _) => ended,
            (Ok(spot), What::Folder) => self.make(&spot, offer),
            (Ok(spot), What::File { length, stored }) => {
                match self.consider_file(number, spot, &offer, (length, stored))? {
                    Ok(what) => {
                        self.open.push_back(Open { number, path, what, has_begun: false });
                        return Ok(());
                    }
                    Err(ended) => ended,
                }
            }
        };
        self.done(number, &path, is_folder, ended)
    }

    fn make(&mut self, spot: &Spot, offer: Offer) -> wire::Ended {
        match spot.make_folder(offer.mode) {
            Ok(true) => {
                self.made.push(offer);
                wire::Ended::Written
            }
            Ok(false) => wire::Ended::There,
            Err(ended) => ended,
        }
    }

    fn consider_file(
        &mut self,
        number: u64,
        spot: Spot,
        offer: &Offer,
        (length, stored): (u64, u64),
    ) -> Result<Outcome<Doing>> {
        match spot.look() {
            Err(ended) => Ok(Err(ended)),
            Ok(Found::Other(what)) => Ok(Err(refused(what))),
            // Who changes a file and not its time wants it to pass for the same.
            Ok(Found::File(state)) if (state.length, state.modified) == (length, offer.modified) => {
                Ok(Err(wire::Ended::There))
            }
            Ok(Found::File(state)) if !self.force => match state.length == length {
                true => self.compare(number, &spot, length),
                false => Ok(Err(refused(ANOTHER))),
            },
            Ok(Found::Nothing | Found::File(_)) => self.open(number, spot, offer, (length, stored)),
        }
    }

    /// Says what is here, so that the sender can tell whether it is the same.
    fn compare(&mut self, number: u64, spot: &Spot, length: u64) -> Result<Outcome<Doing>> {
        let tree = match spot.open() {
            Ok(file) => read_tree(&mut self.talk, &file, length, length)?,
            Err(ended) => return Ok(Err(ended)),
        };
        let tree = match tree {
            Ok(tree) if tree.at() == length => tree,
            Ok(_) => return Ok(Err(refused(ANOTHER))),
            Err(ended) => return Ok(Err(ended)),
        };
        if length == 0 {
            return Ok(Err(wire::Ended::There));
        }
        self.talk.say(|into| Answers::Compare(number, tree.groups().to_vec()).write(into))?;
        Ok(Ok(Doing::Comparing(tree.groups().len() as u64)))
    }

    /// Takes the file, or what is missing of it.
    fn open(
        &mut self,
        number: u64,
        spot: Spot,
        offer: &Offer,
        (length, stored): (u64, u64),
    ) -> Result<Outcome<Doing>> {
        if length > self.left {
            return Ok(Err(refused("that is more than is received here")));
        }
        let room = spot.room();
        let part = match spot.part() {
            Ok(part) => part,
            Err(ended) => return Ok(Err(ended)),
        };
        let there = part.file.metadata().map_or(0, |state| state.len());
        if stored.saturating_sub(there) > room {
            return Ok(Err(refused("the disk has no room for it")));
        }
        let tree = match read_tree(&mut self.talk, &part.file, length, there)? {
            Ok(tree) => tree,
            Err(ended) => return Ok(Err(ended)),
        };
        let groups = tree.groups().to_vec();
        let unsure = (!groups.is_empty()).then_some(groups.len() as u64);
        let mut file = Incoming::new(part, tree, offer);
        if unsure.is_none()
            && let Err(ended) = file.begin(0)
        {
            return Ok(Err(ended));
        }
        self.left -= length;
        self.talk.say(|into| Answers::Take(number, groups).write(into))?;
        Ok(Ok(Doing::Taking { file, unsure }))
    }

    /// So many groups are the same.
    fn go_on(&mut self, same: u64) -> Result<()> {
        let Some(open) = self.open.front_mut() else { return Err(unexpected()) };
        match &mut open.what {
            Doing::Comparing(groups) if same <= *groups => {
                let is_same = same == *groups;
                let open = self.open.pop_front().expect("it was there");
                let ended = if is_same { wire::Ended::There } else { refused(ANOTHER) };
                self.done(open.number, &open.path, false, ended)
            }
            Doing::Taking { file, unsure } if unsure.is_some_and(|groups| same <= groups) => {
                *unsure = None;
                match file.begin(same) {
                    Ok(()) => Ok(()),
                    Err(ended) => self.fail(ended),
                }
            }
            _ => Err(unexpected()),
        }
    }

    /// Writes the bytes that follow.
    fn take(&mut self, length: u32) -> Result<()> {
        if let Some(file) = self.coming()? {
            file.check(length.into())?;
        }
        let mut left = length as usize;
        while left > 0 {
            let Some(open) = self.open.front_mut() else { return Err(unexpected()) };
            let Doing::Taking { file, .. } = &mut open.what else {
                left -= self.talk.read(&mut vec![0; left.min(GULP)])?;
                continue;
            };
            let (count, written) = file.take(&mut self.talk, left)?;
            left -= count;
            self.teller.moves(count as u64);
            if let Err(ended) = written {
                self.fail(ended)?;
            }
        }
        Ok(())
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        match self.coming()? {
            Some(file) => file.check(length).map(|()| file.skip(length)),
            None => Ok(()),
        }
    }

    /// The file that the sender speaks of; `None` if it cannot be written any more.
    fn coming(&mut self) -> Result<Option<&mut Incoming>> {
        let open = self.open.front_mut().ok_or_else(unexpected)?;
        match &mut open.what {
            Doing::Over => Ok(None),
            Doing::Taking { file, unsure: None } => {
                if !std::mem::replace(&mut open.has_begun, true) {
                    self.teller.begins(&open.path, file.length(), file.at());
                }
                Ok(Some(file))
            }
            Doing::Taking { .. } | Doing::Comparing(_) => Err(unexpected()),
        }
    }

    /// That was all of the file.
    fn end(&mut self, end: impl FnOnce(Incoming, bool) -> Outcome<()>) -> Result<()> {
        let Open { number, path, what, .. } = self.open.pop_front().ok_or_else(unexpected)?;
        match what {
            Doing::Over => Ok(()),
            Doing::Comparing(_) => Err(unexpected()),
            Doing::Taking { file, .. } => {
                let ended = end(file, self.force).map_or_else(|ended| ended, |()| wire::Ended::Written);
                self.done(number, &path, false, ended)
            }
        }
    }

    /// The file that comes cannot be written. What is on its way is still to be read.
    fn fail(&mut self, ended: wire::Ended) -> Result<()> {
        let Some(open) = self.open.front_mut() else { return Err(unexpected()) };
        open.what = Doing::Over;
        let (number, path) = (open.number, open.path.clone());
        self.done(number, &path, false, ended)?;
        self.talk.flush()
    }

    fn done(
        &mut self,
        number: u64,
        path: &std::path::Path,
        is_folder: bool,
        ended: wire::Ended,
    ) -> Result<()> {
        self.talk.say(|into| Answers::Done(number, ended.clone()).write(into))?;
        self.teller.ends(path, is_folder, &Ended::from(ended));
        Ok(())
    }

    /// Innermost first: a folder's time changes when something in it does.
    fn end_folders(&mut self) {
        for offer in std::mem::take(&mut self.made).into_iter().rev() {
            // Somebody here may have taken it away.
            drop(self.folder.spot(&offer.path).and_then(|spot| spot.end_folder(offer.mode, offer.modified)));
        }
    }
}

const ANOTHER: &str = "another file of that name is here";

impl From<wire::Ended> for Ended {
    fn from(ended: wire::Ended) -> Self {
        match ended {
            wire::Ended::Written => Self::Written,
            wire::Ended::There => Self::There,
            wire::Ended::Refused(why) => Self::Refused(why),
            wire::Ended::Failed(why) => Self::Failed(why),
        }
    }
}
