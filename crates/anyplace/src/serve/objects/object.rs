//! What can be called from elsewhere, and what it is asked.

use crate::error::{Error, Result};
use crate::work::{Payload, PayloadRef};
use std::any::Any;
use std::fmt;

pub use crate::wire::peer::objects::Verb;

/// An object that can be called from elsewhere. Several threads may do so at once.
///
/// ```
/// use anyplace::serve::objects::{Answer, Object, Request};
///
/// struct Greeter;
///
/// impl Object for Greeter {
///     fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
///         match request.method {
///             "greet" => Answer::of(&format!("hello {}", request.arguments::<String>()?)),
///             _ => Err(request.unknown()),
///         }
///     }
/// }
/// ```
pub trait Object: Any + Send + Sync {
    /// Does what is asked, on the calling thread.
    ///
    /// # Errors
    /// Whatever the caller is to be told.
    fn ask(&self, request: &Request<'_>) -> Result<Answer>;

    /// What errors call it.
    fn class(&self) -> &str {
        "object"
    }
}

/// What an object is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is to be done.
    pub verb: Verb,
    /// To which method or attribute.
    pub method: &'a str,
    /// With what, encoded by the caller's language.
    pub arguments: PayloadRef<'a>,
    /// How much of the object the caller may use.
    pub reach: Reach,
    /// Whether the caller may run code here, so that its pickles may be read.
    pub trusted: bool,
}

/// How much of an object somebody may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Whatever is public: who has created it may.
    Public,
    /// Only what its class exposes: whoever has found it by its name may.
    Exposed,
}

/// What an object answers.
pub enum Answer {
    /// A value.
    Value(Payload),
    /// Values that are made one by one, as the caller takes them.
    Stream(Box<dyn Stream>),
    /// The answer comes later: this is called with whom to tell.
    Later(Box<dyn FnOnce(Reply) + Send>),
}

/// Whom to tell an answer that comes later.
pub type Reply = Box<dyn FnOnce(Result<Answer>) + Send>;

/// Values that are made one by one, as the caller takes them. It is dropped when nobody wants more.
pub trait Stream: Send {
    /// The next value; nothing at the end.
    fn next(&mut self) -> Option<Result<Payload>>;
}

impl<T: Iterator<Item = Result<Payload>> + Send> Stream for T {
    fn next(&mut self) -> Option<Result<Payload>> {
        Iterator::next(self)
    }
}

impl Request<'_> {
    /// The arguments of a Rust caller: one value, or a tuple.
    ///
    /// # Errors
    /// `NotSerializable` if they are of another type.
    pub fn arguments<A: serde::de::DeserializeOwned>(&self) -> Result<A> {
        super::typed::decode(self.arguments, self.method)
    }

    /// The error for a method that there is not.
    pub fn unknown(&self) -> Error {
        Error::new(crate::Kind::NotFound, format!("the object has no method `{}`", self.method))
            .during("call")
            .with_retry(crate::Retry::Safe)
            .with_help("see which methods its class has, and which of them it exposes")
    }
}

impl Answer {
    /// A value for a Rust caller.
    ///
    /// # Errors
    /// `NotSerializable`.
    pub fn of<R: serde::Serialize>(value: &R) -> Result<Self> {
        super::typed::encode(value).map(Self::Value)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
