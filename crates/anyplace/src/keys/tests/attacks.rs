//! Those who may not come in do not, learn nothing, and cost little.

use super::wiretap::{Wiretap, records};
use super::{keys, meet, meet_at, pair, soon};
use crate::Kind;
use crate::keys::proof::{Bound, Role};
use crate::keys::{Identity, Keys, Moment, Scope, Ticket, admit, join};
use crate::net::tls::pinned::{self, Pinned};
use crate::net::{Interest, Stream, connect, listen};
use crate::wire::admission::{Answer, Hello};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, SignatureScheme};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const LABEL: &[u8] = b"EXPORTER-anyplace";

/// A ticket of `server`, with the name of another key on it.
fn forged(ticket: &Ticket, key: &Keys) -> Ticket {
    let mut forged = ticket.clone();
    forged.key = key.identity().unwrap().hash();
    forged
}

fn read_message(stream: &Stream) -> Vec<u8> {
    let mut head = [0; 2];
    assert_eq!(stream.read(&mut head, Some(soon())).unwrap(), 2);
    let mut body = vec![0; usize::from(u16::from_le_bytes(head))];
    assert_eq!(stream.read(&mut body, Some(soon())).unwrap(), body.len());
    body
}

#[test]
fn another_server_gets_nothing_of_the_client() {
    let (issuer, impostor, client) = (keys(), keys(), keys());
    let ticket = issuer.issue(Scope::default(), None, false).unwrap();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let tap = Wiretap::before(listener.endpoint().clone(), |_, _| {});
    let refusal = thread::scope(|scope| {
        let served = scope.spawn(|| admit(listener.accept(Some(soon())).unwrap(), &impostor, soon()));
        let stream = connect(tap.endpoint.clone(), Some(soon())).unwrap();
        let refusal = join(stream, &client, Some(&ticket), soon()).unwrap_err();
        assert!(served.join().unwrap().is_err());
        refusal
    });
    assert_eq!(refusal.kind(), Kind::PermissionDenied);
    assert!(refusal.message().contains("not the server that issued the ticket"), "{refusal}");
    let heard = tap.heard();
    // Its hello (a handshake record); a change of cipher that says nothing; and an encrypted alert: two bytes, their type,
    // and a tag of 16. A certificate would be another record, of some hundred bytes.
    let said = records(&heard.from_client);
    assert!(matches!(said[..], [(22, _), (20, 1), (23, 19)]), "{said:?}");
    let certificate = client.identity().unwrap().certificate();
    let public = &certificate[certificate.len() - 64 - 32..];
    assert!(!heard.from_client.windows(16).any(|window| public.starts_with(window)));
    assert!(heard.from_server.len() > 500, "the impostor said all that it could");
}

#[test]
fn a_server_whose_key_changed_is_refused_until_there_is_a_new_ticket() {
    let (server, client) = (keys(), keys());
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let ticket = server.issue(Scope::RUN, None, false).unwrap();
    meet_at(&listener, &server, &client, Some(&ticket)).1.unwrap();
    server.rotate().unwrap();
    let refusal = meet_at(&listener, &server, &client, None).1.unwrap_err();
    assert!(refusal.message().contains("another key than before"), "{refusal}");
    let ticket = server.issue(Scope::RUN, None, false).unwrap();
    meet_at(&listener, &server, &client, Some(&ticket)).1.unwrap();
    meet_at(&listener, &server, &client, None).1.unwrap();
}

#[test]
fn nobody_trusts_a_server_only_because_it_is_the_first() {
    let (admitted, joined) = meet(&keys(), &keys(), None);
    assert!(admitted.is_err());
    let refusal = joined.unwrap_err();
    assert!(refusal.message().contains("is not known here"), "{refusal}");
    assert!(refusal.help().unwrap().contains("ap1"), "{refusal:?}");
}

/// A client that trusts the man in the middle (his key is on its ticket) proves the secret to him. He hands the proof on.
#[test]
fn a_man_in_the_middle_cannot_hand_on_a_proof() {
    let (server, mallory, client) = (keys(), keys(), keys());
    let ticket = server.issue(Scope::ADMIN, None, false).unwrap();
    let for_mallory = forged(&ticket, &mallory);
    let (client_side, mallory_front) = pair();
    let (mallory_back, server_side) = pair();
    thread::scope(|scope| {
        let victim = scope.spawn(|| join(client_side, &client, Some(&for_mallory), soon()));
        let judge = scope.spawn(|| admit(server_side, &server, soon()));
        let identity = mallory.identity().unwrap();
        let front = pinned::server(mallory_front, &identity, Some(soon())).unwrap().tls.into_stream();
        let pins = vec![server.identity().unwrap().hash()];
        let back = pinned::client(mallory_back, &identity, pins, Some(soon())).unwrap().tls.into_stream();
        let hello = Hello::read(&read_message(&front)).unwrap();
        assert!(hello.ticket.is_some(), "there is something to hand on");
        back.write(&hello.bytes(), Some(soon())).unwrap();
        // He is told what a stranger is told.
        assert_eq!(Answer::read(&read_message(&back)), Ok(Answer::Refused(0)));
        assert_eq!(judge.join().unwrap().unwrap_err().kind(), Kind::PermissionDenied);
        front.abort();
        assert!(victim.join().unwrap().is_err());
    });
    assert!(server.authorized().unwrap().is_empty());
}

