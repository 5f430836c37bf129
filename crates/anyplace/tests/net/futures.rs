//! The same verbs, awaited.

use crate::{pairs, soon};
use anyplace::net::{Options, Wait, connecting, listen};
use anyplace::{Kind, net};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// The smallest runtime there is: nothing in the engine may depend on a larger one.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(given) => return given,
            Poll::Pending => thread::park_timeout(Duration::from_secs(20)),
        }
    }
}

async fn echo(stream: net::Stream) {
    while let Some(message) = stream.receiving(1 << 24).await.unwrap() {
        stream.sending(&message).await.unwrap();
    }
    stream.finishing().await.unwrap();
}

async fn ask(stream: net::Stream) {
    let mut bytes = [0; 5];
    stream.writing(&[0, 0, 0, 1]).await.unwrap();
    stream.writing(b"x").await.unwrap();
    stream.reading_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, &[0, 0, 0, 1, b'x']);
    let much = vec![3; 5 << 20];
    let echoed = {
        stream.sending(&much).await.unwrap();
        stream.receiving(1 << 24).await.unwrap().unwrap()
    };
    assert!(echoed == much);
    stream.finishing().await.unwrap();
    assert_eq!(stream.reading(&mut bytes).await.unwrap(), 0);
}

#[test]
fn every_verb_can_be_awaited_in_a_runtime_as_small_as_can_be() {
    for (here, there) in pairs() {
        let server = thread::spawn(move || block_on(echo(there)));
        block_on(ask(here));
        server.join().unwrap();
    }
}

#[test]
fn every_verb_can_be_awaited_in_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    runtime.block_on(async {
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let endpoint = listener.endpoint().clone();
                tokio::spawn(async move {
                    ask(connecting(endpoint, &Options::default()).unwrap().await.unwrap()).await;
                })
            })
            .collect();
        for _ in 0..20 {
            tokio::spawn(echo(listener.accepting().await.unwrap()));
        }
        for asking in asking {
            asking.await.unwrap();
        }
    });
}

#[test]
fn a_future_that_is_dropped_has_taken_nothing() {
    for (here, there) in pairs() {
        here.write(b"ab", soon()).unwrap();
        let mut bytes = [0; 3];
        {
            let mut reading = pin!(there.reading_exact(&mut bytes));
            assert!(reading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        here.write(b"c", soon()).unwrap();
        there.read_exact(&mut bytes, soon()).unwrap();
        assert_eq!(&bytes, b"abc");
    }
}

#[test]
fn a_wait_goes_on_where_it_was() {
    for (here, there) in pairs() {
        let mut bytes = [0; 4];
        let mut reading = there.reading_exact(&mut bytes);
        assert!(reading.look().unwrap().is_none());
        here.write(b"ab", soon()).unwrap();
        assert!(reading.until(crate::shortly()).unwrap().is_none());
        here.write(b"cd", soon()).unwrap();
        reading.until(soon()).unwrap().unwrap();
        drop(reading);
        assert_eq!(&bytes, b"abcd");
    }
}

#[test]
fn an_abort_wakes_who_awaits() {
    for (here, _there) in pairs() {
        let reader = here.clone();
        let reading = thread::spawn(move || block_on(async move { reader.reading(&mut [0; 9]).await }));
        here.abort();
        assert_eq!(reading.join().unwrap().unwrap_err().kind(), Kind::ConnectionLost);
    }
}
