//! The same verbs, awaited.

use crate::{pairs, soon, tcp, unix};
use anyplace::net::{Options, Wait, connecting, listen};
use anyplace::{Kind, net};
use std::os::fd::AsFd;
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
fn every_verb_can_be_awaited_in_a_place() {
    let place = anyplace::open("async:2").unwrap();
    for (here, there) in pairs() {
        let server = place.spawn(echo(there)).unwrap();
        place.spawn(ask(here)).unwrap().wait().unwrap();
        server.wait().unwrap();
    }
}

/// What comes until the end, bit by bit, each of them answered.
async fn answer_all(stream: net::Stream) -> Vec<u8> {
    let (mut all, mut bytes) = (Vec::new(), [0; 64]);
    loop {
        match stream.reading(&mut bytes).await.unwrap() {
            0 => return all,
            read => all.extend_from_slice(&bytes[..read]),
        }
        stream.writing(b".").await.unwrap();
    }
}

#[test]
fn a_read_that_leaves_room_is_not_the_last() {
    let place = anyplace::open("async:2").unwrap();
    for (here, there) in pairs().into_iter().chain((0..50).map(|_| tcp())) {
        let all = place.spawn(answer_all(there)).unwrap();
        for count in (1..200).chain([64, 63, 65]) {
            here.write(&vec![7; count], soon()).unwrap();
            // At least one for what was just written.
            assert!(here.read(&mut [0; 64], soon()).unwrap() > 0);
        }
        // The end comes with the last bytes.
        here.write(b"end", soon()).unwrap();
        here.finish(soon()).unwrap();
        let all = all.wait().unwrap();
        assert_eq!(all.len(), (1..200).sum::<usize>() + 64 + 63 + 65 + 3);
        assert!(all.ends_with(b"end"));
    }
}

#[test]
fn a_read_that_stops_at_an_open_file_goes_on_behind_it() {
    let place = anyplace::open("async:1").unwrap();
    let (here, there) = unix();
    here.write(b"before", soon()).unwrap();
    here.send_fds(b"with", &[here.as_fd()], soon()).unwrap();
    here.write(b"behind", soon()).unwrap();
    here.finish(soon()).unwrap();
    let all = place.spawn(async move { there.reading_to_end(100).await.unwrap() }).unwrap();
    assert_eq!(all.wait().unwrap(), b"beforewithbehind");
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
