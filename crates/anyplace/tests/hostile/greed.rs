//! Clients that want more than their part.

use super::{Machines, run};
use anyplace::serve::{ClientLimits, Terms};
use anyplace::{Error, Kind};

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
