//! Files by way of the kernel.

use super::{Stream, again};
use std::fs::File;
use std::io;

impl Stream {
    /// Hands bytes of a file to the socket, from `offset` on, and moves `offset` past what it has taken: they never come
    /// into this process. `None` if something stands between the stream and its socket; 0 is the end of the file.
    ///
    /// # Errors
    /// Those of the system; `WouldBlock` if there is room for none now.
    pub(in crate::net) fn try_send_file(
        &self,
        file: &File,
        offset: &mut u64,
        count: usize,
    ) -> Option<io::Result<usize>> {
        let socket = self.socket()?;
        let ready = self.check_writing().and_then(|()| self.outgoing().go_on(self));
        // Of a socket that is blocking for another process, `sendfile` would block: it has no flag to say otherwise. Ours
        // never are unless somebody made them so.
        Some(ready.and_then(|()| again(|| rustix::fs::sendfile(socket, file, Some(offset), count))))
    }

    /// Gives bytes back that were read: they are read next.
    pub(in crate::net) fn put_back(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.ahead(|ahead| ahead.put_back(bytes));
        }
    }
}
