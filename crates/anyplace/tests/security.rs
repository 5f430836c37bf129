//! Foreign programs at our doors, and ours at theirs: OpenSSL's command, and Python's `ssl`.
#![allow(clippy::disallowed_methods, reason = "foreign peers are programs")]

use anyplace::keys::{Keys, Scope, admit, join};
use anyplace::net::{
    Interest, Listener, Options, Stream, Trust, connect, connect_with, listen, tls, wait_any,
};
use anyplace::work::Work;
use anyplace::{Error, Kind, Place, Registry, Setup, TaskOptions};
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn door() -> Listener {
    listen("tcp://127.0.0.1:0").unwrap()
}

fn port(listener: &Listener) -> String {
    listener.endpoint().to_string().rsplit(':').next().unwrap().to_owned()
}

/// A program that is ended with its test, whatever happens.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(name: &str, arguments: &[&str]) -> Program {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Program(command.spawn().unwrap_or_else(|error| panic!("{name} must be installed: {error}")))
}

/// What OpenSSL's client says when it comes to our door with these arguments, and what we say of it.
fn openssl_at_our_door(arguments: &[&str], says: &[u8]) -> (String, Error) {
    let (listener, keys) = (door(), Keys::in_memory());
    let at = format!("127.0.0.1:{}", port(&listener));
    let client = start("openssl", &[&["s_client", "-connect", &at], arguments].concat());
    talk(client, says, || admit(listener.accept(Some(soon())).unwrap(), &keys, soon()).unwrap_err())
}

/// Both say what they have to, at the same time; the program says this, and then hears what we do.
fn talk(mut program: Program, says: &[u8], we: impl FnOnce() -> Error) -> (String, Error) {
    let mut input = program.0.stdin.take().unwrap();
    let (mut out, mut errors) = (program.0.stdout.take().unwrap(), program.0.stderr.take().unwrap());
    thread::scope(|scope| {
        let reader = |stream: &mut dyn Read| {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (out, errors) = (scope.spawn(move || reader(&mut out)), scope.spawn(move || reader(&mut errors)));
        // It may have been refused before it could say anything.
        drop(input.write_all(says));
        let refusal = we();
        drop(input);
        (out.join().unwrap() + &errors.join().unwrap(), refusal)
    })
}

#[test]
fn an_offer_of_tls_1_2_is_refused() {
    for version in ["-tls1_2", "-tls1_1", "-tls1"] {
        // Security level 0, or OpenSSL itself would refuse to offer the oldest.
        let (said, refusal) = openssl_at_our_door(&[version, "-cipher", "ALL:@SECLEVEL=0"], b"");
        assert!(said.contains("SSL alert number") && said.contains("(NONE)"), "{version}: {said}");
        assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
    }
}

#[test]
fn whoever_shows_no_certificate_is_refused() {
    let (said, refusal) = openssl_at_our_door(&["-tls1_3", "-alpn", "anyplace/1"], b"hello\n");
    assert!(said.contains("alert certificate required"), "{said}");
    assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
}

#[test]
fn whoever_speaks_another_protocol_is_refused() {
    let (said, refusal) = openssl_at_our_door(&["-tls1_3", "-alpn", "h2,http/1.1"], b"");
    assert!(said.contains("alert no application protocol"), "{said}");
    assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
}

/// Whatever the mode of the socket, the kernel says who comes.
#[test]
#[allow(clippy::print_stderr, reason = "a trial that cannot be made says so")]
fn another_user_is_refused_at_a_unix_socket() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("only root can start a process of another user: nothing was tried");
    }
    let folder = tempfile::tempdir().unwrap();
    let open_to_all = |path: &Path| std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("door.sock");
    let listener = listen(format!("unix:{}", path.display())).unwrap();
    open_to_all(folder.path());
    open_to_all(&path);
    const NOBODY: u32 = 65_534;
    let script = "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ARGV[0]) or die; print <$s>";
    let mut command = Command::new("perl");
    command.args(["-e", script]).arg(&path).uid(NOBODY).gid(NOBODY).current_dir("/").stdout(Stdio::piped());
    let mut stranger = Program(command.spawn().unwrap());
    let refusal = admit(listener.accept(Some(soon())).unwrap(), &Keys::in_memory(), soon()).unwrap_err();
    assert_eq!(refusal.kind(), Kind::PermissionDenied);
    assert!(refusal.message().contains("of user 65534"), "{refusal}");
    let mut heard = Vec::new();
    stranger.0.stdout.take().unwrap().read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"", "nothing is said to them");
}

/// Has the place run a program.
fn run(place: &Place) -> Result<(), Error> {
    let command = anyplace::work::Command::new(["true"]);
    place.submit_work(Work::Command(command), TaskOptions::default())?.wait().map(drop)
}

/// A place whose keys are in this folder.
fn place(address: impl Into<String>, keys: PathBuf) -> Result<Place, Error> {
    Registry::standard().with_setup(Setup { keys: Some(keys), ..Setup::default() }).open(address.into())
}

