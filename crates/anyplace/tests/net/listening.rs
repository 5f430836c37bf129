//! Who may listen where, and what is left of it.

use crate::{alone, ends_of, folder, shortly, soon};
use anyplace::Kind;
use anyplace::net::{Endpoint, Listener, Options, connect, listen, listen_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn a_free_port_is_told() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    assert!(matches!(listener.endpoint(), Endpoint::Tcp { port, .. } if *port > 0));
    assert_eq!(listen(listener.endpoint()).unwrap_err().kind(), Kind::ResourceExhausted);
}

#[test]
fn a_port_may_be_shared_if_all_want_it() {
    let options = Options::default().with_reuse_port();
    let first = listen_with("tcp://127.0.0.1:0", &options).unwrap();
    let second = listen_with(first.endpoint(), &options).unwrap();
    assert_eq!(first.endpoint(), second.endpoint());
}

#[test]
fn a_port_is_free_again_at_once() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let endpoint = listener.endpoint().clone();
    let (here, there) = ends_of(&listener);
    drop((listener, there, here));
    listen(endpoint).unwrap();
}

#[test]
fn all_addresses_are_those_of_both_families_unless_told_otherwise() {
    let both = listen("tcp://[::]:0").unwrap();
    let Endpoint::Tcp { port, .. } = *both.endpoint() else { unreachable!() };
    connect(format!("tcp://127.0.0.1:{port}"), soon()).unwrap();
    connect(format!("tcp://[::1]:{port}"), soon()).unwrap();
    let six = listen_with("tcp://[::]:0", &Options::default().with_only_v6()).unwrap();
    let Endpoint::Tcp { port, .. } = *six.endpoint() else { unreachable!() };
    assert!(connect(format!("tcp://127.0.0.1:{port}"), soon()).is_err());
    connect(format!("tcp://[::1]:{port}"), soon()).unwrap();
}

#[test]
fn nobody_is_accepted_before_they_come() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    assert_eq!(listener.accept(shortly()).unwrap_err().kind(), Kind::Timeout);
    assert_eq!(listener.try_accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_unix_socket_is_for_its_owner_and_goes_with_its_listener() {
    let (_folder, path) = folder();
    let listener = listen(format!("unix:{path}")).unwrap();
    assert_eq!(rustix::fs::stat(&*path).unwrap().st_mode & 0o777, 0o600);
    drop(listener);
    assert!(!Path::new(&path).exists());
}

#[test]
fn two_do_not_listen_at_one_path() {
    let (_folder, path) = folder();
    let first = listen(format!("unix:{path}")).unwrap();
    let error = listen(format!("unix:{path}")).unwrap_err();
    assert_eq!(error.kind(), Kind::ResourceExhausted);
    ends_of(&first);
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let (_folder, path) = folder();
    // The standard library leaves its file behind, as a process does that is killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(Path::new(&path).exists());
    let listener = listen(format!("unix:{path}")).unwrap();
    ends_of(&listener);
}

#[test]
fn many_who_find_a_socket_left_behind_do_not_take_it_from_each_other() {
    let (_folder, path) = folder();
    for _ in 0..50 {
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let all = std::sync::Barrier::new(4);
        let winners: Vec<_> = std::thread::scope(|scope| {
            let race = || {
                all.wait();
                listen(format!("unix:{path}"))
            };
            let racers: Vec<_> = (0..4).map(|_| scope.spawn(race)).collect();
            racers.into_iter().filter_map(|racer| racer.join().unwrap().ok()).collect()
        });
        assert_eq!(winners.len(), 1);
        ends_of(&winners[0]);
    }
}

#[test]
fn a_file_that_is_no_socket_is_never_taken_away() {
    let (_folder, path) = folder();
    std::fs::write(&path, "precious").unwrap();
    let error = listen(format!("unix:{path}")).unwrap_err();
    assert!(error.message().contains("no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_listener_takes_away_only_its_own_file() {
    let (_folder, path) = folder();
    let old = listen(format!("unix:{path}")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let new = listen(format!("unix:{path}")).unwrap();
    drop(old);
    ends_of(&new);
}

#[test]
fn a_socket_that_somebody_else_has_made_is_adopted() {
    let made = listen("tcp://127.0.0.1:0").unwrap();
    let handed = made.as_fd().try_clone_to_owned().unwrap();
    let adopted = Listener::adopt(handed).unwrap();
    assert_eq!(adopted.endpoint(), made.endpoint());
    drop(made);
    ends_of(&adopted);
    let file = std::fs::File::open("/dev/null").unwrap();
    assert_eq!(Listener::adopt(file.into()).unwrap_err().kind(), Kind::ConfigInvalid);
    let (stream, _) = ends_of(&adopted);
    let connected = stream.as_fd().try_clone_to_owned().unwrap();
    assert_eq!(Listener::adopt(connected).unwrap_err().kind(), Kind::ConfigInvalid);
}

#[test]
fn without_a_descriptor_left_a_listener_reports_and_pauses() {
    alone::run("listening::a_process_without_descriptors");
}

#[test]
#[ignore = "it takes all descriptors of its process, so it is run by the test above"]
fn a_process_without_descriptors() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let here = connect(listener.endpoint(), soon()).unwrap();
    let before = getrlimit(Resource::Nofile);
    let spare = std::fs::File::open("/dev/null").unwrap();
    let none = Rlimit { current: Some(std::os::fd::AsRawFd::as_raw_fd(&spare) as u64), ..before };
    setrlimit(Resource::Nofile, none).unwrap();
    let error = listener.accept(soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::ResourceExhausted);
    let began = Instant::now();
    let mut reports = 0;
    while began.elapsed() < Duration::from_millis(450) {
        match listener.accept(Some(began + Duration::from_millis(450))) {
            Err(error) if error.kind() == Kind::ResourceExhausted => reports += 1,
            other => assert_eq!(other.unwrap_err().kind(), Kind::Timeout),
        }
    }
    assert!((2..=5).contains(&reports), "{reports} reports in 450 ms");
    setrlimit(Resource::Nofile, before).unwrap();
    listener.accept(soon()).unwrap();
    drop(here);
}