/// A server that does not know the secret sends the client's own proof back.
#[test]
fn a_proof_that_is_sent_back_is_none() {
    let (server, mallory, client) = (keys(), keys(), keys());
    let ticket = forged(&server.issue(Scope::RUN, None, false).unwrap(), &mallory);
    let (client_side, mallory_side) = pair();
    let joined = thread::scope(|scope| {
        let victim = scope.spawn(|| join(client_side, &client, Some(&ticket), soon()));
        let identity = mallory.identity().unwrap();
        let stream = pinned::server(mallory_side, &identity, Some(soon())).unwrap().tls.into_stream();
        let (_, proof) = Hello::read(&read_message(&stream)).unwrap().ticket.unwrap();
        let welcome = Answer::Welcome { scope: Scope::RUN.bits(), until: 0, proof: Some(proof) };
        stream.write(&welcome.bytes(), Some(soon())).unwrap();
        victim.join().unwrap()
    });
    let refusal = joined.unwrap_err();
    assert!(refusal.message().contains("did not issue this ticket"), "{refusal}");
    assert!(client.known().unwrap().is_empty());
}

#[test]
fn a_ticket_for_one_lets_in_one_of_many_who_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Keys::new(Some(folder.path().join("server")));
    let ticket = server.issue(Scope::RUN, None, true).unwrap();
    let met: Vec<_> = thread::scope(|scope| {
        let meetings: Vec<_> =
            (0..4).map(|_| scope.spawn(|| meet(&server, &keys(), Some(&ticket)))).collect();
        meetings.into_iter().map(|meeting| meeting.join().unwrap()).collect()
    });
    assert_eq!(met.iter().filter(|(admitted, joined)| admitted.is_ok() && joined.is_ok()).count(), 1);
    let refusals: Vec<_> = met.into_iter().filter_map(|(_, joined)| joined.err()).collect();
    assert_eq!(refusals.len(), 3);
    assert!(refusals.iter().all(|refusal| refusal.message().contains("somebody else has used it")));
    assert_eq!(server.authorized().unwrap().len(), 1);
}

#[test]
fn a_ticket_whose_time_is_over_is_refused_and_says_so() {
    let (server, client) = (keys(), keys());
    let ticket = server.issue(Scope::RUN, Some(Duration::ZERO), false).unwrap();
    let (admitted, joined) = meet(&server, &client, Some(&ticket));
    assert!(admitted.unwrap_err().message().contains("time of its ticket is over"));
    let refusal = joined.unwrap_err();
    assert!(refusal.message().contains(&format!("was good until {}", ticket.until().unwrap())), "{refusal}");
    assert!(server.authorized().unwrap().is_empty() && client.known().unwrap().is_empty());
}

#[test]
fn a_revoked_key_is_out_at_once_with_the_ticket_that_brought_it() {
    let (server, client) = (keys(), keys());
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let ticket = server.issue(Scope::RUN, None, false).unwrap();
    let (admitted, _) = meet_at(&listener, &server, &client, Some(&ticket));
    let key = admitted.unwrap().key.unwrap();
    assert_eq!(server.standing().unwrap().of(key), Some(Scope::RUN));
    assert_eq!(server.revoke(&key.to_string()[..8]).unwrap().len(), 2);
    assert_eq!(server.standing().unwrap().of(key), None, "a conversation under way ends");
    for shown in [None, Some(&ticket)] {
        let refusal = meet_at(&listener, &server, &client, shown).1.unwrap_err();
        assert!(refusal.message().contains("has revoked this user's key"), "{refusal}");
    }
    let refusal = meet_at(&listener, &server, &keys(), Some(&ticket)).1.unwrap_err();
    assert!(refusal.message().contains("does not know this ticket"), "{refusal}");
}

#[test]
fn a_stranger_with_the_right_pin_is_told_nothing_but_no() {
    let (server, stranger) = (keys(), keys());
    let ticket = forged(&keys().issue(Scope::ADMIN, None, false).unwrap(), &server);
    let (admitted, joined) = meet(&server, &stranger, Some(&ticket));
    assert!(admitted.is_err());
    assert!(joined.unwrap_err().message().contains("does not know this ticket"));
    assert!(server.authorized().unwrap().is_empty());
}