/// Not only at the door: a conversation that goes on ends, too.
#[test]
fn whoever_is_revoked_is_out_while_they_talk() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("server"), folder.path().join("client"));
    let offer = place("processes:1", theirs.clone()).unwrap().offer("tcp://127.0.0.1:0").unwrap();
    let client = place(offer.address().reveal(), ours.clone()).unwrap();
    run(&client).unwrap();
    let keys = Keys::new(Some(theirs));
    let [row] = &keys.authorized().unwrap()[..] else { panic!("one was enrolled") };
    keys.revoke(&row.key.to_string()).unwrap();
    let until = soon();
    let refusal = loop {
        match run(&client) {
            Ok(()) => assert!(Instant::now() < until, "nobody looks"),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
    assert!(refusal.message().contains("revoked"), "{refusal:?}");
    let again = place(offer.address().reveal(), ours).and_then(|place| run(&place));
    assert!(again.unwrap_err().message().contains("revoked"));
    assert_eq!(offer.clients(), 0);
}

#[test]
fn a_place_is_not_offered_on_a_table_that_would_let_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("authorized_peers");
    std::fs::write(&table, "somebody\n").unwrap();
    std::fs::set_permissions(&table, Permissions::from_mode(0o600)).unwrap();
    let offered = place("processes:1", folder.path().to_owned()).unwrap().offer("tcp://127.0.0.1:0");
    assert!(offered.unwrap_err().message().contains("line 1 of the keys' file `authorized_peers`"));
}

/// A key and its self-signed certificate, as OpenSSL makes them; and for which kind of key.
fn certificate(folder: &Path, algorithm: &str) -> [String; 2] {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [key, certificate] = [file("key.pem"), file("certificate.pem")];
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            algorithm,
            "-days",
            "2",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    [key, certificate]
}

#[test]
fn a_certificate_that_anybody_can_make_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [key, certificate] = certificate(folder.path(), "ed25519");
    let arguments = ["-tls1_3", "-alpn", "anyplace/1", "-key", &key, "-cert", &certificate];
    // It is let as far as to say who it is, and says something else: the first two letters announce some 17 KiB.
    let (said, refusal) = openssl_at_our_door(&arguments, b"GET / HTTP/1.1\r\n\r\n");
    assert!(said.contains("TLS_AES") && said.contains("CN = anyplace"), "{said}");
    assert!(refusal.message().contains("at most 1 KiB"), "{refusal:?}");
    // It says hello as it should, without a ticket, and hears no more than that it is refused.
    let hello = [&b"\x0d\0\x01\x03\0\0\0\0\0\0\0eve\0"[..], b"\n"].concat();
    let (said, refusal) = openssl_at_our_door(&[&arguments[..], &["-quiet"]].concat(), &hello);
    assert!(refusal.message().contains("no key that is known here, and no ticket"), "{refusal:?}");
    assert!(said.contains("\u{2}\0\u{3}\0"), "{said:?}");
}

#[test]
fn keys_of_other_kinds_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let [key, certificate] = certificate(folder.path(), "rsa:2048");
    let arguments = ["-tls1_3", "-alpn", "anyplace/1", "-key", &key, "-cert", &certificate];
    let (said, refusal) = openssl_at_our_door(&arguments, b"");
    assert!(said.contains("error") || said.contains("alert"), "{said}");
    assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
}

const PYTHON_CLIENT: &str = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
if sys.argv[2] == 'old':
    context.maximum_version = ssl.TLSVersion.TLSv1_2
try:
    with context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1])))) as stream:
        print(stream.version())
        stream.sendall(b'\\0' * 100_000)
        print(stream.recv(10))
except OSError as error:
    print(type(error).__name__, error)
";

#[test]
fn pythons_tls_gets_no_further() {
    for how in ["old", "new"] {
        let (listener, keys) = (door(), Keys::in_memory());
        let python = start("python3", &["-c", PYTHON_CLIENT, &port(&listener), how]);
        let we = || admit(listener.accept(Some(soon())).unwrap(), &keys, soon()).unwrap_err();
        let (said, refusal) = talk(python, b"", we);
        assert!(said.contains("Error") && !said.contains("b'"), "nothing is said to it: {said}");
        assert!(matches!(refusal.kind(), Kind::PermissionDenied | Kind::ConnectionLost), "{refusal:?}");
    }
}

/// Any TLS server, and what it hears.
const PYTHON_SERVER: &str = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[1])
if sys.argv[3] == 'old':
    context.maximum_version = ssl.TLSVersion.TLSv1_2
