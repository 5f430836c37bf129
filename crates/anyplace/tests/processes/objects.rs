//! Rust objects that are called from other processes: published in a place that is offered, or in a client of it.

use crate::peers::{Folder, Other, say};
use crate::support::{Door, Nothing};
use crate::trials;
use anyplace::driver::{Making, Recipe};
use anyplace::serve::objects::{Answer, Object, Request, Verb};
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Handle, Kind, Outcome, Place, Proxy, Result, Retry, Value};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

trials!("objects":
    an_object_of_an_offered_place_is_found_and_called,
    an_object_of_a_client_is_called_from_where_it_is_published,
    three_processes_pass_a_message_round,
    what_an_object_fails_with_is_told_as_it_was,
    the_names_of_a_client_vanish_with_it,
    a_killed_process_ends_the_calls_of_its_objects_at_once,
    a_call_that_is_late_is_given_up_though_it_goes_on,
    a_call_that_is_cancelled_before_it_begins_never_begins,
    a_call_of_a_client_that_is_gone_never_begins,
);

/// So long does anything here wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// One of a ring, which counts and waits where it is told to.
#[derive(Default)]
struct Link {
    next: Mutex<Option<Proxy>>,
    count: AtomicU64,
}

impl Object for Link {
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        match request.method {
            "greet" => Answer::of(&format!("hello {}", request.arguments::<String>()?)),
            "process" => Answer::of(&std::process::id()),
            "count" => Answer::of(&self.count.fetch_add(1, Ordering::Relaxed)),
            "join" => self.join(&request.arguments::<Vec<u8>>()?),
            "forward" => self.forward(request.arguments()?),
            "wait" => wait(&request.arguments::<String>()?),
            "fail" => Err(Error::new(Kind::NotFound, "no such star").with_help("look elsewhere")),
            "panic" => panic!("out of paper"),
            _ => Err(request.unknown()),
        }
    }

    fn class(&self) -> &str {
        "Link"
    }
}

impl Link {
    fn join(&self, next: &[u8]) -> Result<Answer> {
        let next = Proxy::from_bytes(next)?;
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        Answer::of(&())
    }

    /// Adds itself to those who have had it, and passes it on.
    fn forward(&self, (mut seen, hops): (Vec<u32>, u32)) -> Result<Answer> {
        seen.push(std::process::id());
        if hops == 0 {
            return Answer::of(&seen);
        }
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let next = next.ok_or_else(|| Error::new(Kind::NotFound, "the ring has no next one"))?;
        Answer::of(&next.call::<_, Vec<u32>>("forward", (seen, hops - 1))?)
    }
}

fn wait(door: &str) -> Result<Answer> {
    let mut line = UnixStream::connect(door)?;
    // The end of the line is the sign to go on.
    line.read_to_end(&mut Vec::new())?;
    Answer::of(&())
}

fn quiet() {
    std::panic::set_hook(Box::new(|_| ()));
}

/// Offers a place with a `link`, and one that takes a call at a time, until it is killed or its input ends.
pub(crate) fn server() {
    quiet();
    let endpoint = std::env::args().nth(2).unwrap();
    let place = anyplace::open("threads:2").unwrap();
    place.publish("link", Link::default()).unwrap();
    let making = Making::Made(Arc::new(Link::default()));
    let recipe = Recipe { making, class: "Link".to_owned(), exclusive: true, restart: 0 };
    let one_by_one = place.serve().unwrap().create(recipe).unwrap();
    place.publish_proxy("one by one", &one_by_one).unwrap();
    let offer = place.offer(&endpoint).unwrap();
    say(&offer.address().reveal());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(offer);
}

