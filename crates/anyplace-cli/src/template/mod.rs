//! From the command as it was typed, and the values of a job, to the words to execute.
//!
//! Several words are executed directly. One quoted text is given to a shell, and then values never become a part
//! of its script: `gzip -c {} > {.}.gz` is executed as
//!
//! ```text
//! sh -c 'gzip -c "$1" > "$2".gz' sh VALUE STEM
//! ```
//!
//! so that nothing in a value is ever expanded or executed, in whatever quotes the placeholder stands.

mod direct;
mod job;
mod lexer;
mod placeholder;
mod quote;
#[cfg(test)]
mod round_trip;
mod script;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

pub(crate) use direct::Direct;
pub(crate) use job::{Field, Values};
use placeholder::{Placeholder, What};
pub(crate) use quote::push_quoted;
pub(crate) use script::Script;

use crate::report::{Report, Result};

/// A command with holes for values.
#[derive(Debug)]
pub(crate) enum Template {
    /// Words to execute as they are.
    Direct(Direct),
    /// A script for a shell.
    Shell(Script),
}

/// Who reads the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reader {
    /// One word with blanks or shell syntax in it goes to `sh`, everything else is executed directly.
    Guess,
    /// This shell, always.
    Shell(OsString),
    /// Nobody: its words are executed.
    Nobody,
}

impl Template {
    /// Compiles `what` for jobs with a value of each of `sources` sources.
    ///
    /// Without any placeholder the values are appended.
    ///
    /// # Errors
    /// A placeholder names a source that does not exist or stands where no value can be passed; or there is none
    /// in a composed command, where it is not known which part wants the values.
    pub(crate) fn compile(what: &[OsString], reader: &Reader, sources: usize) -> Result<Self> {
        match reader {
            Reader::Shell(shell) => Self::shell(what, shell.clone(), sources),
            Reader::Guess if what.len() == 1 && has_syntax(what[0].as_bytes()) => {
                Self::shell(what, "sh".into(), sources)
            }
            Reader::Guess | Reader::Nobody => Ok(Self::Direct(Direct::compile(what, sources)?)),
        }
    }

    fn shell(what: &[OsString], shell: OsString, sources: usize) -> Result<Self> {
        let text = what.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' ');
        Ok(Self::Shell(Script::compile(&text, shell, sources)?))
    }

    /// The words to execute for a job.
    pub(crate) fn argv(&self, job: &Values<'_>) -> Vec<OsString> {
        match self {
            Self::Direct(direct) => direct.argv(job),
            Self::Shell(script) => script.argv(job),
        }
    }

    /// A line that does the same when it is pasted into a shell.
    pub(crate) fn line(&self, job: &Values<'_>) -> Vec<u8> {
        match self {
            Self::Direct(direct) => direct.line(job),
            Self::Shell(script) => script.line(job),
        }
    }

    /// Whether a job has to know its slot before it starts.
    pub(crate) fn names_slot(&self) -> bool {
        match self {
            Self::Direct(direct) => direct.fields().any(|field| field.what == What::Slot),
            Self::Shell(script) => script.fields().any(|field| field.what == What::Slot),
        }
    }
}

/// Whether a shell would do more with it than execute it.
fn has_syntax(word: &[u8]) -> bool {
    // Braces of placeholders are ours.
    let mut at = 0;
    while at < word.len() {
        match Placeholder::read(&word[at..]) {
            Some((_, length)) => at += length,
            None if quote::is_plain(&word[at..=at]) || !word[at].is_ascii() || word[at] == b'=' => at += 1,
            None => return true,
        }
    }
    false
}

/// The fields a placeholder stands for.
fn resolve(placeholder: Placeholder, sources: usize) -> Result<Vec<Field>> {
    if placeholder.is_about_job() {
        return Ok(vec![Field { what: placeholder.what, source: 0 }]);
    }
    let Some(range) = placeholder.sources(sources) else {
        let sources = if sources == 1 { "is one source".into() } else { format!("are {sources} sources") };
        return Err(Report::usage(format!(
            "{placeholder} asks for a source that is not there: there {sources}"
        ))
        .help("each ::: and each -a FILE is a source; {1} is the first, {-1} the last"));
    };
    Ok(range.map(|source| Field { what: placeholder.what, source }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shell(what: &[&str]) -> bool {
        let what: Vec<OsString> = what.iter().map(Into::into).collect();
        matches!(Template::compile(&what, &Reader::Guess, 1).unwrap(), Template::Shell(_))
    }

    #[test]
    fn one_quoted_text_goes_to_a_shell_and_several_words_do_not() {
        assert!(is_shell(&["sha256sum {}"]));
        assert!(is_shell(&["./{}>out"]));
        assert!(is_shell(&["$HOME/tool"]));
        assert!(!is_shell(&["sha256sum"]));
        assert!(!is_shell(&["./tools/{/.}.sh"]));
        assert!(!is_shell(&["sha256sum", "{}"]));
        assert!(!is_shell(&["echo", "$HOME; {}"]));
    }

    #[test]
    fn a_source_that_is_not_there_is_named() {
        let error = Template::compile(&["echo {3}".into()], &Reader::Guess, 2).unwrap_err();
        insta::assert_snapshot!(error, @"
        error: {3} asks for a source that is not there: there are 2 sources
         help: each ::: and each -a FILE is a source; {1} is the first, {-1} the last
        ");
    }
}
