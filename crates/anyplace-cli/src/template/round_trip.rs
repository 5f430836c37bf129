//! What goes in comes out, judged by real shells.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use proptest::prelude::*;

use super::*;

/// The value in all three kinds of quotes, one after the other.
const ALL_QUOTES: &str = r#"printf %s {}; printf %s "<{}>"; printf %s '({})'; printf %s $(printf a)"{}"'{}'"#;

fn wanted(value: &[u8]) -> Vec<u8> {
    [value, b"<", value, b">(", value, b")a", value, value].concat()
}

/// What a shell prints.
fn printed(shell: &str, arguments: &[OsString]) -> Vec<u8> {
    #[allow(clippy::disallowed_methods, reason = "the judge of this test is the shell itself")]
    let output = Command::new(shell).args(arguments).output().expect("the shell is installed");
    assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Text that shells have plans for is as likely as any other.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b"'\"\\$`(){}[]*?~!#&;|<> \t\n-=%\xff".to_vec());
    let hostile = prop::collection::vec(prop_oneof![special, 1..=255u8], 0..40);
    const INJECTIONS: &[&str] =
        &["$(touch pwned)", "`id`", "'; id; '", "\"; id; \"", "{}", "$1", "a  b\n", "-n", "\\", "%s"];
    prop_oneof![hostile, prop::sample::select(INJECTIONS).prop_map(|text| text.as_bytes().to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes without NUL pass through every shell unchanged, in all quotes.
    #[test]
    fn any_value_passes_every_shell_unchanged(value in any_value()) {
        let values = [OsString::from_vec(value.clone())];
        let job = Values { values: &values, number: 1, slot: 1 };
        for shell in ["sh", "dash", "bash"] {
            let template = Template::compile(&[ALL_QUOTES.into()], &Reader::Shell(shell.into()), 1).unwrap();
            prop_assert_eq!(printed(shell, &template.argv(&job)[1..]), wanted(&value));
        }
    }

    /// The line that `--dry-run` prints does the same when it is pasted.
    #[test]
    fn the_printed_line_does_the_same(value in any_value()) {
        let values = [OsString::from_vec(value.clone())];
        let job = Values { values: &values, number: 1, slot: 1 };
        let shell = Template::compile(&[ALL_QUOTES.into()], &Reader::Guess, 1).unwrap();
        let direct = Template::compile(&["printf".into(), "%s<%s>".into()], &Reader::Guess, 1).unwrap();
        for shell_name in ["sh", "dash", "bash"] {
            let pasted = |template: &Template| {
                printed(shell_name, &["-c".into(), OsStr::from_bytes(&template.line(&job)).to_owned()])
            };
            prop_assert_eq!(pasted(&shell), wanted(&value));
            prop_assert_eq!(pasted(&direct), [&value[..], b"<>"].concat());
        }
    }
}
