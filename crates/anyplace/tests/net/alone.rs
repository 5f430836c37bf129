//! Tests that need a process of their own: they take all its descriptors, count its threads, or are its other end.

use anyplace::work::{Command, Work};
use anyplace::{Handle, Place, TaskOptions, Value};
use std::time::Duration;

/// An ignored test of this program that runs elsewhere.
pub(crate) struct Alone {
    handle: Handle<Value>,
    place: Place,
}

impl Alone {
    /// Starts an ignored test of this program in a process of its own, with more in its environment.
    pub(crate) fn start(name: &str, variables: &[(&str, String)]) -> Self {
        let this = std::env::current_exe().unwrap().display().to_string();
        let variables = variables.iter().map(|(name, value)| format!("{name}={value}"));
        let argv = ["env".to_owned()].into_iter().chain(variables);
        let argv =
            argv.chain([this, "--ignored".into(), "--exact".into(), name.into(), "--nocapture".into()]);
        let place = anyplace::open("processes:1").unwrap();
        let options = TaskOptions { timeout: Some(Duration::from_secs(60)), ..TaskOptions::default() };
        let handle = place.submit_work(Work::Command(Command::new(argv)), options).unwrap();
        Self { handle, place }
    }

    /// Waits for its end, and passes on why it failed.
    pub(crate) fn finish(self) {
        let ended = self.handle.wait();
        self.place.close().unwrap();
        let Value::Command(finished) = ended.unwrap() else { unreachable!() };
        let said = String::from_utf8(finished.stdout.to_vec().unwrap()).unwrap();
        assert!(said.contains("1 passed"), "no such test: {said}");
    }
}

/// Runs an ignored test of this program in a process of its own.
pub(crate) fn run(name: &str) {
    Alone::start(name, &[]).finish();
}
