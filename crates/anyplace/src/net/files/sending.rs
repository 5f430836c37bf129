//! The end that has the files.

use super::digest::Tree;
use super::event::{Ended, Event, Teller, Transfer, Watch};
use super::pouring::{Poured, pour, read_groups};
use super::source::{Entry, Source, Unsent, Why};
use super::talk::{Talk, unexpected};
use super::{PATIENCE, Stream};
use crate::error::Result;
use crate::wire::files::{Answers, Digest, Says};
use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// So many small files are offered before the first of them is taken: the way there and back is waited for once.
const AHEAD: usize = 64;

/// Nothing is offered behind a file that is longer: what its receiver says of it may be long, too, and would not be read
/// while it is sent.
const SMALL: u64 = 1 << 20;

/// Files and folders to send.
///
/// Folders are sent with all that is in them; symbolic links inside are not followed, and what is neither file nor folder
/// is skipped. A file is sent with its permissions and its time, not with its owner, and its holes stay holes. What the
/// receiver has already, whole or in part, is not sent again.
///
/// Sockets send by `sendfile`, so that the bytes never come into this process but to be hashed (BLAKE3, on a thread of its
/// own).
///
/// ```
/// use anyplace::net::files::{Receiving, Sending};
/// use anyplace::net::{connect, listen};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("letter"), "dear reader")?;
///
/// let listener = listen("tcp://127.0.0.1:0")?;
/// let here = connect(listener.endpoint(), None)?;
/// let there = listener.accept(None)?;
/// let inbox = folder.path().join("inbox");
/// let receiver = std::thread::spawn(move || Receiving::into(inbox).over(&there));
///
/// let sent = Sending::new([folder.path().join("letter")]).over(&here)?;
/// assert_eq!((sent.files, sent.bytes), (1, 11));
/// assert_eq!(receiver.join().unwrap()?.files, 1);
/// assert_eq!(std::fs::read_to_string(folder.path().join("inbox/letter"))?, "dear reader");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is sent before it is sent `over` a stream"]
pub struct Sending {
    paths: Vec<PathBuf>,
    patience: Duration,
    is_strict: bool,
    watch: Watch,
}

impl Sending {
    /// These files and folders. Each has its own name at the other end, without the folders before it.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self { paths, patience: PATIENCE, is_strict: false, watch: None }
    }

    /// How long the other end may be silent, or take nothing: a minute, unless it is said.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What cannot be sent, or is refused, is an error in the end, with the reason of the first; nothing else is held up by it.
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Is told what happens, on the thread that sends. It holds the transfer up while it works.
    pub fn on_event(mut self, watch: impl FnMut(Event<'_>) + Send + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Sends them to whoever [receives](super::Receiving) at the other end. What cannot be read or is refused is counted,
    /// [told](Self::on_event), and holds nothing else up.
    ///
    /// The stream is as it was when it is over. Nothing here looks at who is at the other end, and over plain TCP everybody
    /// in between can read what is sent: see [`Inbox`](crate::serve::Inbox) for files between machines.
    ///
    /// # Errors
    /// `ConnectionLost` and `Timeout` if the other end goes away or is silent; `VersionMismatch` if it does not receive files
    /// as this version does.
    pub fn over(self, stream: &Stream) -> Result<Transfer> {
        let mut sender = Sender {
            talk: Talk::new(stream, self.patience),
            source: Source::new(self.paths),
            is_exhausted: false,
            offered: VecDeque::new(),
            count: 0,
            heard: VecDeque::new(),
            teller: Teller::new(self.watch, self.is_strict),
        };
        sender.run()?;
        sender.talk.end()?;
        sender.teller.end()
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("paths", &self.paths).finish_non_exhaustive()
    }
}

struct Sender<'a> {
    talk: Talk<'a>,
    source: Source,
    is_exhausted: bool,
    /// What was offered and is not done.
    offered: VecDeque<Offered>,
    count: u64,
    /// What the receiver said while we sent.
    heard: VecDeque<Answers>,
    teller: Teller,
}

struct Offered {
    number: u64,
    entry: Entry,
    is_folder: bool,
}

