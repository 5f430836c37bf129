//! The life of the thread that wakes futures: it is there while somebody may wait for it.

use crate::alone;
use crate::{LONG, soon, tcp};
use anyplace::net::{Stream, Wait};
use std::task::{Context, Waker};
use std::thread;
use std::time::Instant;

/// Whether this process has the thread.
fn is_there() -> bool {
    std::fs::read_dir("/proc/self/task").unwrap().any(|task| {
        // It may end while we look.
        let name = std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default();
        name.trim_end() == "anyplace-net"
    })
}

/// Waits until it is there, or gone: a thread has no name at first, and an end takes a moment.
fn comes_to_be(there: bool) -> bool {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        if is_there() == there {
            return true;
        }
        thread::yield_now();
    }
    false
}

/// Awaits a byte that is not there yet, so that the reactor knows the stream.
fn await_in_vain(stream: &Stream) {
    let mut byte = [0];
    let mut reading = std::pin::pin!(stream.reading(&mut byte));
    assert!(reading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn the_thread_is_there_only_while_somebody_may_await() {
    alone::run("reactor::a_process_with_a_reactor");
}

#[test]
#[ignore = "it counts the threads of its process, so it is run by the test above"]
fn a_process_with_a_reactor() {
    for _ in 0..100 {
        let (here, there) = tcp();
        here.write(b"x", soon()).unwrap();
        there.read(&mut [0], soon()).unwrap();
        assert!(!is_there(), "who blocks needs no thread");
        await_in_vain(&there);
        assert!(comes_to_be(true));
        drop(there);
        assert!(comes_to_be(false));
    }
}

#[test]
fn the_thread_survives_storms_of_comers_and_goers() {
    alone::run("reactor::a_process_with_storms");
}

#[test]
#[ignore = "it counts the threads of its process, so it is run by the test above"]
fn a_process_with_storms() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for _ in 0..5 {
        let storms: Vec<_> = (0..4)
            .map(|_| {
                runtime.spawn(async {
                    for _ in 0..25 {
                        let (here, there) = tcp();
                        await_in_vain(&here);
                        let asked = tokio::spawn(async move {
                            let message = there.receiving(9).await.unwrap().unwrap();
                            there.sending(&message).await.unwrap();
                            await_in_vain(&there);
                        });
                        here.sending(b"storm").await.unwrap();
                        assert_eq!(here.receiving(9).await.unwrap().unwrap(), b"storm");
                        asked.await.unwrap();
                        assert_eq!(here.receiving(9).await.unwrap(), None);
                    }
                })
            })
            .collect();
        for storm in storms {
            runtime.block_on(storm).unwrap();
        }
        assert!(comes_to_be(false), "all have gone, and so has the thread");
    }
}

#[test]
fn who_waits_bit_by_bit_needs_no_thread() {
    let (here, there) = tcp();
    let mut byte = [0];
    let mut reading = there.reading(&mut byte);
    assert!(reading.look().unwrap().is_none());
    here.write(b"x", soon()).unwrap();
    assert_eq!(reading.until(soon()).unwrap(), Some(1));
}
