//! Reads a shell command and says for each placeholder in which quotes it stands.
//!
//! A value must never become part of the script: it travels as a positional parameter, and the script only names
//! it. How to name it depends on the quotes around the placeholder, so the lexer tracks them as POSIX (XCU 2.2,
//! 2.3, 2.6) and bash define them. Where the quotes cannot be known for certain, or where the shell would
//! interpret even a parameter, a placeholder is refused; everything else is passed on unread.

use super::placeholder::Placeholder;
use crate::report::{Report, Result};

/// A shell command cut at its placeholders.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) pieces: Vec<Piece>,
    /// It consists of more than one simple command, or ends in a comment: nothing may be appended to it.
    pub(crate) composed: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Vec<u8>),
    Hole(Placeholder, Quotes),
}

/// What stands around a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    None,
    Double,
    Single,
}

/// Reads `text`.
///
/// # Errors
/// A placeholder stands where a value cannot be passed safely, or a quote is never closed.
pub(crate) fn read(text: &[u8]) -> Result<Script> {
    let mut lexer = Lexer::new(text);
    while lexer.at < text.len() {
        lexer.step()?;
    }
    lexer.finish()
}

/// Where in the shell's grammar a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside quotes; inside `$(...)` it knows how many parentheses are open.
    Plain {
        substitution: bool,
        parentheses: u32,
    },
    Double,
    Single,
    /// `# ...` to the end of the line.
    Comment,
    /// `$'...'`, which has escapes in bash and none in dash.
    DollarSingle,
    /// `${...}`; inside double quotes a single quote means nothing special, or does: shells differ.
    Parameter {
        in_double: bool,
    },
    /// `$((...))` and `((...))`.
    Arithmetic {
        parentheses: u32,
    },
    Backquotes,
    /// From here on nothing is certain, and this is why.
    Unsure(&'static str),
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    states: Vec<State>,
    /// The bytes since the last placeholder.
    plain: Vec<u8>,
    pieces: Vec<Piece>,
    here_document: bool,
    composed: bool,
}

const TOP: State = State::Plain { substitution: false, parentheses: 0 };

impl<'a> Lexer<'a> {
    fn new(text: &'a [u8]) -> Self {
        let (states, plain, pieces) = (vec![TOP], Vec::new(), Vec::new());
        Self { text, at: 0, states, plain, pieces, here_document: false, composed: false }
    }

    /// Reads one placeholder, or as many bytes as belong together.
    fn step(&mut self) -> Result<()> {
        if let Some((placeholder, length)) = Placeholder::read(&self.text[self.at..]) {
            return self.placeholder(placeholder, length);
        }
        match self.state() {
            State::Plain { .. } => self.plain(),
            State::Double => self.double(),
            State::Single => self.until(b"'"),
            State::Comment => self.comment(),
            State::DollarSingle => self.dollar_single(),
            State::Parameter { in_double } => self.parameter(in_double),
            State::Arithmetic { parentheses } => self.arithmetic(parentheses),
            State::Backquotes => self.backquotes(),
            State::Unsure(_) => self.take(1),
        }
        Ok(())
    }

    fn placeholder(&mut self, placeholder: Placeholder, length: usize) -> Result<()> {
        let quotes = match self.state() {
            State::Plain { .. } => Quotes::None,
            State::Double => Quotes::Double,
            State::Single => Quotes::Single,
            State::Comment => {
                self.take(length);
                return Ok(());
            }
            // Digits that are ours, and nothing a shell would evaluate.
            State::Arithmetic { .. } if placeholder.is_about_job() => Quotes::Double,
            State::DollarSingle => return Err(refused(placeholder, "$'...'")),
            State::Parameter { .. } => return Err(refused(placeholder, "${...}")),
            State::Arithmetic { .. } => return Err(refused(placeholder, "arithmetic")),
            State::Backquotes => return Err(refused(placeholder, "backquotes")),
            State::Unsure(reason) => return Err(refused(placeholder, reason)),
        };
        self.at += length;
        self.flush();
        self.pieces.push(Piece::Hole(placeholder, quotes));
        Ok(())
    }

    fn plain(&mut self) {
        let starts_word = self.starts_word();
        match self.text[self.at] {
            b'\\' => self.take(2),
            b'\'' => self.enter(1, State::Single),
            b'"' => self.enter(1, State::Double),
            b'`' => self.enter(1, State::Backquotes),
            b'#' if starts_word => self.enter(1, State::Comment),
            b'$' => self.dollar(false),
            b'<' if self.sees(b"<<<") => self.take(3),
            b'<' if self.sees(b"<<") => {
                self.here_document = true;
                self.operator(2);
            }
            b'(' if self.sees(b"((") => self.enter_composed(2, State::Arithmetic { parentheses: 2 }),
            b'(' => self.parenthesis(1),
            b')' => self.parenthesis(-1),
            b'\n' => self.line_end(),
            b';' | b'&' | b'|' | b'<' | b'>' => self.operator(1),
            b'c' if starts_word && self.sees(b"case") => self.case(),
            _ => self.take(1),
        }
    }

