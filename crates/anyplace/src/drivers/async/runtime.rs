//! The tokio runtime of a place: started by its first Rust future, gone when the place is closed.

use crate::error::{Error, Kind, Result};
use crate::work::{Abort, Spawn};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::{Builder, Runtime};

#[derive(Debug, Default)]
pub(super) struct LazyRuntime(Mutex<Option<Runtime>>);

impl LazyRuntime {
    pub(super) fn close(&self) {
        let runtime = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            // All outcomes are told; what blocks inside a future is left to end by itself.
            runtime.shutdown_background();
        }
    }

    fn handle(&self) -> Result<tokio::runtime::Handle> {
        let mut runtime = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*runtime {
            Some(runtime) => Ok(runtime.handle().clone()),
            None => Ok(runtime.insert(build()?).handle().clone()),
        }
    }
}

fn build() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(crate::context::share_of_cores())
        .thread_name("anyplace-async")
        .on_thread_start(crate::net::driven)
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(Kind::ResourceExhausted, format!("no thread for the event loop: {error}"))
        })
}

impl Spawn for LazyRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Abort {
        match self.handle() {
            Ok(handle) => {
                let abort = handle.spawn(future).abort_handle();
                Box::new(move || abort.abort())
            }
            // Dropping the future tells its outcome.
            Err(_) => Box::new(|| {}),
        }
    }
}
