//! Hands descriptors from one process to another, with the first bytes of a message (`SCM_RIGHTS`).

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// So many descriptors can go along with one message.
const MOST: usize = 16;

/// Sends as much as goes at once, and the descriptors with the first byte of it. Gives how much was sent: if anything
/// was, the descriptors were.
///
/// # Errors
/// What the socket says, such as `WouldBlock`; then nothing was sent.
pub(crate) fn send(
    socket: impl AsFd,
    bytes: &[IoSlice<'_>],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    if descriptors.len() > MOST {
        return Err(Errno::TOOMANYREFS.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut along = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        along.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    Ok(sendmsg(socket, bytes, &mut along, SendFlags::NOSIGNAL)?)
}

/// Receives what is there, and the descriptors that came along; nothing that this process starts inherits them.
///
/// # Errors
/// What the socket says, such as `WouldBlock`.
pub(crate) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let mut pieces = [IoSliceMut::new(buffer)];
    let received = recvmsg(socket, &mut pieces, &mut along, RecvFlags::CMSG_CLOEXEC)?;
    for message in along.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            descriptors.extend(came);
        }
    }
    Ok(received.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_arrives_with_the_first_byte() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut line, other_end) = UnixStream::pair().unwrap();
        let sent = send(&ours, &[IoSlice::new(b"hello")], &[other_end.as_fd()]).unwrap();
        drop(other_end);
        let (mut buffer, mut came) = ([0; 1], Vec::new());
        assert_eq!((sent, receive(&theirs, &mut buffer, &mut came).unwrap()), (5, 1));
        UnixStream::from(came.pop().unwrap()).write_all(b"over the line").unwrap();
        let mut heard = String::new();
        line.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "over the line");
        assert_eq!((receive(&theirs, &mut [0; 9], &mut came).unwrap(), came.len()), (4, 0));
    }

    #[test]
    fn too_many_descriptors_are_an_error_and_not_lost() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let many = [theirs.as_fd(); MOST + 1];
        assert!(send(&ours, &[IoSlice::new(b"hello")], &many).is_err());
    }
}
