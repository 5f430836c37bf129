//! What a socket does besides carrying bytes, under the usual names.

use super::Trust;
use rustix::net::AddressFamily;
use rustix::net::sockopt::{
    set_ipv6_v6only, set_socket_keepalive, set_socket_recv_buffer_size, set_socket_reuseport,
    set_socket_send_buffer_size, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_nodelay,
    set_tcp_user_timeout,
};
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// What a socket does besides carrying bytes. The defaults find out within half a minute that the other end is gone, and
/// never hold back what was written (`TCP_NODELAY` is always on).
///
/// For an option that is not here, set it yourself: streams, datagrams and listeners are [`AsFd`](std::os::fd::AsFd).
///
/// ```
/// use anyplace::net::{Options, connect_with, listen};
/// use std::time::Duration;
///
/// let listener = listen("tcp://127.0.0.1:0")?;
/// let options = Options::default().with_user_timeout(Duration::from_secs(5)).with_send_buffer(1 << 20);
/// let stream = connect_with(listener.endpoint(), &options, None)?;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// When the system asks a silent end whether it is still there; `None` is never.
    pub keepalive: Option<Keepalive>,
    /// How long bytes may stay unacknowledged before the connection is lost (`TCP_USER_TIMEOUT`); `None` leaves it to the
    /// system, which takes a quarter of an hour.
    pub user_timeout: Option<Duration>,
    /// `SO_SNDBUF` in bytes; `None` lets the system adapt it.
    pub send_buffer: Option<usize>,
    /// `SO_RCVBUF` in bytes; `None` lets the system adapt it.
    pub receive_buffer: Option<usize>,
    /// From which address of this machine to connect; port 0 is any.
    pub from: Option<SocketAddr>,
    /// Lets others listen at the same port (`SO_REUSEPORT`): the system deals out who connects.
    pub reuse_port: bool,
    /// Whether `[::]` takes IPv6 only; otherwise it takes IPv4, too.
    pub only_v6: bool,
    /// How many may wait to be accepted; the kernel takes fewer if `net.core.somaxconn` says so.
    pub backlog: u16,
    /// Who may connect to a unix socket, as for `chmod`.
    pub mode: u32,
    /// Whose word is taken for who answers at `tls://host:port`.
    pub trust: Trust,
}

/// When the system asks a silent end of a connection whether it is still there, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// The silence after which it asks first (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// The time between questions (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// How many questions may go unanswered (`TCP_KEEPCNT`).
    pub count: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keepalive: Some(Keepalive::default()),
            user_timeout: Some(Duration::from_secs(30)),
            send_buffer: None,
            receive_buffer: None,
            from: None,
            reuse_port: false,
            only_v6: false,
            backlog: 1024,
            mode: 0o600,
            trust: Trust::default(),
        }
    }
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(15), interval: Duration::from_secs(5), count: 3 }
    }
}

impl Options {
    /// When to ask a silent end whether it is still there.
    #[must_use]
    pub fn with_keepalive(self, keepalive: impl Into<Option<Keepalive>>) -> Self {
        Self { keepalive: keepalive.into(), ..self }
    }

    /// How long bytes may stay unacknowledged.
    #[must_use]
    pub fn with_user_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { user_timeout: limit.into(), ..self }
    }

    /// The room for bytes that are on their way out.
    #[must_use]
    pub fn with_send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: Some(bytes), ..self }
    }

    /// The room for bytes that have come in.
    #[must_use]
    pub fn with_receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: Some(bytes), ..self }
    }

    /// From which address of this machine to connect.
    #[must_use]
    pub fn from(self, address: SocketAddr) -> Self {
        Self { from: Some(address), ..self }
    }

    /// Lets others listen at the same port.
    #[must_use]
    pub fn with_reuse_port(self) -> Self {
        Self { reuse_port: true, ..self }
    }

    /// Makes `[::]` take IPv6 only.
    #[must_use]
    pub fn with_only_v6(self) -> Self {
        Self { only_v6: true, ..self }
    }

    /// How many may wait to be accepted.
    #[must_use]
    pub fn with_backlog(self, backlog: u16) -> Self {
        Self { backlog, ..self }
    }

    /// Who may connect to a unix socket.
    #[must_use]
    pub fn with_mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whose word is taken for who answers at `tls://host:port`.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// Sets them on a socket that is new: whoever accepts from it gets sockets with the same options.
    pub(super) fn set(&self, fd: BorrowedFd<'_>, family: AddressFamily) -> io::Result<()> {
        self.set_buffers(fd)?;
        if family != AddressFamily::UNIX {
            set_tcp_nodelay(fd, true)?;
            self.set_watch(fd)?;
        }
        Ok(())
    }

    /// Those that any socket has.
    pub(super) fn set_buffers(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.send_buffer.map_or(Ok(()), |bytes| set_socket_send_buffer_size(fd, bytes))?;
        self.receive_buffer.map_or(Ok(()), |bytes| set_socket_recv_buffer_size(fd, bytes))?;
        Ok(())
    }

    /// Those of sockets that are bound by others than who connects.
    pub(super) fn set_bound(&self, fd: BorrowedFd<'_>, family: AddressFamily) -> io::Result<()> {
        if self.reuse_port {
            set_socket_reuseport(fd, true)?;
        }
        if family == AddressFamily::INET6 {
            // What the system does unless told is a matter of its settings.
            set_ipv6_v6only(fd, self.only_v6)?;
        }
        Ok(())
    }

    /// How a connection finds out that its other end is gone.
    fn set_watch(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        if let Some(Keepalive { idle, interval, count }) = self.keepalive {
            set_socket_keepalive(fd, true)?;
            set_tcp_keepidle(fd, idle)?;
            set_tcp_keepintvl(fd, interval)?;
            set_tcp_keepcnt(fd, count)?;
        }
        if let Some(limit) = self.user_timeout {
            set_tcp_user_timeout(fd, limit.as_millis().try_into().unwrap_or(u32::MAX))?;
        }
        Ok(())
    }
}
