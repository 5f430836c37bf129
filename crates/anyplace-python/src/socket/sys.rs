//! The system's calls for sockets, each as a safe function.
//!
//! They are called by `libc` and not by a safer crate, since programs may ask for any family, option, flag and control
//! message that the system knows, by number.

use super::address::Address;
use libc::{c_int, c_void, socklen_t};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// A descriptor as a number: as in the standard library, it may be closed by another thread at any time.
pub(super) type Fd = c_int;

/// What a message brought.
pub(super) struct Received {
    pub(super) length: usize,
    pub(super) control: usize,
    pub(super) flags: c_int,
    pub(super) from: Address,
}

fn counted(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn done(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

pub(super) fn socket(family: c_int, kind: c_int, protocol: c_int) -> io::Result<Fd> {
    // SAFETY: it takes numbers only.
    done(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) })
}

pub(super) fn pair(family: c_int, kind: c_int, protocol: c_int) -> io::Result<[Fd; 2]> {
    let mut ends = [-1; 2];
    // SAFETY: there is room for two.
    done(unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, protocol, ends.as_mut_ptr()) })?;
    Ok(ends)
}

pub(super) fn close(fd: Fd) -> io::Result<()> {
    // SAFETY: it takes a number only. Whose descriptor it is, the program answers for, as in the standard library.
    done(unsafe { libc::close(fd) }).map(drop)
}

pub(super) fn recv(fd: Fd, into: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<usize> {
    // SAFETY: it writes into `into`, and at most so much.
    counted(unsafe { libc::recv(fd, into.as_mut_ptr().cast(), into.len(), flags) })
}

pub(super) fn recvfrom(
    fd: Fd,
    into: &mut [MaybeUninit<u8>],
    flags: c_int,
    from: &mut Address,
) -> io::Result<usize> {
    let mut length = Address::ROOM;
    let (start, room) = (into.as_mut_ptr().cast::<c_void>(), into.len());
    // SAFETY: it writes into both, and at most so much.
    let read =
        counted(unsafe { libc::recvfrom(fd, start, room, flags, from.as_mut_ptr(), &raw mut length) })?;
    from.set_length(length);
    Ok(read)
}

pub(super) fn send(fd: Fd, bytes: &[u8], flags: c_int) -> io::Result<usize> {
    // SAFETY: it reads so many bytes.
    counted(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) })
}

pub(super) fn sendto(fd: Fd, bytes: &[u8], flags: c_int, to: &Address) -> io::Result<usize> {
    let (start, length) = (bytes.as_ptr().cast::<c_void>(), bytes.len());
    // SAFETY: it reads so many bytes of both.
    counted(unsafe { libc::sendto(fd, start, length, flags, to.as_ptr(), to.length()) })
}

/// Sends buffers and control messages, in the system's form, as one message.
pub(super) fn sendmsg(
    fd: Fd,
    from: &[IoSlice<'_>],
    control: &[u8],
    flags: c_int,
    to: Option<&Address>,
) -> io::Result<usize> {
    let mut message = empty_message();
    if let Some(to) = to {
        message.msg_name = to.as_ptr().cast_mut().cast();
        message.msg_namelen = to.length();
    }
    message.msg_iov = from.as_ptr().cast_mut().cast();
    message.msg_iovlen = from.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_ptr().cast_mut().cast();
        message.msg_controllen = control.len() as _;
    }
    // SAFETY: the parts are alive, it only reads them, and an `IoSlice` is an `iovec`.
    counted(unsafe { libc::sendmsg(fd, &raw const message, flags) })
}

