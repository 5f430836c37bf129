//! Ten thousand connections.

use crate::alone::Alone;
use crate::soon;
use anyplace::net::{Stream, connect, listen};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const MANY: usize = 10_000;

/// As many descriptors as the system lets us have.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    assert!(limit.maximum.is_none_or(|most| most > MANY as u64 + 500), "{limit:?}");
}

#[test]
fn ten_thousand_connections_are_open_at_once() {
    Alone::start("many::a_process_that_accepts", &[]).finish();
}

#[test]
#[ignore = "it needs ten thousand descriptors, so it is run by the test above"]
fn a_process_that_accepts() {
    raise_limit();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let endpoint = listener.endpoint().to_string();
    let clients = Alone::start("many::a_process_that_connects", &[("ANYPLACE_NET_ENDPOINT", endpoint)]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let all = runtime.block_on(async {
        let mut all = Vec::with_capacity(MANY);
        for _ in 0..MANY {
            let stream = listener.accepting().await.unwrap();
            all.push(tokio::spawn(echo(stream)));
        }
        all
    });
    assert!(resident() < 150 << 20, "{} bytes for {MANY} connections", resident());
    for echoed in all {
        runtime.block_on(echoed).unwrap();
    }
    clients.finish();
}

async fn echo(stream: Stream) {
    while let Some(message) = stream.receiving(99).await.unwrap() {
        stream.sending(&message).await.unwrap();
    }
}

/// How much memory this process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * rustix::param::page_size()
}

#[test]
#[ignore = "it is the other end of the test above"]
fn a_process_that_connects() {
    raise_limit();
    let endpoint = std::env::var("ANYPLACE_NET_ENDPOINT").unwrap();
    let streams: Vec<_> = (0..MANY).map(|_| connect(&*endpoint, soon()).unwrap()).collect();
    for (number, stream) in streams.iter().enumerate() {
        stream.send(&number.to_be_bytes(), soon()).unwrap();
    }
    for (number, stream) in streams.iter().enumerate() {
        assert_eq!(stream.recv(99, soon()).unwrap().unwrap(), number.to_be_bytes());
    }
}
