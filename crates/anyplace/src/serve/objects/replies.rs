//! What an object answered, as what its caller gets.

use super::conversation::streaming;
use super::desk::Card;
use super::here::Node;
use super::object::{Answer, Reply};
use super::proxy::Proxy;
use super::stream::Values;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Outcome, Value};
use crate::wire::peer::objects::{self as messages, ObjectId};
use crate::work::{Encoding, Payload};
use std::sync::Arc;

/// What a call gave: a value, and what gives more of them if the object makes them one by one.
#[derive(Debug)]
pub struct Replied {
    /// The value.
    pub value: Payload,
    /// More values.
    pub stream: Option<Values>,
}

impl Replied {
    pub(super) fn into_answer(self) -> Answer {
        match self.stream {
            Some(stream) => Answer::Stream(Box::new(stream)),
            None => Answer::Value(self.value),
        }
    }
}

/// What an object of this process answered.
pub(super) fn of_here(
    node: Arc<Node>,
    answer: Result<Answer>,
    then: Box<dyn FnOnce(Result<Replied>) + Send>,
) {
    match answer {
        Ok(Answer::Value(value)) => then(Ok(Replied { value, stream: None })),
        Ok(Answer::Stream(stream)) => then(
            node.add(streaming(stream))
                .map(|proxy| Replied { value: nothing(), stream: Some(Values::new(proxy)) }),
        ),
        Ok(Answer::Later(begin)) => {
            let later: Reply = Box::new(move |answer| of_here(node, answer, then));
            begin(later);
        }
        Err(error) => then(Err(error)),
    }
}

fn nothing() -> Payload {
    Payload::new(Encoding::Plain, &[0])
}

/// What an object elsewhere answered.
pub(super) fn of_elsewhere(
    node: &Arc<Node>,
    id: ObjectId,
    is_direct: bool,
    answer: Result<&[u8]>,
) -> Result<Replied> {
    let answer = answer.map_err(|error| if is_direct { lost(error) } else { error })?;
    let (value, stream) = messages::read_answer_bytes(answer)
        .map_err(|malformed| Error::new(Kind::Unexpected, malformed.to_string()))?;
    let stream = stream.map(|number| {
        let id = ObjectId { number, ..id };
        Values::new(Proxy::away(node, &Card::new(id, None, "stream".to_owned()), true))
    });
    Ok(Replied { value, stream })
}

/// The end of a conversation with the process of the object is the end of the object.
fn lost(error: Error) -> Error {
    if error.kind() != Kind::ConnectionLost && error.kind() != Kind::PlaceClosed {
        return error;
    }
    let message = format!("the process that had the object is gone: {}", error.message());
    error
        .told_as(Kind::WorkerLost, message)
        .with_help("create the object again, or with `restart=` so that it comes back by itself")
}

/// What a task gives that was such a call.
pub(super) fn outcome(replied: Result<Replied>) -> Outcome {
    match replied {
        Ok(Replied { value, stream: None }) => Outcome::Returned(Value::Encoded(value)),
        Ok(Replied { stream: Some(stream), .. }) => Outcome::local(stream),
        Err(error) => match error.kind() {
            Kind::WorkerLost | Kind::ConnectionLost | Kind::PlaceClosed => Outcome::Lost(error),
            Kind::Cancelled => Outcome::Cancelled(error),
            _ => Outcome::Failed(error),
        },
    }
}