impl Sender<'_> {
    fn run(&mut self) -> Result<()> {
        self.talk.say(|into| Says::Hello.write(into))?;
        if self.hear()? != Answers::Hello {
            return Err(unexpected());
        }
        loop {
            self.offer_ahead()?;
            if self.offered.is_empty() {
                break;
            }
            let answer = self.hear()?;
            self.answer(answer)?;
        }
        self.talk.say(|into| Says::Bye.write(into))?;
        match self.hear()? {
            Answers::Bye => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// What the receiver says next.
    fn hear(&mut self) -> Result<Answers> {
        loop {
            let answer = match self.heard.pop_front() {
                Some(answer) => answer,
                None => self.talk.next(Answers::read)?,
            };
            if answer != Answers::Still {
                return Ok(answer);
            }
        }
    }

    fn offer_ahead(&mut self) -> Result<()> {
        while !self.is_exhausted && self.has_room() {
            match self.source.next() {
                None => self.is_exhausted = true,
                Some(Ok(entry)) => self.offer(entry)?,
                Some(Err(unsent)) => self.leave_out(unsent),
            }
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let is_small = |offered: &Offered| offered.entry.state.length <= SMALL || offered.is_folder;
        self.offered.len() < AHEAD && self.offered.back().is_none_or(is_small)
    }

    fn offer(&mut self, entry: Entry) -> Result<()> {
        let offer = Says::Offer(entry.offer());
        let is_folder = entry.file.is_none();
        self.offered.push_back(Offered { number: self.count, entry, is_folder });
        self.count += 1;
        self.talk.say(|into| offer.write(into))
    }

    fn leave_out(&mut self, Unsent { path, why }: Unsent) {
        let ended = match why {
            Why::Skipped(why) => Ended::Skipped(why.to_owned()),
            Why::Failed(error) => Ended::Failed(error.to_string()),
        };
        self.teller.ends(&path, false, &ended);
    }

    fn answer(&mut self, answer: Answers) -> Result<()> {
        match answer {
            Answers::Take(number, groups) => self.send(number, &groups),
            Answers::Compare(number, groups) => self.compare(number, &groups),
            Answers::Done(number, ended) => self.settle(number, ended.into()),
            Answers::Hello | Answers::Still | Answers::Bye => Err(unexpected()),
        }
    }

    fn send(&mut self, number: u64, groups: &[Digest]) -> Result<()> {
        // A file is taken once: it is not there for a second time.
        let entry = &mut self.find(number)?.entry;
        let file = entry.file.take().ok_or_else(unexpected)?;
        let entry = Entry { path: entry.path.clone(), file: Some(file), state: entry.state };
        let mut tree = Tree::new(entry.state.length);
        if !groups.is_empty() {
            let same = read_groups(&mut self.talk, &entry, &mut tree, groups)?;
            self.talk.say(|into| Says::Verdict(same).write(into))?;
        }
        self.teller.begins(&entry.path, entry.state.length, tree.at());
        let poured = pour(&mut self.talk, &entry, tree, &mut self.teller, &mut self.heard, number)?;
        self.talk.say(|into| match poured {
            Poured::All(digest) if !entry.has_changed() => Says::End(digest).write(into),
            Poured::All(_) => Says::GaveUp("it changed while it was sent".to_owned()).write(into),
            Poured::GaveUp(why) => Says::GaveUp(why).write(into),
        })
    }

    fn compare(&mut self, number: u64, groups: &[Digest]) -> Result<()> {
        let entry = &mut self.find(number)?.entry;
        let file = entry.file.take().ok_or_else(unexpected)?;
        let entry = Entry { path: PathBuf::new(), file: Some(file), state: entry.state };
        let mut tree = Tree::new(entry.state.length);
        let same = read_groups(&mut self.talk, &entry, &mut tree, groups)?;
        self.talk.say(|into| Says::Verdict(same).write(into))
    }

    fn settle(&mut self, number: u64, ended: Ended) -> Result<()> {
        let at = self.offered.iter().position(|offered| offered.number == number).ok_or_else(unexpected)?;
        let Offered { entry, is_folder, .. } = self.offered.remove(at).expect("it was found");
        self.teller.ends(&entry.path, is_folder, &ended);
        Ok(())
    }

    fn find(&mut self, number: u64) -> Result<&mut Offered> {
        self.offered.iter_mut().find(|offered| offered.number == number).ok_or_else(unexpected)
    }
}