with socket.create_server(('127.0.0.1', 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    stream, _ = listener.accept()
try:
    with context.wrap_socket(stream, server_side=True) as stream:
        heard = b''
        while some := stream.recv(65536):
            heard += some
        # It is finished, and can still listen.
        stream.sendall(heard[::-1])
        stream.unwrap()
        print(len(heard))
except OSError as error:
    print(type(error).__name__, error)
";

fn python_server(keys: &[String; 2], how: &str) -> (Program, BufReader<ChildStdout>, Stream) {
    let (server, out, port) = python_server_at(keys, how);
    (server, out, connect(format!("tcp://127.0.0.1:{port}"), Some(soon())).unwrap())
}

fn python_server_at(keys: &[String; 2], how: &str) -> (Program, BufReader<ChildStdout>, u16) {
    let mut server = start("python3", &["-c", PYTHON_SERVER, &keys[0], &keys[1], how]);
    let mut out = BufReader::new(server.0.stdout.take().unwrap());
    let mut port = String::new();
    out.read_line(&mut port).unwrap();
    (server, out, port.trim().parse().unwrap())
}

#[test]
fn a_ticket_is_not_shown_to_a_server_that_others_would_trust() {
    let folder = tempfile::tempdir().unwrap();
    let pair = certificate(folder.path(), "ed25519");
    let (issuer, client) = (Keys::in_memory(), Keys::in_memory());
    let ticket = issuer.issue(Scope::default(), None, false).unwrap();
    for how in ["old", "new"] {
        let (_server, mut out, stream) = python_server(&pair, how);
        let refusal = join(stream, &client, Some(&ticket), soon()).unwrap_err();
        assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
        let mut heard = String::new();
        out.read_line(&mut heard).unwrap();
        assert!(heard.contains("Error"), "it heard something: {heard}");
    }
}

fn foreign(folder: &Path) -> ([String; 2], Trust) {
    let pair = certificate(folder, "ed25519");
    let trust = Trust::File(pair[1].clone().into());
    (pair, trust)
}

#[test]
fn a_foreign_server_can_be_listened_to_after_we_have_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, trust) = foreign(folder.path());
    let options = Options::default().with_trust(trust);
    for name in ["localhost", "127.0.0.1"] {
        let (_server, mut out, port) = python_server_at(&pair, "new");
        let stream = connect_with(format!("tls://{name}:{port}"), &options, Some(soon())).unwrap();
        assert_eq!(stream.endpoint().to_string(), format!("tls://{name}:{port}"));
        let said: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
        stream.write(&said, Some(soon())).unwrap();
        stream.finish(Some(soon())).unwrap();
        let (mut heard, mut some) = (Vec::<u8>::new(), [0; 65_536]);
        while let read @ 1.. = stream.read(&mut some, Some(soon())).unwrap() {
            heard.extend(&some[..read]);
        }
        assert!(heard.iter().rev().eq(&said), "{} bytes came back", heard.len());
        stream.abort();
        let mut length = String::new();
        out.read_line(&mut length).unwrap();
        assert_eq!(length.trim(), "1000000");
    }
}

#[test]
fn a_foreign_server_is_an_endpoint_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, trust) = foreign(folder.path());
    let options = Options::default().with_trust(trust);
    let (_server, _out, port) = python_server_at(&pair, "new");
    let stream = connect_with(format!("tls://localhost:{port}"), &options, Some(soon())).unwrap();
    assert_eq!(stream.peer().unwrap().unwrap().to_string(), format!("tcp://127.0.0.1:{port}"));
    stream.write(b"stressed", Some(soon())).unwrap();
    stream.finish(Some(soon())).unwrap();
    let mut byte = [0];
    assert_eq!(stream.read(&mut byte, Some(soon())).unwrap(), 1);
    // The rest is kept by the session, of which the descriptor knows nothing.
    assert_eq!(wait_any(&[(&stream, Interest::Read)], Some(soon())).unwrap(), [0]);
    assert_eq!(stream.read_to_end(99, Some(soon())).unwrap(), b"esserts"[..]);
    let (_server, _out, port) = python_server_at(&pair, "new");
    let refusal = connect(format!("tls://localhost:{port}"), Some(soon())).unwrap_err();
    assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
}

#[test]
fn a_foreign_server_for_which_nobody_vouches_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, trust) = foreign(folder.path());
    for (name, trust) in [("localhost", &Trust::Machine), ("example.org", &trust)] {
        let (_server, _out, stream) = python_server(&pair, "new");
        let refusal = tls(stream, name, trust, Some(soon())).unwrap_err();
        assert_eq!(refusal.kind(), Kind::PermissionDenied, "{refusal:?}");
        assert!(refusal.help().unwrap().contains("Trust::File"), "{refusal:?}");
    }
    let (_server, _out, stream) = python_server(&pair, "old");
    assert_eq!(tls(stream, "localhost", &trust, Some(soon())).unwrap_err().kind(), Kind::ConnectionLost);
}

#[test]
fn a_file_without_authorities_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("empty", ""), ("other", "ed25519 abc"), ("broken", "-----BEGIN CERTIFICATE-----\nx\n")]
    {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let listener = door();
        let stream = connect(listener.endpoint().clone(), Some(soon())).unwrap();
        let refusal = tls(stream, "localhost", &Trust::File(file), Some(soon())).unwrap_err();
        assert_eq!(refusal.kind(), Kind::ConfigInvalid, "{refusal:?}");
    }
}
