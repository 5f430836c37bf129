//! Clients that want more than their part.

use super::{Machines, run};
use anyplace::serve::objects::{Answer, Object, Request};
use anyplace::serve::{ClientLimits, Terms};
use anyplace::work::{Command, Work};
use anyplace::{Error, Kind, TaskOptions};

fn limited(limits: ClientLimits) -> Machines {
    Machines::offering("processes:1", &Terms { limits, ..Terms::default() })
}

fn is_too_much<T>(asked: Result<T, Error>) {
    let Err(refusal) = asked else { panic!("it is not refused") };
    assert_eq!(refusal.kind(), Kind::ResourceExhausted, "{refusal}");
    assert!(refusal.message().contains("one client may have at most"), "{refusal}");
    assert!(refusal.help().is_some(), "{refusal:?}");
}

#[test]
fn an_array_that_is_too_large_is_refused_before_there_is_memory_for_it() {
    let machines = limited(ClientLimits { arrays: 1 << 20, ..ClientLimits::default() });
    let client = machines.open("ada").unwrap();
    is_too_much(client.array("large", (1 << 20) + 1));
    is_too_much(client.array("larger", 1 << 50));
    let half = client.array("half", 1 << 19).unwrap();
    drop(half);
    is_too_much(client.array("more", (1 << 19) + 1));
    assert_eq!(client.array("half", 1 << 19).unwrap().len(), 1 << 19, "what it has it may open again");
    run(&client).unwrap();
}

/// What has a name stays, so who comes back has no more than before.
#[test]
fn a_client_has_no_more_by_coming_again() {
    let machines = limited(ClientLimits { shared: 3, ..ClientLimits::default() });
    for time in 0..3 {
        machines.open("ada").unwrap().lock(&format!("door {time}")).unwrap();
    }
    let client = machines.open("ada").unwrap();
    is_too_much(client.lock("one more"));
    client.lock("door 1").unwrap();
    machines.open("bob").unwrap().lock("one more").unwrap();
}

#[test]
fn a_client_publishes_so_many_names_and_no_more() {
    let machines = limited(ClientLimits { names: 2, ..ClientLimits::default() });
    let (greedy, other) = (machines.open("ada").unwrap(), machines.open("bob").unwrap());
    for name in ["first", "second"] {
        greedy.publish(name, Idle).unwrap();
    }
    is_too_much(greedy.publish("third", Idle));
    assert!(greedy.unpublish("first").unwrap());
    greedy.publish("third", Idle).unwrap();
    other.publish("fourth", Idle).unwrap();
}

#[test]
fn a_client_has_so_many_sessions_and_no_more() {
    let machines = limited(ClientLimits { sessions: 2, ..ClientLimits::default() });
    let places: Vec<_> = (0..2).map(|_| machines.open("ada").unwrap()).collect();
    places.iter().for_each(|place| run(place).unwrap());
    let refusal = machines.open("ada").and_then(|place| run(&place)).unwrap_err();
    assert_eq!(refusal.kind(), Kind::ResourceExhausted, "{refusal:?}");
    assert!(refusal.message().contains("2 sessions"), "{refusal:?}");
    run(&machines.open("bob").unwrap()).unwrap();
}

#[test]
fn a_task_that_is_too_long_is_refused_and_costs_no_other() {
    let machines = limited(ClientLimits { message: 1 << 16, ..ClientLimits::default() });
    let client = machines.open("ada").unwrap();
    let long = Command { stdin: Some(vec![0; 1 << 17]), ..Command::new(["true"]) };
    let other =
        client.submit_work(Work::Command(Command::new(["sleep", "0.2"])), TaskOptions::default()).unwrap();
    let refusal =
        client.submit_work(Work::Command(long), TaskOptions::default()).unwrap().wait().unwrap_err();
    assert_eq!(refusal.kind(), Kind::ResourceExhausted, "{refusal:?}");
    assert!(refusal.message().contains("65536 bytes") && refusal.help().is_some(), "{refusal:?}");
    other.wait().unwrap();
}

#[test]
fn a_value_that_is_too_long_ends_the_conversation_and_says_why() {
    let machines = limited(ClientLimits { message: 1 << 16, ..ClientLimits::default() });
    let client = machines.open("ada").unwrap();
    let queue = client.queue::<Vec<u8>>("line", 0).unwrap();
    let refusal = queue.put(vec![1; 1 << 17]).unwrap_err();
    assert_eq!(refusal.kind(), Kind::ResourceExhausted, "{refusal:?}");
    assert!(refusal.message().contains("at most 65536 bytes") && refusal.help().is_some(), "{refusal:?}");
    machines.open("bob").unwrap().queue::<Vec<u8>>("line", 0).unwrap().put(vec![1; 1 << 10]).unwrap();
}

/// An object that does nothing.
struct Idle;

impl Object for Idle {
    fn ask(&self, request: &Request<'_>) -> Result<Answer, Error> {
        Err(request.unknown())
    }
}