/// Takes a message; `control` gets what comes beside it, in the system's form.
pub(super) fn recvmsg(
    fd: Fd,
    into: &mut [IoSliceMut<'_>],
    control: &mut [u64],
    room: usize,
    flags: c_int,
) -> io::Result<Received> {
    let mut from = Address::default();
    let mut message = empty_message();
    message.msg_name = from.as_mut_ptr().cast();
    message.msg_namelen = Address::ROOM;
    message.msg_iov = into.as_mut_ptr().cast();
    message.msg_iovlen = into.len() as _;
    if room > 0 {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = room.min(size_of_val(control)) as _;
    }
    // SAFETY: the parts are alive, an `IoSliceMut` is an `iovec`, and it writes only what there is room for.
    let length = counted(unsafe { libc::recvmsg(fd, &raw mut message, flags) })?;
    from.set_length(message.msg_namelen);
    Ok(Received { length, control: message.msg_controllen, flags: message.msg_flags, from })
}

fn empty_message() -> libc::msghdr {
    // SAFETY: all zero is a message without parts.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

pub(super) fn accept(fd: Fd) -> io::Result<(Fd, Address)> {
    let (mut from, mut length) = (Address::default(), Address::ROOM);
    // SAFETY: it writes into the address, and at most so much.
    let accepted =
        done(unsafe { libc::accept4(fd, from.as_mut_ptr(), &raw mut length, libc::SOCK_CLOEXEC) })?;
    from.set_length(length);
    Ok((accepted, from))
}

pub(super) fn bind(fd: Fd, to: &Address) -> io::Result<()> {
    // SAFETY: it reads the address.
    done(unsafe { libc::bind(fd, to.as_ptr(), to.length()) }).map(drop)
}

pub(super) fn connect(fd: Fd, to: &Address) -> io::Result<()> {
    // SAFETY: it reads the address.
    done(unsafe { libc::connect(fd, to.as_ptr(), to.length()) }).map(drop)
}

pub(super) fn listen(fd: Fd, backlog: c_int) -> io::Result<()> {
    // SAFETY: it takes numbers only.
    done(unsafe { libc::listen(fd, backlog) }).map(drop)
}

pub(super) fn shutdown(fd: Fd, how: c_int) -> io::Result<()> {
    // SAFETY: it takes numbers only.
    done(unsafe { libc::shutdown(fd, how) }).map(drop)
}

/// Where a socket is bound.
pub(super) fn name(fd: Fd) -> io::Result<Address> {
    let (mut address, mut length) = (Address::default(), Address::ROOM);
    // SAFETY: it writes into the address, and at most so much.
    done(unsafe { libc::getsockname(fd, address.as_mut_ptr(), &raw mut length) })?;
    address.set_length(length);
    Ok(address)
}

/// What a socket is connected to.
pub(super) fn peer(fd: Fd) -> io::Result<Address> {
    let (mut address, mut length) = (Address::default(), Address::ROOM);
    // SAFETY: it writes into the address, and at most so much.
    done(unsafe { libc::getpeername(fd, address.as_mut_ptr(), &raw mut length) })?;
    address.set_length(length);
    Ok(address)
}

/// The bytes of an option, as many as there are and room for.
pub(super) fn option(fd: Fd, level: c_int, name: c_int, into: &mut [u8]) -> io::Result<usize> {
    let mut length = into.len() as socklen_t;
    // SAFETY: it writes into `into`, and at most so much.
    done(unsafe { libc::getsockopt(fd, level, name, into.as_mut_ptr().cast(), &raw mut length) })?;
    Ok(length as usize)
}

/// An option that is a number.
pub(super) fn number(fd: Fd, level: c_int, name: c_int) -> io::Result<c_int> {
    let mut value = [0; size_of::<c_int>()];
    option(fd, level, name, &mut value).map(|_| c_int::from_ne_bytes(value))
}

pub(super) fn set_option(fd: Fd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let length = value.len() as socklen_t;
    // SAFETY: it reads so many bytes.
    done(unsafe { libc::setsockopt(fd, level, name, value.as_ptr().cast(), length) }).map(drop)
}

/// Sets an option to nothing, with a length: some families' options are set so.
pub(super) fn set_length_of_option(fd: Fd, level: c_int, name: c_int, length: socklen_t) -> io::Result<()> {
    // SAFETY: there is nothing to read, which the system checks.
    done(unsafe { libc::setsockopt(fd, level, name, std::ptr::null(), length) }).map(drop)
}

pub(super) fn set_blocking(fd: Fd, is_blocking: bool) -> io::Result<()> {
    let mut is_nonblocking = c_int::from(!is_blocking);
    // SAFETY: it reads the number.
    done(unsafe { libc::ioctl(fd, libc::FIONBIO, &raw mut is_nonblocking) }).map(drop)
}

pub(super) fn is_blocking(fd: Fd) -> io::Result<bool> {
    // SAFETY: it takes numbers only.
    Ok(done(unsafe { libc::fcntl(fd, libc::F_GETFL) })? & libc::O_NONBLOCK == 0)
}

/// How many bytes of a stream can be read now.
pub(super) fn available(fd: Fd) -> io::Result<usize> {
    let mut count: c_int = 0;
    // SAFETY: it writes the number.
    done(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Sends of a file what there is from `offset` on, at most `count` bytes.
pub(super) fn sendfile(fd: Fd, file: Fd, offset: i64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    // SAFETY: it reads and writes the number.
    counted(unsafe { libc::sendfile(fd, file, &raw mut offset, count) })
}

/// Waits until the descriptor is ready for one of `events`, or broken; false after so many milliseconds.
pub(super) fn poll(fd: Fd, events: i16, milliseconds: c_int) -> io::Result<bool> {
    let mut polled = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: it reads and writes one entry.
    done(unsafe { libc::poll(&raw mut polled, 1, milliseconds) }).map(|ready| ready > 0)
}