    fn double(&mut self) {
        match self.text[self.at] {
            b'\\' => self.take(2),
            b'"' => self.leave(1),
            b'`' => self.enter(1, State::Backquotes),
            b'$' => self.dollar(true),
            _ => self.take(1),
        }
    }

    fn dollar(&mut self, in_double: bool) {
        if self.sees(b"$((") {
            self.enter(3, State::Arithmetic { parentheses: 2 });
        } else if self.sees(b"$(") {
            self.enter(2, State::Plain { substitution: true, parentheses: 1 });
        } else if self.sees(b"${") {
            self.enter(2, State::Parameter { in_double });
        } else if self.sees(b"$'") && !in_double {
            self.enter(2, State::DollarSingle);
        } else {
            self.take(1);
        }
    }

    fn comment(&mut self) {
        match self.text[self.at] {
            b'\n' => {
                self.states.pop();
                self.line_end();
            }
            _ => self.take(1),
        }
    }

    /// With a backslash in it, bash and dash disagree on where it ends.
    fn dollar_single(&mut self) {
        match self.text[self.at] {
            b'\\' => self.lose("a text after $'...' with an escape"),
            _ => self.until(b"'"),
        }
    }

    fn parameter(&mut self, in_double: bool) {
        match self.text[self.at] {
            b'\\' => self.take(2),
            b'}' => self.leave(1),
            b'"' => self.enter(1, State::Double),
            b'`' => self.enter(1, State::Backquotes),
            b'\'' if in_double => self.lose("a text after a single quote in \"${...}\""),
            b'\'' => self.enter(1, State::Single),
            b'$' => self.dollar(in_double),
            _ => self.take(1),
        }
    }

    fn arithmetic(&mut self, parentheses: u32) {
        let now = match self.text[self.at] {
            b'\'' | b'"' | b'`' | b'\\' => return self.lose("a text after quotes in ((...))"),
            b'(' => parentheses + 1,
            b')' => parentheses - 1,
            _ => parentheses,
        };
        self.take(1);
        match now {
            0 => drop(self.states.pop()),
            parentheses => self.replace(State::Arithmetic { parentheses }),
        }
    }

    fn backquotes(&mut self) {
        match self.text[self.at] {
            b'\\' => self.take(2),
            _ => self.until(b"`"),
        }
    }

    /// Only inside `$(...)` does it matter how many are open: there the last one ends it.
    fn parenthesis(&mut self, by: i32) {
        self.operator(1);
        if let State::Plain { substitution: true, parentheses } = self.state() {
            match parentheses.saturating_add_signed(by) {
                0 => drop(self.states.pop()),
                parentheses => self.replace(State::Plain { substitution: true, parentheses }),
            }
        }
    }

    /// The patterns of `case` have parentheses that close what was never opened.
    fn case(&mut self) {
        match self.state() {
            State::Plain { substitution: true, .. } => self.lose("a text after case in $(...)"),
            _ => {
                self.composed = true;
                self.take(4);
            }
        }
    }

    fn line_end(&mut self) {
        self.operator(1);
        if self.here_document {
            self.states.push(State::Unsure("a here-document"));
        }
    }

    /// An operator in a substitution does not make several commands of the whole.
    fn operator(&mut self, length: usize) {
        self.composed |= self.states.len() == 1;
        self.take(length);
    }

    fn enter_composed(&mut self, length: usize, state: State) {
        self.composed |= self.states.len() == 1;
        self.enter(length, state);
    }

    fn enter(&mut self, length: usize, state: State) {
        self.take(length);
        self.states.push(state);
    }

    fn leave(&mut self, length: usize) {
        self.take(length);
        self.states.pop();
    }

    fn replace(&mut self, state: State) {
        *self.states.last_mut().expect("never empty") = state;
    }

    fn lose(&mut self, reason: &'static str) {
        self.take(1);
        self.states.push(State::Unsure(reason));
    }

    /// One byte, which ends the state if it is `end`.
    fn until(&mut self, end: &[u8]) {
        match self.sees(end) {
            true => self.leave(1),
            false => self.take(1),
        }
    }

    fn take(&mut self, length: usize) {
        let end = self.text.len().min(self.at + length);
        self.plain.extend_from_slice(&self.text[self.at..end]);
        self.at = end;
    }

    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.plain)));
        }
    }

    fn state(&self) -> State {
        *self.states.last().expect("never empty")
    }

    fn sees(&self, what: &[u8]) -> bool {
        self.text[self.at..].starts_with(what)
    }

    fn starts_word(&self) -> bool {
        // A placeholder right before is a part of the same word.
        match self.plain.last() {
            None => self.pieces.is_empty(),
            Some(before) => b" \t\n;&|()<>".contains(before),
        }
    }

    fn finish(mut self) -> Result<Script> {
        self.flush();
        let open = match self.state() {
            State::Single | State::DollarSingle => Some("a single quote"),
            State::Double => Some("a double quote"),
            State::Backquotes => Some("a backquote"),
            State::Parameter { .. } => Some("${"),
            State::Arithmetic { .. } => Some("(("),
            State::Plain { substitution: true, .. } => Some("$("),
            State::Plain { .. } => None,
            State::Comment | State::Unsure(_) => {
                self.composed = true;
                None
            }
        };
        match open {
            Some(what) => Err(Report::usage(format!("{what} is opened in the command and never closed"))
                .help("close it, or put a backslash in front of it")),
            None => Ok(Script { pieces: self.pieces, composed: self.composed }),
        }
    }
}

