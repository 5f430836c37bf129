//! An echo server of Rust in a program of its own: `echo NAME` prints where it listens and ends with its standard input.
#![allow(clippy::print_stdout)] // Whoever started it reads where it listens.

use anyplace::net::Stream;
use anyplace::serve::{Limits, Server, Serving};
use anyplace::{Place, Result};
use std::io::{Read, Write};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ANY: &str = "127.0.0.1:0";
/// What a handler reads at most at once.
const ROOM: usize = 64 << 10;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "threads" => ours(Serving::connections(blocking), "threads:128"),
        "async" => ours(Serving::connections_async(awaiting), "async:20000"),
        "requests" => ours(Serving::requests(|request: Vec<u8>| request), "threads:"),
        "tokio" => tokio(),
        "std" => threads().expect("an echo server"),
        _ => panic!("`echo threads`, `echo async`, `echo requests`, `echo tokio` or `echo std`"),
    }
}

fn ours(serving: Serving, place: &str) {
    let place = anyplace::open(place).expect("a place to serve on");
    let _server = serve(serving, &place).expect("a server");
    until_told();
}

fn serve(serving: Serving, place: &Place) -> Result<Server> {
    let mut limits = Limits::default();
    limits.connections = 20_000;
    let server = serving.limits(limits).at(format!("tcp://{ANY}"), place)?;
    println!("{}", server.endpoint().to_string().trim_start_matches("tcp://"));
    Ok(server)
}

fn blocking(stream: Stream) -> Result<()> {
    let mut bytes = vec![0; ROOM];
    loop {
        match stream.read(&mut bytes, None)? {
            0 => return Ok(()),
            read => stream.write(&bytes[..read], None)?,
        }
    }
}

async fn awaiting(stream: Stream) -> Result<()> {
    let mut bytes = vec![0; ROOM];
    loop {
        match stream.reading(&mut bytes).await? {
            0 => return Ok(()),
            read => stream.writing(&bytes[..read]).await?,
        }
    }
}

/// As tokio's own guide writes it.
fn tokio() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(ANY).await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                drop(socket.set_nodelay(true));
                tokio::spawn(async move {
                    let mut bytes = vec![0; ROOM];
                    while let Ok(read @ 1..) = socket.read(&mut bytes).await {
                        if socket.write_all(&bytes[..read]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        drop(tokio::task::spawn_blocking(until_told).await);
    });
    runtime.shutdown_timeout(Duration::ZERO);
}

/// The floor of all servers that have a thread for each connection.
fn threads() -> std::io::Result<()> {
    let listener = std::net::TcpListener::bind(ANY)?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || plain(socket));
        }
    });
    until_told();
    Ok(())
}

fn plain(mut socket: std::net::TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut bytes = vec![0; ROOM];
    loop {
        match socket.read(&mut bytes)? {
            0 => return Ok(()),
            read => socket.write_all(&bytes[..read])?,
        }
    }
}

fn until_told() {
    // Its end is as good as a word.
    drop(std::io::stdin().read(&mut [0]));
}
