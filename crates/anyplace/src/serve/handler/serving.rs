//! How something is served: the handler, the limits, and who hears of failures.

use super::requests::Framing;
use super::typed::{Answers, OfConnections, OfRequests, Took};
use super::{Connections, Handler, Limits, Requests, Server};
use crate::Place;
use crate::error::{Error, Result};
use crate::function::{ByFuture, Function, Futures};
use crate::net::{Endpoint, Listener, Options, Stream, listen_with};
use std::fmt;
use std::sync::Arc;

/// How something is served. It begins [at](Self::at) an endpoint, on a place.
///
/// A handler runs where the place runs tasks: on a thread of `threads:8`, which it has to itself until it returns; as a
/// future of `async:1000`; in a worker of `processes:4`, which the connection is handed to; or one after the other on
/// `inline:`. A connection that has said nothing yet takes no worker, so a thousand idle ones cost little.
///
/// ```
/// use anyplace::net::{Stream, connect};
/// use anyplace::serve::Serving;
///
/// fn shout(stream: Stream) -> anyplace::Result<()> {
///     let mut bytes = [0; 1024];
///     loop {
///         let read = stream.read(&mut bytes, None)?;
///         if read == 0 {
///             return Ok(());
///         }
///         bytes.make_ascii_uppercase();
///         stream.write(&bytes[..read], None)?;
///     }
/// }
///
/// let place = anyplace::open("threads:2")?;
/// let server = Serving::connections(shout).at("tcp://127.0.0.1:0", &place)?;
/// let client = connect(server.endpoint().clone(), None)?;
/// client.write(b"hello", None)?;
/// let mut answer = [0; 5];
/// assert_eq!(client.read(&mut answer, None)?, 5);
/// assert_eq!(&answer, b"HELLO");
/// server.stop(std::time::Duration::from_secs(5))?;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Serving {
    pub(super) handler: Handler,
    pub(super) framing: Framing,
    pub(super) limits: Limits,
    /// The server speaks first.
    pub(super) greets: bool,
    pub(super) told: Option<Told>,
}

/// Who hears of failures.
pub(super) type Told = Arc<dyn Fn(Error) + Send + Sync>;

impl Serving {
    /// `function` has each connection: a closure or a function where the place runs closures, a `#[anyplace::task]`
    /// function anywhere. It returns nothing, or a `Result`. The connection ends when it returns.
    pub fn connections<F, M>(function: F) -> Self
    where
        F: Function<Stream, M>,
        F::Output: Took,
        M: 'static,
    {
        Self::of_connections(OfConnections::new(function))
    }

    /// `function` gives a future for each connection, which a place such as `async:1000` drives.
    pub fn connections_async<F>(function: F) -> Self
    where
        Futures<F>: Function<Stream, ByFuture>,
        <Futures<F> as Function<Stream, ByFuture>>::Output: Took,
    {
        Self::connections(Futures(function))
    }

    /// `function` answers each request, a message with its length in front: it takes the bytes of one and gives those of
    /// the other. A connection has one request answered after the other, and takes a worker only meanwhile.
    pub fn requests<F, M>(function: F) -> Self
    where
        F: Function<Vec<u8>, M>,
        F::Output: Answers,
        M: 'static,
    {
        Self::of_requests(OfRequests::new(function))
    }

    /// `function` gives a future that answers, which a place such as `async:1000` drives.
    pub fn requests_async<F>(function: F) -> Self
    where
        Futures<F>: Function<Vec<u8>, ByFuture>,
        <Futures<F> as Function<Vec<u8>, ByFuture>>::Output: Answers,
    {
        Self::requests(Futures(function))
    }

    /// What other faces make of their handlers.
    pub fn of_connections(handler: impl Connections) -> Self {
        Self::new(Handler::Connections(Arc::new(handler)))
    }

    /// What other faces make of their handlers.
    pub fn of_requests(handler: impl Requests) -> Self {
        Self::new(Handler::Requests(Arc::new(handler)))
    }

    fn new(handler: Handler) -> Self {
        Self { handler, framing: Framing::Counted, limits: Limits::default(), greets: false, told: None }
    }

    /// What is taken of clients.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A request goes up to these bytes, such as `b"\n"`, and so does an answer. The handler is given and gives what stands
    /// before them.
    ///
    /// # Errors
    /// `ConfigInvalid` if there are none.
    pub fn ending_with(mut self, ends: impl Into<Vec<u8>>) -> Result<Self> {
        let ends = ends.into();
        if ends.is_empty() {
            return Err(Error::config("a request has to end with something").with_help("such as `\\n`"));
        }
        self.framing = Framing::Ended(ends.into());
        Ok(self)
    }

    /// The server speaks first: each connection gets a worker at once, though its client has said nothing.
    #[must_use]
    pub fn greeting(mut self) -> Self {
        self.greets = true;
        self
    }

    /// Hears what goes wrong: what handlers fail by, clients that were given up, a lack of descriptors. None of it ends
    /// the server. Called on any thread; it must be short.
    #[must_use]
    pub fn on_error(mut self, told: impl Fn(Error) + Send + Sync + 'static) -> Self {
        self.told = Some(Arc::new(told));
        self
    }

    /// Begins to serve at an endpoint, on a place.
    ///
    /// # Errors
    /// As [`listen`](crate::net::listen); `ResourceExhausted` if there is no thread left.
    pub fn at<E>(self, endpoint: E, place: &Place) -> Result<Server>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        self.at_with(endpoint, &Options::default(), place)
    }

    /// [`at`](Self::at), with options of the sockets: with [`reuse_port`](Options::reuse_port), several processes serve at one
    /// port, and the kernel deals connections out to them.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn at_with<E>(self, endpoint: E, options: &Options, place: &Place) -> Result<Server>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        self.on(listen_with(endpoint, options)?, place)
    }

    /// Begins to serve at a listener that is there, on a place.
    ///
    /// # Errors
    /// `ResourceExhausted` if there is no thread or descriptor left; `PlaceClosed`.
    pub fn on(self, listener: Listener, place: &Place) -> Result<Server> {
        Server::start(self, listener, place.clone())
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("handler", &self.handler)
            .field("framing", &self.framing)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