/// Signs with one key, and shows the certificate of another.
#[derive(Debug)]
struct Borrowed(Arc<CertifiedKey>);

impl Borrowed {
    fn new(shown: &Identity, signs: &Identity) -> Arc<Self> {
        let key = rustls::crypto::ring::sign::any_eddsa_type(&signs.private_key()).unwrap();
        Arc::new(Self(Arc::new(CertifiedKey::new(vec![shown.certificate()], key))))
    }
}

impl ResolvesClientCert for Borrowed {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Borrowed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

#[test]
fn somebody_elses_certificate_is_worth_nothing_to_a_client() {
    let (server, mallory) = (keys(), keys());
    // The best there is: the certificate of the server's own user, which everybody sees who connects.
    let shown = server.identity().unwrap();
    let mut config: ClientConfig = pinned::client_config(&shown, vec![shown.hash()]).unwrap();
    config.client_auth_cert_resolver = Borrowed::new(&shown, &mallory.identity().unwrap());
    let connection =
        ClientConnection::new(Arc::new(config), ServerName::try_from("x.invalid").unwrap()).unwrap();
    let (client_side, server_side) = pair();
    let refusal = thread::scope(|scope| {
        let judge = scope.spawn(|| admit(server_side, &server, soon()));
        // In TLS 1.3 a client may be done before it hears that it was refused.
        drop(crate::net::tls::Tls::new(client_side, connection).agree(Some(soon())));
        judge.join().unwrap().unwrap_err()
    });
    assert_eq!(refusal.kind(), Kind::PermissionDenied);
    assert!(refusal.message().contains("BadSignature"), "{refusal}");
}

#[test]
fn somebody_elses_certificate_is_worth_nothing_to_a_server() {
    let (server, mallory, client) = (keys(), keys(), keys());
    let ticket = server.issue(Scope::RUN, None, false).unwrap();
    let shown = server.identity().unwrap();
    let mut config: ServerConfig = pinned::server_config(&shown).unwrap();
    config.cert_resolver = Borrowed::new(&shown, &mallory.identity().unwrap());
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    let (client_side, mallory_side) = pair();
    let refusal = thread::scope(|scope| {
        let victim = scope.spawn(|| join(client_side, &client, Some(&ticket), soon()));
        assert!(crate::net::tls::Tls::new(mallory_side, connection).agree(Some(soon())).is_err());
        victim.join().unwrap().unwrap_err()
    });
    assert!(refusal.message().contains("BadSignature"), "{refusal}");
}

#[test]
fn a_byte_that_was_changed_on_the_way_is_never_given_to_a_reader() {
    let same = keys();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let changes = [(0_usize, "its first"), (700, "of its certificate"), (2_000, "of what it says")];
    for (place, what) in changes {
        let flip = move |before: usize, bytes: &mut [u8]| {
            if let Some(byte) = place.checked_sub(before).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1;
            }
        };
        let tap = Wiretap::before(listener.endpoint().clone(), flip);
        let read = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let stream = admit(listener.accept(Some(soon()))?, &same, soon())?.stream;
                let (mut into, mut read) = ([0; 1000], Vec::<u8>::new());
                while read.len() < 10_000 {
                    let some = stream.read(&mut into, Some(soon()))?;
                    read.extend(&into[..some]);
                }
                Ok::<_, crate::Error>(read)
            });
            let stream = connect(tap.endpoint.clone(), Some(soon())).unwrap();
            if let Ok(joined) = join(stream, &same, None, soon()) {
                // It may be told while it still writes.
                drop(joined.stream.write(&[7; 10_000], Some(soon())));
            }
            reader.join().unwrap()
        });
        assert!(read.is_err(), "a byte {what}");
        drop(tap.heard());
    }
}

/// What somebody sends who is no peer of ours; then they wait for the end.
fn refused_of(bytes: &[u8]) -> crate::Error {
    let (client, server) = pair();
    client.write(bytes, Some(soon())).unwrap();
    client.finish(Some(soon())).unwrap();
    let begun = Instant::now();
    let refusal = admit(server, &keys(), soon()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "it was not waited for");
    refusal
}

#[test]
fn whatever_is_no_tls_is_refused_at_once() {
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for garbage in [
        &b""[..],
        b"\0",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01x\x94.",
        &noise,
        &[22; 50_000],
        // A record of the largest size that can be announced, and then nothing.
        b"\x16\x03\x01\xff\xff",
    ] {
        let refusal = refused_of(garbage);
        assert!(matches!(refusal.kind(), Kind::PermissionDenied | Kind::ConnectionLost), "{refusal:?}");
    }
}

