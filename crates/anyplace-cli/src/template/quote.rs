//! Writes a value so that a shell reads it back as it was.

/// Appends `value` in the quotes that POSIX shells need, and in none where it needs none.
///
/// Only single quotes are used: nothing has a meaning in them, also not `!` in an interactive bash.
pub(crate) fn push_quoted(line: &mut Vec<u8>, value: &[u8]) {
    if is_plain(value) {
        return line.extend_from_slice(value);
    }
    line.push(b'\'');
    for &byte in value {
        match byte {
            b'\'' => line.extend_from_slice(br"'\''"),
            _ => line.push(byte),
        }
    }
    line.push(b'\'');
}

/// No shell gives any of these bytes a meaning.
pub(crate) fn is_plain(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        let quoted = |value: &str| {
            let mut line = Vec::new();
            push_quoted(&mut line, value.as_bytes());
            String::from_utf8(line).unwrap()
        };
        assert_eq!(quoted("dir/a-b_1.gz"), "dir/a-b_1.gz");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(touch pwned)"), "'$(touch pwned)'");
        assert_eq!(quoted("~"), "'~'");
    }
}
