//! Values that were taken for a client, and did not arrive with it.

use super::opened::Opened;
use super::pending::{Doing, Line, Pending};
use crate::error::Result;
use crate::serve::objects::aside;
use crate::share::{Queue, from_ticket, to_ticket_of_kept};
use crate::wire::peer::share::Said;
use crate::work::Payload;

/// What is taken back comes out of a priority queue next, as it did before.
const FIRST: i64 = i64::MIN;

/// Puts values back where they were taken, in the name of this process, since the client's may be over. In a queue they come
/// last, of a lifo or priority queue next; where it is full meanwhile, as soon as there is room. Of one that is shut down they
/// are lost, as all that it has is sooner or later. An end of a pipe gives them first.
pub(super) fn take_back(opened: &Opened, values: Vec<Payload>) {
    match opened {
        Opened::Queue(queue) => {
            // To open it takes a while where others make something large.
            let queue = queue.clone();
            aside(move || {
                let ours = ours(&queue).unwrap_or_else(|_| queue.clone());
                for value in values {
                    start(put(ours.clone(), value));
                    // It was put once more than it is done now.
                    drop(queue.task_done());
                }
            });
        }
        Opened::Pipe(end) => end.take_back(values),
        _ => {}
    }
}

fn put(queue: Queue<Payload>, value: Payload) -> Doing {
    Box::pin(async move {
        let mut item = Some(value);
        queue.putting_ranked(FIRST, &mut item).await?;
        Ok((Said::Done(0), Vec::new()))
    })
}

/// The queue as this process has it.
fn ours(queue: &Queue<Payload>) -> Result<Queue<Payload>> {
    from_ticket(&to_ticket_of_kept(queue)?)
}

fn start(doing: Doing) {
    Pending::start(doing, 0, Line::new(String::new()), Box::new(|_| ()));
}