/// Publishes a `guest` in a place, has what is there wait at a door twice if it is told to, and waits to be killed.
pub(crate) fn guest() {
    let address = std::env::args().nth(2).unwrap();
    let place = anyplace::open(address).unwrap();
    place.publish("guest", Link::default()).unwrap();
    let calls = std::env::args().nth(3).map(|door| {
        let link = place.find("one by one").unwrap();
        [(); 2].map(|()| submit(&link, "wait", &door))
    });
    say("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(calls);
}

/// A process that offers a place, and how it is opened.
fn served(endpoint: &str) -> Result<(Other, Place)> {
    let (other, address) = Other::starts("--role-objects", &[endpoint]);
    Ok((other, anyplace::open(address)?))
}

/// Calls without waiting.
fn submit(link: &Proxy, method: &str, argument: &str) -> Handle<Value> {
    let bytes = postcard::to_stdvec(argument).unwrap();
    link.submit(Verb::Call, method, Payload::new(Encoding::Postcard, bytes), None)
}

/// Waits until something is so; what does not come is a broken promise.
fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it has not come about");
        std::thread::yield_now();
    }
}

fn an_object_of_an_offered_place_is_found_and_called() -> Nothing {
    let folder = Folder::new();
    for endpoint in [folder.socket("s").as_str(), "tcp://127.0.0.1:0"] {
        let (_server, place) = served(endpoint)?;
        assert_eq!(place.names()?, ["link", "one by one"]);
        let link = place.find("link")?;
        assert_eq!(link.class(), "Link");
        assert_eq!(link.call::<_, String>("greet", "Bob")?, "hello Bob");
        assert_ne!(link.call::<_, u32>("process", ())?, std::process::id());
        let known = place.find("lnk").unwrap_err();
        assert_eq!(known.kind(), Kind::NotFound);
        assert_eq!(known.help(), Some("did you mean `link`?"));
        place.close()?;
    }
    Ok(())
}

fn an_object_of_a_client_is_called_from_where_it_is_published() -> Nothing {
    let folder = Folder::new();
    for endpoint in [folder.socket("s").as_str(), "tcp://127.0.0.1:0"] {
        let (_server, place) = served(endpoint)?;
        place.publish("mine", Link::default())?;
        let forwards = place.find("link")?;
        forwards.call::<_, ()>("join", place.find("mine")?.to_bytes()?)?;
        let seen: Vec<u32> = forwards.call("forward", (Vec::<u32>::new(), 1_u32))?;
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1], std::process::id());
        place.close()?;
    }
    Ok(())
}

fn three_processes_pass_a_message_round() -> Nothing {
    let folder = Folder::new();
    let (_one, first) = served(&folder.socket("one"))?;
    let (_other, second) = served("tcp://127.0.0.1:0")?;
    let links = [Proxy::keep(Arc::new(Link::default()))?, first.find("link")?, second.find("link")?];
    for (at, link) in links.iter().enumerate() {
        link.call::<_, ()>("join", links[(at + 1) % 3].to_bytes()?)?;
    }
    let processes = links.iter().map(|link| link.call::<_, u32>("process", ()));
    let processes: Vec<u32> = processes.collect::<Result<_>>()?;
    let seen: Vec<u32> = links[0].call("forward", (Vec::<u32>::new(), 8_u32))?;
    assert_eq!(seen, processes.repeat(3));
    first.close()?;
    second.close()
}

fn what_an_object_fails_with_is_told_as_it_was() -> Nothing {
    let folder = Folder::new();
    let (_server, place) = served(&folder.socket("s"))?;
    let link = place.find("link")?;
    let failed = link.call::<_, ()>("fail", ()).unwrap_err();
    assert_eq!((failed.kind(), failed.message()), (Kind::NotFound, "no such star"));
    assert_eq!(failed.help(), Some("look elsewhere"));
    let panicked = link.call::<_, ()>("panic", ()).unwrap_err();
    assert!(panicked.message().contains("out of paper"), "{panicked:?}");
    let unknown = link.call::<_, ()>("sing", ()).unwrap_err();
    assert_eq!((unknown.kind(), unknown.retry()), (Kind::NotFound, Retry::Safe));
    let other = link.call::<_, ()>("greet", 200_u8).unwrap_err();
    assert_eq!(other.kind(), Kind::NotSerializable, "{other:?}");
    assert_eq!(link.call::<_, String>("greet", "Bob")?, "hello Bob", "it goes on");
    place.close()
}

