//! The Python face: each file mirrors one of the engine's and decides nothing. Whatever waits goes through `door`.
#![allow(
    unsafe_code,
    reason = "the interpreter's lock is kept between tasks, and futures are made without a call"
)]

mod baton;
mod call;
mod closing;
mod command;
mod context;
mod coroutine;
mod door;
mod error;
mod first;
mod flags;
mod fork;
mod frame;
mod functions;
mod future;
mod gil;
mod guard;
mod item;
mod lent;
mod mailbox;
mod making;
mod map;
mod net;
mod objects;
mod offer;
mod pickle;
mod pickled;
mod place;
mod plain;
mod progress;
mod queue;
mod serve;
mod settled;
mod setup;
mod share;
mod socket;
mod threading;
mod turns;
mod worker;
mod wrapped;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::closing::close_all;
    #[pymodule_export]
    use super::command::cli_main;
    #[pymodule_export]
    use super::context::{Context, current};
    #[pymodule_export]
    use super::flags::flags_with_site;
    #[pymodule_export]
    use super::fork::forked;
    #[pymodule_export]
    use super::future::Future;
    #[pymodule_export]
    use super::lent::Lent;
    #[pymodule_export]
    use super::mailbox::Mailbox;
    #[pymodule_export]
    use super::map::Map;
    #[pymodule_export]
    use super::net::{
        Datagram, Handed, Inbox, Listener, Stream, Transfer, connect_stream, connecting_stream, reach_stream,
        receive_files, send_files,
    };
    #[pymodule_export]
    use super::objects::{Method, Proxy, Serving, Values, host_objects};
    #[pymodule_export]
    use super::offer::Offer;
    #[pymodule_export]
    use super::place::Place;
    #[pymodule_export]
    use super::progress::Counts;
    #[pymodule_export]
    use super::queue::{Queue, SimpleQueue};
    #[pymodule_export]
    use super::serve::{Server, borrow_stream};
    #[pymodule_export]
    use super::share::{
        _opened, SharedArray, SharedBarrier, SharedCondition, SharedDict, SharedEvent, SharedLock,
        SharedPipe, SharedQueue, SharedRLock, SharedSemaphore, SharedValue, Waiting, keep_sent, shared_pipe,
    };
    #[pymodule_export]
    use super::socket::{Socket, socket_pair};
    #[pymodule_export]
    use super::threading::{
        ThreadBarrier, ThreadCondition, ThreadEvent, ThreadLock, ThreadRLock, ThreadSemaphore, ThreadTurn,
        quicken,
    };
    #[pymodule_export]
    use super::worker::{usable_cores, worker_log, worker_main, zygote_main};
    #[pymodule_export]
    use super::wrapped::_call_as;

    /// Counts forks from here on: at its first use elsewhere, another thread may be forking.
    #[pymodule_init]
    fn begin(module: &Bound<'_, PyModule>) -> PyResult<()> {
        anyplace_sync::fork_generation();
        super::queue::install(module.py())
    }
}
