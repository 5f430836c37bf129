//! The class: what a socket knows of itself, and its verbs, each of which a file beside this one does.

use super::address::Address;
use super::hope::Hope;
use super::patience::{Patience, Timeout};
use super::raised::raised;
use super::receive::size;
use super::sys::{self, Fd};
use super::view::View;
use super::{audit, host};
use crate::gil;
use pyo3::exceptions::{PyConnectionResetError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyTuple};
use std::ffi::c_int;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// What a socket has for a descriptor once it is closed.
const NONE: Fd = -1;

/// What ``anyplace.socket.socket`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
pub(crate) struct Socket {
    pub(super) fd: AtomicI32,
    family: AtomicI32,
    kind: AtomicI32,
    protocol: AtomicI32,
    pub(super) timeout: Timeout,
    /// Whether there is mostly something to receive.
    pub(super) hope: Hope,
}

#[pymethods]
impl Socket {
    /// Classes made of this one may take any arguments.
    #[new]
    #[pyo3(signature = (*_args, **_keywords))]
    fn new(_args: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        let none = || AtomicI32::new(NONE);
        Self {
            fd: none(),
            family: none(),
            kind: none(),
            protocol: none(),
            timeout: Timeout::forever(),
            hope: Hope::default(),
        }
    }

    #[pyo3(signature = (family=-1, r#type=-1, proto=-1, fileno=None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        family: c_int,
        r#type: c_int,
        proto: c_int,
        fileno: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        audit::made(slf, [family, r#type, proto])?;
        let (this, py) = (slf.get(), slf.py());
        let known = match fileno {
            Some(fileno) => known(py, number_of(fileno)?, [family, r#type, proto])?,
            None => made(py, [family, r#type, proto])?,
        };
        this.become_of(py, known)
    }

    /// Have the descriptor of a connection that `listener` has taken.
    fn _adopt(&self, py: Python<'_>, fd: Fd, listener: &Self) -> PyResult<()> {
        let [family, kind, protocol] = [&listener.family, &listener.kind, &listener.protocol].map(now);
        self.become_of(py, (fd, [family, kind, protocol]))
    }

    /// The descriptor; -1 once it is closed.
    fn fileno(&self) -> Fd {
        self.fd()
    }

    /// The family, as a number.
    #[getter]
    pub(super) fn family(&self) -> c_int {
        now(&self.family)
    }

    /// What kind of socket it is, as a number.
    #[getter]
    fn r#type(&self) -> c_int {
        now(&self.kind)
    }

    /// The protocol, as a number.
    #[getter]
    fn proto(&self) -> c_int {
        now(&self.protocol)
    }

    /// The time-out in seconds; None for no limit, 0 for a socket that never waits.
    #[getter]
    fn timeout(&self) -> Option<f64> {
        self.timeout.seconds()
    }

    /// Return the time-out in seconds; None for no limit, 0 for a socket that never waits.
    fn gettimeout(&self) -> Option<f64> {
        self.timeout.seconds()
    }

    /// Say how long calls may wait: seconds, None for as long as it takes, or 0 for not at all.
    #[pyo3(signature = (timeout, /))]
    fn settimeout(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let patience = Patience::of(timeout)?;
        self.set_patience(py, patience)
    }

    /// Say whether calls wait, for as long as it takes.
    #[pyo3(signature = (flag, /))]
    fn setblocking(&self, flag: &Bound<'_, PyAny>) -> PyResult<()> {
        let patience = if flag.is_truthy()? { Patience::Forever } else { Patience::Not };
        self.set_patience(flag.py(), patience)
    }

    /// Tell whether calls wait.
    fn getblocking(&self) -> bool {
        self.timeout.patience() != Patience::Not
    }

    /// Bind it to an address: what others send there, it receives.
    #[pyo3(signature = (address, /))]
    fn bind(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>) -> PyResult<()> {
        let (this, py) = (slf.get(), slf.py());
        let to = host::parse(this.family(), address, "bind")?;
        audit::address(slf, "socket.bind", Some(address))?;
        sys::bind(this.fd(), &to).map_err(|error| raised(py, &error))
    }

    /// Let others connect to it.
    ///
    /// Parameters
    /// ----------
    /// backlog : int, optional
    ///     Connections that may wait to be accepted.
    #[pyo3(signature = (backlog=128, /))]
    fn listen(&self, py: Python<'_>, backlog: c_int) -> PyResult<()> {
        sys::listen(self.fd(), backlog.max(0)).map_err(|error| raised(py, &error))
    }

    /// Take the next connection.
    ///
    /// Returns
    /// -------
    /// tuple of (int, object)
    ///     Its descriptor, and the address of the other end.
    fn _accept<'py>(&self, py: Python<'py>) -> PyResult<(Fd, Bound<'py, PyAny>)> {
        let (fd, from) = self.accepted(py, self.timeout.patience())?;
        Ok((fd, owned(py, fd, &from)?))
    }

    /// The same, now or not at all. The descriptor does not block from here on: else it might, if another process takes
    /// the connection that was there.
    fn _accept_now<'py>(&self, py: Python<'py>) -> PyResult<(Fd, Bound<'py, PyAny>)> {
        sys::set_blocking(self.fd(), false).map_err(|error| raised(py, &error))?;
        let (fd, from) = self.accepted(py, Patience::Not)?;
        Ok((fd, owned(py, fd, &from)?))
    }

    /// Connect it to an address.
    #[pyo3(signature = (address, /))]
    fn connect(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>) -> PyResult<()> {
        let to = host::parse(slf.get().family(), address, "connect")?;
        audit::address(slf, "socket.connect", Some(address))?;
        slf.get().connected(slf.py(), &to)
    }

    /// Connect it to an address, and return 0 or the number of the error.
    #[pyo3(signature = (address, /))]
    fn connect_ex(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>) -> PyResult<c_int> {
        let to = host::parse(slf.get().family(), address, "connect_ex")?;
        audit::address(slf, "socket.connect", Some(address))?;
        slf.get().connect_number(slf.py(), &to)
    }

    /// Begin to connect it, and tell whether that is done already.
    #[pyo3(signature = (address, /))]
    fn _connect_now(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>) -> PyResult<bool> {
        let to = host::parse(slf.get().family(), address, "connect")?;
        audit::address(slf, "socket.connect", Some(address))?;
        slf.get().begun(&to).map_err(|error| raised(slf.py(), &error))
    }

    /// Raise what has become of a connection that was begun, if it was not made.
    fn _connected(&self, py: Python<'_>) -> PyResult<()> {
        self.outcome().map_err(|error| raised(py, &error))
    }

    /// Receive what there is.
    ///
    /// Parameters
    /// ----------
    /// bufsize : int
    ///     Bytes, at most.
    /// flags : int, optional
    ///     ``MSG_...``, added up.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Empty at the end of a stream.
    #[pyo3(signature = (bufsize, flags=0, /))]
    fn recv<'py>(&self, py: Python<'py>, bufsize: isize, flags: c_int) -> PyResult<Bound<'py, PyBytes>> {
        self.received(py, size(bufsize, "recv")?, flags, self.timeout.patience())
    }

