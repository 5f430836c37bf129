//! What a client says is done in its order. What may take long is not done by the thread that hears it, which hears others, too.

use crate::wire::peer::share::{Heard, Note, Op};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many bytes may wait behind what takes long.
const MOST: usize = 256 << 20;

/// What a message costs beside its values.
const EACH: usize = 512;

/// What one client has said in one conversation and what is not done yet.
#[derive(Default)]
pub(super) struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    /// A thread does something that takes long, and then what waits.
    is_busy: bool,
    waiting: VecDeque<Heard>,
    bytes: usize,
    is_over: bool,
}

/// Who is to do something that was heard.
pub(super) enum Turn {
    /// Whoever has heard it, at once.
    Now(Heard),
    /// Another thread, which then [goes on](Line::next).
    Aside(Heard),
    /// The thread that is at work.
    Later,
    /// Nobody: more waits than there is room for.
    Full,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, heard: Heard) -> Turn {
        let mut state = self.state();
        if !state.is_busy {
            state.is_busy = takes_long(&heard);
            return if state.is_busy { Turn::Aside(heard) } else { Turn::Now(heard) };
        }
        state.bytes += size(&heard);
        if state.bytes > MOST {
            return Turn::Full;
        }
        if !state.is_over {
            state.waiting.push_back(heard);
        }
        Turn::Later
    }

    /// What comes next; nothing if that was all, and whoever hears the client does it again.
    pub(super) fn next(&self) -> Option<Heard> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.bytes -= next.as_ref().map_or(0, size);
        state.is_busy = next.is_some();
        next
    }

    /// The conversation is over: what waits is never done.
    pub(super) fn end(&self) {
        let mut state = self.state();
        (state.is_over, state.bytes) = (true, 0);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }
}

/// Whether it makes, ends or looks at as much as others have made: objects come and go one at a time in the whole place, and the
/// memory of a large one takes a while.
fn takes_long(heard: &Heard) -> bool {
    match heard {
        Heard::Question { asked, .. } => matches!(
            asked.op,
            Op::Open { .. }
                | Op::Arrive { .. }
                | Op::Why
                | Op::Keys
                | Op::Items
                | Op::InsertAll
                | Op::RemoveAll
                | Op::ShutDown { .. }
        ),
        Heard::Note(Note::Close(_) | Note::Return(_)) => true,
        Heard::Note(_) => false,
    }
}

fn size(heard: &Heard) -> usize {
    let Heard::Question { values, .. } = heard else { return EACH };
    let sizes = values
        .iter()
        .map(|value| value.bytes.len() + value.buffers.iter().map(|part| part.len()).sum::<usize>());
    EACH + sizes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::peer::share::Asked;
    use crate::work::{Encoding, Payload};

    fn asked(id: u64, op: Op, bytes: usize) -> Heard {
        let asked = Asked { op, waits: false, thread: 0, line: String::new() };
        Heard::Question { id, object: 1, asked, values: vec![Payload::new(Encoding::Plain, vec![0; bytes])] }
    }

    #[test]
    fn what_comes_behind_what_takes_long_waits_and_is_done_in_its_order() {
        let line = Line::default();
        assert!(matches!(line.enter(asked(0, Op::Load, 0)), Turn::Now(_)));
        assert!(matches!(line.enter(asked(1, Op::Keys, 0)), Turn::Aside(_)));
        assert!(matches!(line.enter(asked(2, Op::Load, 0)), Turn::Later));
        assert!(matches!(line.enter(asked(3, Op::Keys, 0)), Turn::Later));
        let order: Vec<_> = std::iter::from_fn(|| line.next()).collect();
        assert_eq!(order, [asked(2, Op::Load, 0), asked(3, Op::Keys, 0)]);
        assert!(matches!(line.enter(asked(4, Op::Load, 0)), Turn::Now(_)));
    }

    #[test]
    fn no_more_waits_than_there_is_room_for() {
        let line = Line::default();
        assert!(matches!(line.enter(asked(0, Op::Why, 0)), Turn::Aside(_)));
        let mut kept = 0;
        while matches!(line.enter(asked(1, Op::Load, 64 << 20)), Turn::Later) {
            kept += 1;
        }
        assert_eq!(kept, 3);
        line.end();
        assert_eq!(line.next(), None);
    }
}
