//! A command that is executed without a shell.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::placeholder::Placeholder;
use super::quote::{is_plain, push_quoted};
use super::{Field, Values, resolve};
use crate::report::Result;

/// Words with placeholders in them.
#[derive(Debug)]
pub(crate) struct Direct {
    words: Vec<Vec<Piece>>,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    /// One word for each of them.
    Fields(Vec<Field>),
}

impl Direct {
    /// Cuts the words at their placeholders; appends `{}` if there is none.
    pub(super) fn compile(words: &[OsString], sources: usize) -> Result<Self> {
        let words: Result<Vec<_>> = words.iter().map(|word| pieces(word.as_bytes(), sources)).collect();
        let mut direct = Self { words: words? };
        if direct.fields().next().is_none() {
            direct.words.push(vec![Piece::Fields(resolve(Placeholder::WHOLE, sources)?)]);
        }
        Ok(direct)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.words.iter().flatten().flat_map(|piece| match piece {
            Piece::Text(_) => [].iter(),
            Piece::Fields(fields) => fields.iter(),
        })
    }

    pub(super) fn argv(&self, job: &Values<'_>) -> Vec<OsString> {
        let mut argv = Vec::with_capacity(self.words.len());
        for word in &self.words {
            push_words(&mut argv, word, job);
        }
        argv
    }

    pub(super) fn line(&self, job: &Values<'_>) -> Vec<u8> {
        let mut line = Vec::new();
        for word in self.argv(job) {
            if !line.is_empty() {
                line.push(b' ');
            }
            push_word(&mut line, word.as_bytes());
        }
        line
    }
}

/// `=` makes an assignment of the first word only; later, as in `--depth=2`, it is plain.
fn push_word(line: &mut Vec<u8>, word: &[u8]) {
    let is_first = line.is_empty();
    let all_plain = word.split(|&byte| byte == b'=').all(|part| part.is_empty() || is_plain(part));
    match all_plain && !word.is_empty() && !is_first {
        true => line.extend_from_slice(word),
        false => push_quoted(line, word),
    }
}

fn pieces(word: &[u8], sources: usize) -> Result<Vec<Piece>> {
    let (mut pieces, mut text, mut at) = (Vec::new(), Vec::new(), 0);
    while at < word.len() {
        match Placeholder::read(&word[at..]) {
            Some((placeholder, length)) => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Fields(resolve(placeholder, sources)?));
                at += length;
            }
            None => {
                text.push(word[at]);
                at += 1;
            }
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

/// `pre{}post` with two sources gives the words `preA` and `Bpost`, as a shell would make of `pre"$1" "$2"post`.
fn push_words(argv: &mut Vec<OsString>, word: &[Piece], job: &Values<'_>) {
    let mut current = Vec::new();
    for piece in word {
        match piece {
            Piece::Text(text) => current.extend_from_slice(text),
            Piece::Fields(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        argv.push(OsString::from_vec(std::mem::take(&mut current)));
                    }
                    current.extend_from_slice(&field.text(job));
                }
            }
        }
    }
    argv.push(OsString::from_vec(current));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(words: &[&str], sources: usize) -> Direct {
        Direct::compile(&words.iter().map(Into::into).collect::<Vec<_>>(), sources).unwrap()
    }

    fn argv(words: &[&str], values: &[&str]) -> Vec<OsString> {
        let values: Vec<OsString> = values.iter().map(Into::into).collect();
        direct(words, values.len()).argv(&Values { values: &values, number: 7, slot: 2 })
    }

    fn line(words: &[&str], value: &str) -> String {
        let job = Values { values: &[value.into()], number: 1, slot: 1 };
        String::from_utf8(direct(words, 1).line(&job)).unwrap()
    }

    #[test]
    fn values_are_appended_where_no_placeholder_is() {
        assert_eq!(argv(&["echo", "x"], &["a b"]), ["echo", "x", "a b"]);
        assert_eq!(argv(&["echo"], &["a", "1"]), ["echo", "a", "1"]);
    }

    #[test]
    fn placeholders_are_filled_anywhere_and_repeatedly() {
        assert_eq!(argv(&["cp", "{}", "out/{/.}-{#}.{%}"], &["d/x.c"]), ["cp", "d/x.c", "out/x-7.2"]);
        assert_eq!(argv(&["echo", "{2}-{1}"], &["r", "S"]), ["echo", "S-r"]);
        assert_eq!(argv(&["echo", "pre{}post"], &["a", "b"]), ["echo", "prea", "bpost"]);
    }

    #[test]
    fn placeholders_in_values_are_not_filled_again() {
        assert_eq!(argv(&["echo", "{}{}"], &["{#}"]), ["echo", "{#}{#}"]);
    }

    #[test]
    fn the_line_to_paste_quotes_what_a_shell_would_read() {
        assert_eq!(line(&["echo", "{}"], "a b"), "echo 'a b'");
        assert_eq!(line(&["du", "--max-depth=2", "{}"], "x"), "du --max-depth=2 x");
        assert_eq!(line(&["a=b", "{}"], "c=;d"), "'a=b' 'c=;d'");
        assert_eq!(line(&["echo"], ""), "echo ''");
    }
}