    /// The same, now or not at all.
    #[pyo3(signature = (bufsize, flags=0, /))]
    fn _recv_now<'py>(&self, py: Python<'py>, bufsize: isize, flags: c_int) -> PyResult<Bound<'py, PyBytes>> {
        self.received(py, size(bufsize, "recv")?, flags | libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Receive into a buffer, and return how many bytes there were.
    ///
    /// Parameters
    /// ----------
    /// buffer : bytearray or other writable buffer
    ///     What the bytes are written to.
    /// nbytes : int, optional
    ///     Bytes, at most; 0 is the room of the buffer.
    /// flags : int, optional
    ///     ``MSG_...``, added up.
    #[pyo3(signature = (buffer, nbytes=0, flags=0))]
    fn recv_into(&self, buffer: &Bound<'_, PyAny>, nbytes: isize, flags: c_int) -> PyResult<usize> {
        self.receive_into(buffer, nbytes, flags, self.timeout.patience())
    }

    /// The same, now or not at all.
    #[pyo3(signature = (buffer, nbytes=0, flags=0))]
    fn _recv_into_now(&self, buffer: &Bound<'_, PyAny>, nbytes: isize, flags: c_int) -> PyResult<usize> {
        self.receive_into(buffer, nbytes, flags | libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Receive a datagram, and return it and who sent it.
    #[pyo3(signature = (bufsize, flags=0, /))]
    fn recvfrom<'py>(
        &self,
        py: Python<'py>,
        bufsize: isize,
        flags: c_int,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyAny>)> {
        self.received_from(py, size(bufsize, "recvfrom")?, flags, self.timeout.patience())
    }

    /// The same, now or not at all.
    #[pyo3(signature = (bufsize, flags=0, /))]
    fn _recvfrom_now<'py>(
        &self,
        py: Python<'py>,
        bufsize: isize,
        flags: c_int,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyAny>)> {
        self.received_from(py, size(bufsize, "recvfrom")?, flags | libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Receive a datagram into a buffer, and return how many bytes there were and who sent them.
    #[pyo3(signature = (buffer, nbytes=0, flags=0))]
    fn recvfrom_into<'py>(
        &self,
        buffer: &Bound<'py, PyAny>,
        nbytes: isize,
        flags: c_int,
    ) -> PyResult<(usize, Bound<'py, PyAny>)> {
        self.receive_from_into(buffer, nbytes, flags, self.timeout.patience())
    }

    /// The same, now or not at all.
    #[pyo3(signature = (buffer, nbytes=0, flags=0))]
    fn _recvfrom_into_now<'py>(
        &self,
        buffer: &Bound<'py, PyAny>,
        nbytes: isize,
        flags: c_int,
    ) -> PyResult<(usize, Bound<'py, PyAny>)> {
        self.receive_from_into(buffer, nbytes, flags | libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Receive a message and what travels beside it, such as descriptors.
    ///
    /// Parameters
    /// ----------
    /// bufsize : int
    ///     Bytes, at most.
    /// ancbufsize : int, optional
    ///     Room for what is beside: add up ``CMSG_SPACE`` of its parts.
    /// flags : int, optional
    ///     ``MSG_...``, added up.
    ///
    /// Returns
    /// -------
    /// tuple of (bytes, list, int, object)
    ///     The bytes; (level, type, bytes) for each part beside them; flags of the message; who sent it.
    #[pyo3(signature = (bufsize, ancbufsize=0, flags=0, /))]
    fn recvmsg<'py>(
        &self,
        py: Python<'py>,
        bufsize: isize,
        ancbufsize: isize,
        flags: c_int,
    ) -> PyResult<Bound<'py, PyTuple>> {
        self.message(py, bufsize, ancbufsize, flags)
    }

    /// Receive a message into buffers, one after the other; else as ``recvmsg``, with how many bytes there were.
    #[pyo3(signature = (buffers, ancbufsize=0, flags=0, /))]
    fn recvmsg_into<'py>(
        &self,
        buffers: &Bound<'py, PyAny>,
        ancbufsize: isize,
        flags: c_int,
    ) -> PyResult<Bound<'py, PyTuple>> {
        self.message_into(buffers, ancbufsize, flags)
    }

    /// Send bytes, and return how many of them went. A socket without time-out takes all.
    #[pyo3(signature = (data, flags=0, /))]
    fn send(&self, data: &Bound<'_, PyAny>, flags: c_int) -> PyResult<usize> {
        self.sent(data.py(), View::of(data)?.bytes(), flags, self.timeout.patience())
    }

    /// The same, now or not at all.
    #[pyo3(signature = (data, flags=0, /))]
    fn _send_now(&self, data: &Bound<'_, PyAny>, flags: c_int) -> PyResult<usize> {
        self.sent(data.py(), View::of(data)?.bytes(), flags | libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Send all of the bytes. After an error nobody knows how many went.
    #[pyo3(signature = (data, flags=0, /))]
    fn sendall(&self, data: &Bound<'_, PyAny>, flags: c_int) -> PyResult<()> {
        self.send_all(data.py(), View::of(data)?.bytes(), flags)
    }

    /// Send bytes to an address, ``sendto(data, address)`` or ``sendto(data, flags, address)``; return how many went.
    #[pyo3(signature = (data, /, *flags_and_address))]
    fn sendto(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        flags_and_address: &Bound<'_, PyTuple>,
    ) -> PyResult<usize> {
        let patience = slf.get().timeout.patience();
        Self::send_by(slf, data, flags_and_address, 0, patience)
    }

    /// The same, now or not at all.
    #[pyo3(signature = (data, /, *flags_and_address))]
    fn _sendto_now(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        flags_and_address: &Bound<'_, PyTuple>,
    ) -> PyResult<usize> {
        Self::send_by(slf, data, flags_and_address, libc::MSG_DONTWAIT, Patience::Not)
    }

    /// Send buffers as one message, with what is to travel beside it, such as descriptors.
    ///
    /// Parameters
    /// ----------
    /// buffers : iterable of bytes
    ///     They are sent one after the other.
    /// ancdata : iterable of (int, int, bytes), optional
    ///     Level, type and bytes of each part beside.
    /// flags : int, optional
    ///     ``MSG_...``, added up.
    /// address : object, optional
    ///     Whom it is for.
    ///
    /// Returns
    /// -------
    /// int
    ///     How many bytes went.
    #[pyo3(signature = (buffers, ancdata=None, flags=0, address=None, /))]
    fn sendmsg(
        slf: &Bound<'_, Self>,
        buffers: &Bound<'_, PyAny>,
        ancdata: Option<&Bound<'_, PyAny>>,
        flags: c_int,
        address: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        audit::address(slf, "socket.sendmsg", address)?;
        slf.get().sent_message(buffers, ancdata, flags, address)
    }

    /// Send a part of a file, and return how many bytes went.
    #[pyo3(signature = (fileno, offset, count, /))]
    fn _send_of_file(&self, py: Python<'_>, fileno: Fd, offset: i64, count: usize) -> PyResult<usize> {
        self.sent_of_file(py, fileno, offset, count)
    }

    /// Return an option: a number, or as many bytes as asked for.
    #[pyo3(signature = (level, option, buflen=0, /))]
    fn getsockopt<'py>(
        &self,
        py: Python<'py>,
        level: c_int,
        option: c_int,
        buflen: isize,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.option(py, level, option, buflen)
    }

    /// Set an option to a number or bytes; or to None, with a length.
    #[pyo3(signature = (level, option, value, optlen=None, /))]
    fn setsockopt(
        &self,
        level: c_int,
        option: c_int,
        value: &Bound<'_, PyAny>,
        optlen: Option<u32>,
    ) -> PyResult<()> {
        self.set_option(value.py(), (level, option), value, optlen)
    }

    /// Return the address that it is bound to.
    fn getsockname<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        sys::name(self.fd()).map_err(|error| raised(py, &error))?.to_python(py)
    }

    /// Return the address that it is connected to.
    fn getpeername<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        sys::peer(self.fd()).map_err(|error| raised(py, &error))?.to_python(py)
    }

    /// End one direction or both: ``SHUT_RD``, ``SHUT_WR`` or ``SHUT_RDWR``.
    #[pyo3(signature = (how, /))]
    fn shutdown(&self, py: Python<'_>, how: c_int) -> PyResult<()> {
        sys::shutdown(self.fd(), how).map_err(|error| raised(py, &error))
    }

    /// Close it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let fd = self.fd.swap(NONE, Ordering::AcqRel);
        if fd == NONE {
            return Ok(());
        }
        match gil::without(py, || sys::close(fd)).map_err(|error| raised(py, &error)) {
            // The other end has broken the connection: it is closed all the same.
            Err(error) if error.is_instance_of::<PyConnectionResetError>(py) => Ok(()),
            closed => closed,
        }
    }

    /// Let go of the descriptor, which stays open, and return it.
    fn detach(&self) -> Fd {
        self.fd.swap(NONE, Ordering::AcqRel)
    }

    fn __repr__(&self) -> String {
        let (fd, family, kind, protocol) = (self.fd(), self.family(), self.r#type(), self.proto());
        format!("<socket object, fd={fd}, family={family}, type={kind}, proto={protocol}>")
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let fd = *self.fd.get_mut();
        if fd != NONE {
            // There is nobody to tell.
            drop(sys::close(fd));
        }
    }
}