fn the_names_of_a_client_vanish_with_it() -> Nothing {
    let folder = Folder::new();
    let (_server, place) = served(&folder.socket("s"))?;
    let (mut guest, _) = Other::starts("--role-guest", &[&folder.socket("s")]);
    assert_eq!(place.names()?, ["guest", "link", "one by one"]);
    let found = place.find("guest")?;
    assert_eq!(found.call::<_, String>("greet", "you")?, "hello you");
    guest.kill();
    until(|| place.names().is_ok_and(|names| names == ["link", "one by one"]));
    let error = found.call::<_, String>("greet", "you").unwrap_err();
    assert_eq!(error.kind(), Kind::WorkerLost, "{error:?}");
    assert_eq!(place.find("guest").unwrap_err().kind(), Kind::NotFound);
    place.close()
}

fn a_killed_process_ends_the_calls_of_its_objects_at_once() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    for endpoint in [folder.socket("s").as_str(), "tcp://127.0.0.1:0"] {
        let (mut server, place) = served(endpoint)?;
        let link = place.find("link")?;
        let call = submit(&link, "wait", &door.path());
        let held = door.knock();
        server.kill();
        held.ends();
        let Outcome::Lost(error) = call.outcome() else { panic!("its process was killed") };
        assert_eq!((error.kind(), error.retry()), (Kind::ConnectionLost, Retry::MayRepeat), "{error:?}");
        assert!(error.help().is_some());
        place.close_within(Duration::ZERO)?;
    }
    Ok(())
}

fn a_call_that_is_late_is_given_up_though_it_goes_on() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let (_server, place) = served(&folder.socket("s"))?;
    let link = place.find("one by one")?;
    let (limit, path) = (Duration::from_millis(300), door.path());
    let late = std::thread::scope(|scope| {
        let call = scope.spawn(|| link.call_within::<_, ()>(limit, "wait", path));
        let held = door.knock();
        let late = call.join().expect("waiting does not panic").unwrap_err();
        // Its turn does not come while the first is still at the door.
        let unbegun = link.call_within::<_, u64>(limit, "count", ()).unwrap_err();
        assert_eq!(unbegun.kind(), Kind::Timeout);
        drop(held);
        late
    });
    assert_eq!((late.kind(), late.retry()), (Kind::Timeout, Retry::MayRepeat), "{late:?}");
    assert!(late.message().contains("wait"), "{late:?}");
    assert_eq!(link.call_within::<_, u64>(PATIENCE, "count", ())?, 0, "the late call never began");
    place.close()
}

fn a_call_that_is_cancelled_before_it_begins_never_begins() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    for endpoint in [folder.socket("s").as_str(), "tcp://127.0.0.1:0"] {
        let (_server, place) = served(endpoint)?;
        let link = place.find("one by one")?;
        let first = submit(&link, "wait", &door.path());
        let held = door.knock();
        let second = submit(&link, "count", "");
        assert!(!second.cancel(), "only the other process knows");
        assert!(!first.cancel());
        // The first is still at the door, so nobody but the other process has ended the second.
        let ended = second.outcome();
        let Outcome::Cancelled(error) = ended else { panic!("it had not begun: {ended:?}") };
        assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::Safe), "{error:?}");
        drop(held);
        assert!(matches!(first.outcome(), Outcome::Returned(_)), "what has begun goes on");
        assert_eq!(link.call::<_, u64>("count", ())?, 0);
        place.close()?;
    }
    Ok(())
}

fn a_call_of_a_client_that_is_gone_never_begins() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let (_server, place) = served(&folder.socket("s"))?;
    let (mut guest, _) = Other::starts("--role-guest", &[&folder.socket("s"), &door.path()]);
    // One of its two calls is at the door, and the other waits for its turn.
    let held = door.knock();
    guest.kill();
    until(|| place.names().is_ok_and(|names| !names.contains(&"guest".to_owned())));
    drop(held);
    let link = place.find("one by one")?;
    assert_eq!(
        link.call_within::<_, u64>(PATIENCE, "count", ())?,
        0,
        "its turn came, though one waited before"
    );
    place.close()
}
