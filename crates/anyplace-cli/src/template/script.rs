//! A command that a shell executes, with values as its positional parameters.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::lexer::{self, Piece, Quotes};
use super::placeholder::Placeholder;
use super::quote::{is_plain, push_quoted};
use super::{Field, Values, resolve};
use crate::report::{Report, Result};

/// A script that names its values `$1`, `$2` and so on.
#[derive(Debug)]
pub(crate) struct Script {
    shell: OsString,
    /// The same for every job.
    text: OsString,
    /// What `$1`, `$2`, ... are.
    parameters: Vec<Field>,
    /// What the person typed, to print it with values in it.
    typed: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Vec<u8>),
    Fields(Vec<Field>, Quotes),
}

impl Script {
    /// Reads the command; appends `{}` to a simple one that has none.
    pub(super) fn compile(command: &[u8], shell: OsString, sources: usize) -> Result<Self> {
        let typed = parts(command, sources)?;
        let (text, parameters) = render(&typed);
        Ok(Self { shell, text: OsString::from_vec(text), parameters, typed })
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parameters.iter()
    }

    /// `sh -c TEXT sh VALUE...`: the second `sh` is `$0`, the name in the shell's own messages.
    pub(super) fn argv(&self, job: &Values<'_>) -> Vec<OsString> {
        let fixed = [self.shell.clone(), "-c".into(), self.text.clone(), self.shell.clone()];
        let values = self.parameters.iter().map(|field| OsString::from_vec(field.text(job).into_owned()));
        fixed.into_iter().chain(values).collect()
    }

    /// The command as it was typed, with quoted values in place of its placeholders.
    pub(super) fn line(&self, job: &Values<'_>) -> Vec<u8> {
        let mut line = Vec::new();
        for part in &self.typed {
            match part {
                Part::Text(text) => line.extend_from_slice(text),
                Part::Fields(fields, quotes) => push_values(&mut line, fields, *quotes, job),
            }
        }
        line
    }
}

fn parts(command: &[u8], sources: usize) -> Result<Vec<Part>> {
    let script = lexer::read(command)?;
    let mut parts = Vec::with_capacity(script.pieces.len() + 2);
    let mut has_hole = false;
    for piece in script.pieces {
        parts.push(match piece {
            Piece::Text(text) => Part::Text(text),
            Piece::Hole(placeholder, quotes) => {
                has_hole = true;
                Part::Fields(resolve(placeholder, sources)?, quotes)
            }
        });
    }
    if has_hole {
        return Ok(parts);
    }
    if script.composed {
        return Err(Report::usage(
            "the command has several parts and no {}, so it is not known which wants the value",
        )
        .help("write {} where the value goes, or put `: {};` in front to use it nowhere"));
    }
    parts.push(Part::Text(b" ".to_vec()));
    parts.push(Part::Fields(resolve(Placeholder::WHOLE, sources)?, Quotes::None));
    Ok(parts)
}

/// The script's text, and what its parameters are; the same field is the same parameter everywhere.
fn render(typed: &[Part]) -> (Vec<u8>, Vec<Field>) {
    let (mut text, mut parameters) = (Vec::new(), Vec::new());
    for (index, part) in typed.iter().enumerate() {
        match part {
            Part::Text(more) => text.extend_from_slice(more),
            Part::Fields(fields, quotes) => {
                let next = match typed.get(index + 1) {
                    Some(Part::Text(text)) => text.first().copied(),
                    _ => None,
                };
                let names: Vec<_> = fields.iter().map(|&field| name(&mut parameters, field, next)).collect();
                text.extend_from_slice(in_quotes(&names, *quotes).as_bytes());
            }
        }
    }
    (text, parameters)
}

/// `$1`, or `${1}` where what follows could be read as a part of the name (`$10` is `${1}0` in POSIX, `$1[` a
/// subscript in zsh).
fn name(parameters: &mut Vec<Field>, field: Field, next: Option<u8>) -> String {
    let index = parameters.iter().position(|known| *known == field).unwrap_or_else(|| {
        parameters.push(field);
        parameters.len() - 1
    });
    let number = index + 1;
    let ends_name = next.is_none_or(|next| next.is_ascii_whitespace() || b"\"';|&()<>./,".contains(&next));
    match number < 10 && ends_name {
        true => format!("${number}"),
        false => format!("${{{number}}}"),
    }
}