impl Socket {
    pub(super) fn fd(&self) -> Fd {
        now(&self.fd)
    }

    /// Whether bytes follow each other without borders.
    pub(super) fn is_stream(&self) -> bool {
        now(&self.kind) == libc::SOCK_STREAM
    }

    fn become_of(&self, py: Python<'_>, (fd, [family, kind, protocol]): (Fd, [c_int; 3])) -> PyResult<()> {
        let patience = match kind & libc::SOCK_NONBLOCK {
            0 => default_patience(py),
            _ => Ok(Patience::Not),
        };
        self.family.store(family, Ordering::Relaxed);
        self.kind.store(kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC), Ordering::Relaxed);
        self.protocol.store(protocol, Ordering::Relaxed);
        self.fd.store(fd, Ordering::Release);
        match patience? {
            Patience::Forever => self.timeout.set(Patience::Forever),
            patience => self.set_patience(py, patience)?,
        }
        Ok(())
    }

    fn set_patience(&self, py: Python<'_>, patience: Patience) -> PyResult<()> {
        let set = sys::set_blocking(self.fd(), patience == Patience::Forever);
        set.map_err(|error| raised(py, &error))?;
        self.timeout.set(patience);
        Ok(())
    }

    fn send_by(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        flags_and_address: &Bound<'_, PyTuple>,
        flags: c_int,
        patience: Patience,
    ) -> PyResult<usize> {
        let view = View::of(data)?;
        let (asked, address) = match flags_and_address.len() {
            1 => (0, flags_and_address.get_item(0)?),
            2 => (flags_and_address.get_item(0)?.extract()?, flags_and_address.get_item(1)?),
            given => {
                let message = format!("sendto() takes 2 or 3 arguments ({} given)", given + 1);
                return Err(PyTypeError::new_err(message));
            }
        };
        let to = host::parse(slf.get().family(), &address, "sendto")?;
        audit::address(slf, "socket.sendto", Some(&address))?;
        slf.get().sent_to(slf.py(), view.bytes(), flags | asked, &to, patience)
    }
}