fn refused(placeholder: Placeholder, place: &str) -> Report {
    Report::usage(format!("{placeholder} stands in {place}, where a value cannot be passed safely"))
        .help(format!("give the value a name first, as in: v={placeholder}; ... and use \"$v\" there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quotes of each placeholder, as `-`, `"` or `'`.
    fn quotes(text: &str) -> String {
        let letter = |piece: &Piece| match piece {
            Piece::Text(_) => None,
            Piece::Hole(_, Quotes::None) => Some('-'),
            Piece::Hole(_, Quotes::Double) => Some('"'),
            Piece::Hole(_, Quotes::Single) => Some('\''),
        };
        read(text.as_bytes()).unwrap().pieces.iter().filter_map(letter).collect()
    }

    fn refusal(text: &str) -> String {
        read(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn quotes_are_tracked_through_everything_that_is_certain() {
        let table = [
            ("echo {}", "-"),
            ("echo \"{}\" '{}' {}", "\"'-"),
            (r#"echo "\"{}" \"{}"#, "\"-"),
            ("echo it\\'s {}", "-"),
            ("echo \"it's {}\"", "\""),
            ("echo 'say \"{}\"'", "'"),
            ("echo $(basename {} \"$(dirname '{}')\") {}", "-'-"),
            ("echo \"$(printf %s {} \"{}\") {}\"", "-\"\""),
            ("( cd {}; ls ) > {}", "--"),
            ("case {} in a) echo {};; esac", "--"),
            ("echo ${HOME:-\"a}b\"} {}", "-"),
            ("echo \"${HOME}\" {}", "-"),
            ("echo $((1 + (2))) {}", "-"),
            ("echo `date` {}", "-"),
            ("cat <<< {} ; echo {}", "--"),
            ("echo $'tab' {}", "-"),
            ("echo # it's\necho {}", "-"),
            ("echo a#it {}", "-"),
            ("echo {}#it's' {}", "--"),
            ("cat <<E {}", "-"),
            ("echo $(({#} % 2)) {}", "\"-"),
        ];
        for (text, wanted) in table {
            assert_eq!(quotes(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_placeholder_where_nothing_is_certain_is_refused_with_the_way_out() {
        insta::assert_snapshot!(refusal("cat <<E\n{}\nE"), @r#"
        error: {} stands in a here-document, where a value cannot be passed safely
         help: give the value a name first, as in: v={}; ... and use "$v" there
        "#);
        for (text, place) in [
            ("echo `basename {}`", "backquotes"),
            ("echo \"`basename {.}`\"", "backquotes"),
            ("echo $'{}'", "$'...'"),
            ("echo ${x:-{}}", "${...}"),
            ("echo $(( {} + 1 ))", "arithmetic"),
            ("(( x = {} ))", "arithmetic"),
            ("echo $'a\\'b' {}", "a text after $'...' with an escape"),
            ("echo \"${x:-'}\" {}", "a text after a single quote in \"${...}\""),
            ("echo $(case x in x) echo;; esac) {}", "a text after case in $(...)"),
        ] {
            assert!(refusal(text).contains(&format!("stands in {place},")), "{text}: {}", refusal(text));
        }
    }

    #[test]
    fn an_open_quote_is_named() {
        insta::assert_snapshot!(refusal("echo \"{}"), @"
        error: a double quote is opened in the command and never closed
         help: close it, or put a backslash in front of it
        ");
        assert!(refusal("echo 'it").contains("single quote"));
        assert!(refusal("echo $(date").contains("$("));
    }

    #[test]
    fn a_backslash_or_a_comment_makes_braces_plain_text() {
        assert_eq!(quotes("echo \\{} \"\\{}\""), "");
        assert_eq!(quotes("echo hi # {}"), "");
    }

    #[test]
    fn several_commands_are_told_from_one() {
        let composed = |text: &str| read(text.as_bytes()).unwrap().composed;
        for one in ["sha256sum", "echo 'a;b' \"c|d\" \\;", "echo $(date; date)"] {
            assert!(!composed(one), "{one}");
        }
        for several in ["a; b", "a | b", "a && b", "a > f", "(a)", "a\nb", "a # b", "cat <<E\nE", "((x))"] {
            assert!(composed(several), "{several}");
        }
    }
}