fn in_quotes(names: &[String], quotes: Quotes) -> String {
    match quotes {
        Quotes::None => format!("\"{}\"", names.join("\" \"")),
        Quotes::Double => names.join(" "),
        Quotes::Single => format!("'\"{}\"'", names.join(" ")),
    }
}

/// Values in quotes of their own, so that the line means what the script does.
fn push_values(line: &mut Vec<u8>, fields: &[Field], quotes: Quotes, job: &Values<'_>) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            line.push(b' ');
        }
        let value = field.text(job);
        match quotes {
            Quotes::None => push_quoted(line, &value),
            _ if value.is_empty() || is_plain(&value) => line.extend_from_slice(&value),
            Quotes::Double => push_between(line, b'"', &value),
            Quotes::Single => push_between(line, b'\'', &value),
        }
    }
}

/// Closes the quote that is open, gives the value quotes of its own, and opens the quote again.
fn push_between(line: &mut Vec<u8>, quote: u8, value: &[u8]) {
    line.push(quote);
    push_quoted(line, value);
    line.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(command: &str, sources: usize) -> Script {
        Script::compile(command.as_bytes(), "sh".into(), sources).unwrap()
    }

    fn argv(command: &str, values: &[&str]) -> Vec<OsString> {
        let values: Vec<OsString> = values.iter().map(Into::into).collect();
        script(command, values.len()).argv(&Values { values: &values, number: 7, slot: 2 })
    }

    fn line(command: &str, value: &str) -> String {
        let job = Values { values: &[value.into()], number: 1, slot: 1 };
        String::from_utf8(script(command, 1).line(&job)).unwrap()
    }

    #[test]
    fn values_travel_as_parameters() {
        let argv = argv("gzip -c {} > {.}.gz", &["a b.txt"]);
        assert_eq!(argv, ["sh", "-c", r#"gzip -c "$1" > "$2".gz"#, "sh", "a b.txt", "a b"]);
    }

    #[test]
    fn each_kind_of_quotes_names_the_parameter_its_own_way() {
        assert_eq!(argv("echo {} \"-{}-\" '{}'", &["v"])[2], r#"echo "$1" "-${1}-" ''"$1"''"#);
        assert_eq!(argv("echo \"{}0 {}x {}\"", &["v"])[2], r#"echo "${1}0 ${1}x $1""#);
        assert_eq!(argv("echo {} \"{}\" '{}'", &["a", "b"])[2], r#"echo "$1" "$2" "$1 $2" ''"$1 $2"''"#);
    }

    #[test]
    fn the_tenth_parameter_needs_braces() {
        let values: Vec<String> = (1..=10).map(|n| n.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(argv("echo {10} {1}", &values)[2], r#"echo "$1" "$2""#);
        assert!(argv("echo {}", &values)[2].to_str().unwrap().ends_with(r#""$9" "${10}""#));
    }

    #[test]
    fn values_are_appended_to_a_simple_command_only() {
        assert_eq!(argv("wc -l", &["f"])[2], r#"wc -l "$1""#);
        let error = Script::compile(b"echo a; echo b", "sh".into(), 1).unwrap_err();
        insta::assert_snapshot!(error, @"
        error: the command has several parts and no {}, so it is not known which wants the value
         help: write {} where the value goes, or put `: {};` in front to use it nowhere
        ");
    }

    #[test]
    fn the_line_to_paste_has_the_values_in_quotes_of_their_own() {
        assert_eq!(line("echo {} > {.}.o", "a.c"), "echo a.c > a.o");
        assert_eq!(
            line("echo {} \"<{}>\" '<{}>'", "it's"),
            r#"echo 'it'\''s' "<"'it'\''s'">" '<''it'\''s''>'"#
        );
        assert_eq!(line("echo \"{}\" {}", ""), "echo \"\" ''");
    }
}