fn now(number: &AtomicI32) -> c_int {
    number.load(Ordering::Relaxed)
}

/// The address of an accepted connection, whose descriptor is closed if there is none to show.
fn owned<'py>(py: Python<'py>, fd: Fd, from: &Address) -> PyResult<Bound<'py, PyAny>> {
    from.to_python(py).inspect_err(|_| drop(sys::close(fd)))
}

fn made(py: Python<'_>, of: [c_int; 3]) -> PyResult<(Fd, [c_int; 3])> {
    let [family, kind, protocol] = of;
    let family = if family < 0 { libc::AF_INET } else { family };
    let kind = if kind < 0 { libc::SOCK_STREAM } else { kind };
    let protocol = protocol.max(0);
    let fd = sys::socket(family, kind, protocol).map_err(|error| raised(py, &error))?;
    Ok((fd, [family, kind, protocol]))
}

/// A socket that is there; what nobody says about it, the system does.
fn known(py: Python<'_>, fd: Fd, of: [c_int; 3]) -> PyResult<(Fd, [c_int; 3])> {
    let found = (|| {
        let name = sys::name(fd)?;
        let [mut family, mut kind, mut protocol] = of;
        if family < 0 {
            family = name.family();
        }
        if kind < 0 {
            kind = sys::number(fd, libc::SOL_SOCKET, libc::SO_TYPE)?;
        }
        if protocol < 0 {
            protocol = sys::number(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL)?;
        }
        Ok((fd, [family, kind, protocol]))
    })();
    found.map_err(|error: io::Error| raised(py, &error))
}

fn number_of(fileno: &Bound<'_, PyAny>) -> PyResult<Fd> {
    if fileno.is_instance_of::<PyFloat>() {
        return Err(PyTypeError::new_err("a descriptor is an integer, not a float"));
    }
    let fd: Fd = fileno.extract()?;
    if fd < 0 { Err(PyValueError::new_err("negative file descriptor")) } else { Ok(fd) }
}

/// What `setdefaulttimeout` of the standard library has said last.
fn default_patience(py: Python<'_>) -> PyResult<Patience> {
    static DEFAULT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let default = DEFAULT.import(py, "_socket", "getdefaulttimeout")?.call0()?;
    Patience::of(Some(&default).filter(|default| !default.is_none()))
}

/// Make two sockets that are connected to each other, and return their descriptors.
#[pyfunction]
#[pyo3(signature = (family, r#type, proto=0))]
pub(crate) fn socket_pair(py: Python<'_>, family: c_int, r#type: c_int, proto: c_int) -> PyResult<(Fd, Fd)> {
    let ends = sys::pair(family, r#type, proto).map_err(|error| raised(py, &error));
    ends.map(|[near, far]| (near, far))
}
