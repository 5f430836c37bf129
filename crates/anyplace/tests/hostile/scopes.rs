//! What a client may do by its tickets, and that it is refused the rest in words that help.

use super::{Machines, run};
use anyplace::keys::Scope;
use anyplace::serve::Terms;
use anyplace::{Error, Kind};

fn terms(scope: Scope) -> Terms {
    Terms { scope, ..Terms::default() }
}

fn is_refused_for_want_of<T>(scope: &str, asked: Result<T, Error>) {
    let Err(refusal) = asked else { panic!("it is not refused") };
    assert_eq!(refusal.kind(), Kind::Unsupported, "{refusal}");
    assert!(refusal.help().unwrap().contains(&format!("its scope needs `{scope}`")), "{refusal:?}");
}

#[test]
fn a_ticket_for_tasks_runs_them_and_shares_nothing() {
    let machines = Machines::offering("processes:1", &terms(Scope::RUN));
    let client = machines.open("ada").unwrap();
    is_refused_for_want_of("share", client.lock("door"));
    is_refused_for_want_of("share", client.queue::<u64>("line", 3));
    is_refused_for_want_of("share", client.find("greeter"));
    is_refused_for_want_of("share", client.names());
    run(&client).unwrap();
}

#[test]
fn a_ticket_for_status_sees_how_the_place_is_and_does_nothing_in_it() {
    let machines = Machines::offering("processes:3", &terms(Scope::STATUS));
    let client = machines.open("ada").unwrap();
    assert_eq!(client.limits().workers, 3);
    is_refused_for_want_of("run", run(&client));
    is_refused_for_want_of("share", client.lock("door"));
    is_refused_for_want_of("share", client.find("greeter"));
}

#[test]
fn a_ticket_for_something_else_takes_nothing_away() {
    let machines = Machines::offering("processes:1", &Terms::default());
    run(&machines.open("ada").unwrap()).unwrap();
    let with_another = machines.open_for("ada", Scope::FILES).unwrap();
    run(&with_another).unwrap();
    with_another.lock("door").unwrap();
    let by_key = machines.open_by_key("ada").unwrap();
    run(&by_key).unwrap();
    by_key.lock("door").unwrap();
}

/// One gives what the other does not, whichever came first.
#[test]
fn what_several_tickets_allow_adds_up() {
    let machines = Machines::offering("processes:1", &terms(Scope::SHARE));
    is_refused_for_want_of("run", run(&machines.open("ada").unwrap()));
    run(&machines.open_for("ada", Scope::RUN).unwrap()).unwrap();
    let by_key = machines.open_by_key("ada").unwrap();
    run(&by_key).unwrap();
    by_key.lock("door").unwrap();
}

/// Whatever it came by, and under however many tickets.
#[test]
fn who_is_revoked_loses_what_all_its_tickets_gave() {
    let machines = Machines::offering("processes:1", &terms(Scope::SHARE));
    machines.open("ada").unwrap().close().unwrap();
    machines.open_for("ada", Scope::RUN).unwrap().close().unwrap();
    let keys = machines.server();
    let key = keys.authorized().unwrap()[0].key;
    assert_eq!(
        keys.revoke(&key.to_string()).unwrap().len(),
        3,
        "a client, and the two tickets that brought it"
    );
    assert_eq!(machines.open_by_key("ada").unwrap_err().kind(), Kind::PermissionDenied);
    assert_eq!(machines.open("ada").unwrap_err().kind(), Kind::PermissionDenied);
    assert_eq!(machines.open("eve").unwrap_err().kind(), Kind::PermissionDenied);
}