/// A conversation that was good is cut off after each so many bytes.
#[test]
fn whoever_leaves_in_the_middle_of_a_handshake_leaves_nothing_behind() {
    let same = keys();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let tap = Wiretap::before(listener.endpoint().clone(), |_, _| {});
    let whole = thread::scope(|scope| {
        let served = scope.spawn(|| admit(listener.accept(Some(soon())).unwrap(), &same, soon()).unwrap());
        let joined = join(connect(tap.endpoint.clone(), Some(soon())).unwrap(), &same, None, soon()).unwrap();
        joined.stream.abort();
        served.join().unwrap().stream.abort();
        tap.heard().from_client
    });
    for end in (0..whole.len()).step_by(97) {
        let refusal = refused_of(&whole[..end]);
        assert!(
            matches!(refusal.kind(), Kind::PermissionDenied | Kind::ConnectionLost),
            "{end}: {refusal:?}"
        );
    }
}

/// A peer that has agreed on keys, and then says this.
fn after_tls(said: &[u8]) -> crate::Error {
    let (server, client) = (keys(), keys());
    let (client_side, server_side) = pair();
    thread::scope(|scope| {
        let judge = scope.spawn(|| admit(server_side, &server, soon()));
        let pins = vec![server.identity().unwrap().hash()];
        let Pinned { tls, .. } =
            pinned::client(client_side, &client.identity().unwrap(), pins, Some(soon())).unwrap();
        let stream = tls.into_stream();
        stream.write(said, Some(soon())).unwrap();
        // Nothing more is sent, and the end is not said: whoever waits for more waits in vain.
        judge.join().unwrap().unwrap_err()
    })
}

#[test]
fn a_first_message_of_more_than_a_kibibyte_is_refused_before_it_came() {
    let begun = Instant::now();
    let refusal = after_tls(&u16::MAX.to_le_bytes());
    assert!(refusal.message().contains("at most 1 KiB"), "{refusal}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_first_message_that_is_no_hello_is_refused() {
    for said in [
        &b"\x01\0\x09"[..],
        b"\x00\0",
        b"\x04\0\x01\xff\xff\xff",
        b"\x09\0\x01\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let refusal = after_tls(said);
        assert!(refusal.message().contains("does not speak as peers do"), "{refusal}");
    }
}

/// One byte at a time, each in time: only the whole has a limit.
#[test]
fn whoever_is_slow_is_out_when_the_time_is_over() {
    let (client, server) = pair();
    let dripping = thread::spawn(move || {
        let mut one = [0];
        // A hello that announces much. Nothing comes back, so each read is a pause.
        for byte in [22, 3, 1, 2, 0].into_iter().chain(std::iter::repeat(0)) {
            if client.write(&[byte], Some(soon())).is_err()
                || client.read(&mut one, Some(Instant::now() + Duration::from_millis(20))).is_ok()
            {
                return;
            }
        }
    });
    let begun = Instant::now();
    let refusal = admit(server, &keys(), begun + Duration::from_millis(300)).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Timeout, "{refusal:?}");
    assert!((300..2000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    dripping.join().unwrap();
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let (client, server) = pair();
    let begun = Instant::now();
    let refusal = join(client, &keys(), None, begun + Duration::from_millis(100)).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Timeout, "{refusal:?}");
    assert!(server.ready(Interest::Read, Some(soon())).unwrap(), "only it was silent");
}

/// Two conversations of the same two peers have different proofs, so a proof of yesterday is worth nothing today.
#[test]
fn a_proof_is_of_one_conversation() {
    let (server, client) = (keys(), keys());
    let ticket = server.issue(Scope::RUN, None, false).unwrap();
    let proof = || {
        let (client_side, server_side) = pair();
        thread::scope(|scope| {
            let other = scope
                .spawn(|| pinned::server(server_side, &server.identity().unwrap(), Some(soon())).unwrap());
            let (identity, pins) = (client.identity().unwrap(), vec![ticket.key()]);
            let Pinned { tls, peer } = pinned::client(client_side, &identity, pins, Some(soon())).unwrap();
            let bound =
                Bound { exported: tls.exported(LABEL).unwrap(), client: identity.hash(), server: peer };
            assert_eq!(bound.exported, other.join().unwrap().tls.exported(LABEL).unwrap());
            ticket.proof_key().prove(Role::Client, &bound)
        })
    };
    assert_ne!(proof(), proof());
}

#[test]
fn what_is_said_of_a_meeting_holds_no_secret() {
    let (server, client) = (keys(), keys());
    let ticket = server.issue(Scope::RUN, Some(Duration::ZERO), false).unwrap();
    let (admitted, joined) = meet(&server, &client, Some(&ticket));
    let text = ticket.reveal();
    let secret = &text[4 + 52..4 + 77];
    for said in
        [format!("{:?}", admitted.unwrap_err()), format!("{:?}", joined.unwrap_err()), format!("{ticket:?}")]
    {
        assert!(!said.contains(&secret[..8]) && !said.contains("ap1."), "{said}");
    }
    assert!(Moment::now() >= ticket.until().unwrap());
}
