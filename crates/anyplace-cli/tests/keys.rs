//! What `anyplace keys` shows and does: the real command, in a folder whose files are written by hand.
#![allow(clippy::disallowed_methods, reason = "each test is a real run of the real command")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A key's hash, a ticket's name or its proof, told apart by their letters.
fn letters(letter: char, length: usize) -> String {
    std::iter::repeat_n(letter, length - 1).chain(['a']).collect()
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("anyplace");
    fs::create_dir(&keys).unwrap();
    let (ada, bob) = (letters('b', 52), letters('c', 52));
    let (open, spent) = (letters('d', 16), letters('e', 16));
    let proof = letters('f', 52);
    let write = |name: &str, text: String| {
        fs::write(keys.join(name), text).unwrap();
        fs::set_permissions(keys.join(name), Permissions::from_mode(0o600)).unwrap();
    };
    write("identity", format!("ed25519 {}\n", letters('a', 52)));
    write("known_peers", format!("example.org:7777 {ada} since=2026-11-23T06:10:00Z # the big one\n"));
    write(
        "authorized_peers",
        format!(
            "# who comes\n\
             {ada} run,share name=ada@laptop since=2026-11-23T06:10:00Z ticket={open}\n\
             {bob} admin name=bob since=2026-11-23T06:10:00Z until=2026-11-24T00:00:00Z revoked=2026-11-23T07:00:00Z\n"
        ),
    );
    write(
        "tickets",
        format!(
            "{open} run,share proof={proof} since=2026-11-23T06:00:00Z until=9999-01-01T00:00:00Z\n\
             {spent} status proof={proof} since=2026-11-23T06:00:00Z use=once spent={bob}\n"
        ),
    );
    folder
}

fn keys(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anyplace"));
    command.arg("keys").args(arguments).stdin(Stdio::null()).env("XDG_CONFIG_HOME", folder);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_list_shows_who_may_come_and_no_secret() {
    let folder = folder();
    let list = said(&keys(folder.path(), &["list"]));
    insta::assert_snapshot!("keys_list", list);
    let json = said(&keys(folder.path(), &["list", "--json"]));
    insta::assert_snapshot!("keys_list_json", json);
    for secret in [letters('f', 52), letters('a', 52)] {
        assert!(!list.contains(&secret[..10]) && !json.contains(&secret[..10]));
    }
}

#[test]
fn a_key_is_made_on_first_use_and_only_its_user_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = said(&keys(folder.path(), &["list"]));
    assert!(first.contains("self"), "{first}");
    assert_eq!(said(&keys(folder.path(), &["list"])), first);
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("anyplace"), mode("anyplace/identity")), (0o700, 0o600));
}

#[test]
fn a_client_is_revoked_by_its_name_with_the_ticket_that_brought_it() {
    let folder = folder();
    let output = keys(folder.path(), &["revoke", "ada@laptop"]);
    insta::assert_snapshot!("keys_revoke", said(&output));
    let peers = fs::read_to_string(folder.path().join("anyplace/authorized_peers")).unwrap();
    assert!(peers.starts_with("# who comes\n"), "what people wrote stays: {peers}");
    assert_eq!(peers.matches("revoked=").count(), 2);
    let tickets = fs::read_to_string(folder.path().join("anyplace/tickets")).unwrap();
    assert!(!tickets.contains(&letters('d', 16)) && tickets.contains(&letters('e', 16)));
}

#[test]
fn a_ticket_is_revoked_by_its_first_letters() {
    let folder = folder();
    assert!(keys(folder.path(), &["revoke", "ddddd"]).status.success());
    let tickets = fs::read_to_string(folder.path().join("anyplace/tickets")).unwrap();
    assert!(!tickets.contains(&letters('d', 16)));
}

#[test]
fn what_is_not_there_cannot_be_revoked() {
    let folder = folder();
    let output = keys(folder.path(), &["revoke", "nobody"]);
    assert_eq!(output.status.code(), Some(255));
    insta::assert_snapshot!("keys_revoke_nobody", said(&output));
}

#[test]
fn a_new_key_makes_old_tickets_void() {
    let folder = folder();
    let output = keys(folder.path(), &["rotate"]);
    assert!(said(&output).starts_with("this user's key is "), "{}", said(&output));
    let list = said(&keys(folder.path(), &["list"]));
    assert!(!list.contains("ticket") && list.contains("ada@laptop"), "{list}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = folder();
    let identity = folder.path().join("anyplace/identity");
    fs::set_permissions(&identity, Permissions::from_mode(0o644)).unwrap();
    let output = keys(folder.path(), &["list"]);
    assert_eq!(output.status.code(), Some(255));
    let said = said(&output).replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!("keys_open_to_others", said);
    assert!(keys(folder.path(), &["rotate"]).status.success(), "as the help says");
    assert!(keys(folder.path(), &["list"]).status.success());
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let folder = folder();
    let peers = folder.path().join("anyplace/authorized_peers");
    fs::write(&peers, "somebody\n").unwrap();
    let output = keys(folder.path(), &["list"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!("keys_unreadable_line", said(&output));
}

#[test]
fn the_help_of_keys_says_where_they_are() {
    insta::assert_snapshot!("keys_help", said(&keys(Path::new("/"), &["--help"])));
}
