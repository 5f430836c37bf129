//! `{}` and its relatives: what they are called and what they give for a value.

use std::fmt;

/// A part of a template that a job's values fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) what: What,
    pub(crate) which: Which,
}

/// What is taken of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// `{}`: the value as it is.
    Whole,
    /// `{.}`: without its last extension.
    NoExtension,
    /// `{/}`: the part after the last slash.
    Basename,
    /// `{//}`: the part before the last slash, `.` if there is none.
    Dirname,
    /// `{/.}`: the basename without its last extension.
    Stem,
    /// `{#}`: the job's number, from 1.
    Sequence,
    /// `{%}`: the slot the job runs in, from 1.
    Slot,
}

/// Whose value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Every source's, one after the other.
    All,
    /// `{2}`: the second source's.
    FromStart(usize),
    /// `{-1}`: the last source's.
    FromEnd(usize),
}

impl Placeholder {
    /// The plain `{}`.
    pub(crate) const WHOLE: Self = Self { what: What::Whole, which: Which::All };

    /// Reads a placeholder at the start of `text`; gives it and its length.
    ///
    /// What only looks like one, such as `{a,b}` or `{1..5}`, is no placeholder.
    pub(crate) fn read(text: &[u8]) -> Option<(Self, usize)> {
        let inner = text.strip_prefix(b"{")?;
        let end = inner.iter().take(12).position(|&byte| byte == b'}')?;
        let placeholder = Self::parse(std::str::from_utf8(&inner[..end]).ok()?)?;
        Some((placeholder, end + 2))
    }

    fn parse(inner: &str) -> Option<Self> {
        match inner {
            "#" => return Some(Self { what: What::Sequence, which: Which::All }),
            "%" => return Some(Self { what: What::Slot, which: Which::All }),
            _ => {}
        }
        let digits = inner.find(['.', '/']).unwrap_or(inner.len());
        let which = Which::parse(&inner[..digits])?;
        let what = match &inner[digits..] {
            "" => What::Whole,
            "." => What::NoExtension,
            "/" => What::Basename,
            "//" => What::Dirname,
            "/." => What::Stem,
            _ => return None,
        };
        Some(Self { what, which })
    }

    /// The indexes of the sources it takes from, of `sources` many; nothing if one of them does not exist.
    pub(crate) fn sources(self, sources: usize) -> Option<std::ops::Range<usize>> {
        let index = match self.which {
            Which::All => return Some(0..sources),
            Which::FromStart(n) => n - 1,
            Which::FromEnd(n) => sources.checked_sub(n)?,
        };
        (index < sources).then_some(index..index + 1)
    }

    /// Whether it is about the job and not about its values.
    pub(crate) fn is_about_job(self) -> bool {
        matches!(self.what, What::Sequence | What::Slot)
    }
}

impl Which {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            None if text.is_empty() => Some(Self::All),
            None => number(text).map(Self::FromStart),
            Some(digits) => number(digits).map(Self::FromEnd),
        }
    }
}

/// A number from 1, in digits only: `{+1}` and `{0}` are no placeholders.
fn number(digits: &str) -> Option<usize> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: usize = all_digits.then(|| digits.parse().ok())??;
    (number > 0).then_some(number)
}

impl What {
    /// The part of `value` that it names. Not for [`Sequence`](Self::Sequence) and [`Slot`](Self::Slot), which
    /// are about no value: they leave it as it is.
    pub(crate) fn of(self, value: &[u8]) -> &[u8] {
        match self {
            Self::Whole | Self::Sequence | Self::Slot => value,
            Self::NoExtension => without_extension(value),
            Self::Basename => basename(value),
            Self::Dirname => dirname(value),
            Self::Stem => without_extension(basename(value)),
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.which {
            Which::All => String::new(),
            Which::FromStart(n) => n.to_string(),
            Which::FromEnd(n) => format!("-{n}"),
        };
        let what = match self.what {
            What::Whole => "",
            What::NoExtension => ".",
            What::Basename => "/",
            What::Dirname => "//",
            What::Stem => "/.",
            What::Sequence => "#",
            What::Slot => "%",
        };
        write!(f, "{{{which}{what}}}")
    }
}

/// A dot in a directory's name is no extension, and neither is a dot with nothing after it.
fn without_extension(value: &[u8]) -> &[u8] {
    match value.iter().rposition(|&byte| byte == b'.' || byte == b'/') {
        Some(at) if value[at] == b'.' && at + 1 < value.len() => &value[..at],
        _ => value,
    }
}

fn basename(value: &[u8]) -> &[u8] {
    match value.iter().rposition(|&byte| byte == b'/') {
        Some(at) => &value[at + 1..],
        None => value,
    }
}

/// As `dirname` of POSIX: `/x` is in `/`, `a/b/` in `a`, `b` in `.`.
fn dirname(value: &[u8]) -> &[u8] {
    let path = without_trailing_slashes(value);
    match path.iter().rposition(|&byte| byte == b'/') {
        None if path.is_empty() && !value.is_empty() => b"/",
        None => b".",
        Some(at) => match without_trailing_slashes(&path[..at]) {
            b"" => b"/",
            parent => parent,
        },
    }
}

fn without_trailing_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |at| at + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(placeholder: &str, value: &str) -> String {
        let (placeholder, length) = Placeholder::read(placeholder.as_bytes()).expect("a placeholder");
        assert_eq!(length, placeholder.to_string().len());
        String::from_utf8(placeholder.what.of(value.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn each_placeholder_takes_its_part_of_a_path() {
        let table = [
            // value, {.}, {/}, {//}, {/.}
            ("a/b.c.gz", "a/b.c", "b.c.gz", "a", "b.c"),
            ("sub.dir/bar", "sub.dir/bar", "bar", "sub.dir", "bar"),
            ("foo.jpg", "foo", "foo.jpg", ".", "foo"),
            ("/x", "/x", "x", "/", "x"),
            ("a/b/", "a/b/", "", "a", ""),
            ("//", "//", "", "/", ""),
            ("", "", "", ".", ""),
            ("x.", "x.", "x.", ".", "x."),
        ];
        for (value, no_extension, base, dir, stem) in table {
            assert_eq!(of("{}", value), value);
            assert_eq!(of("{.}", value), no_extension);
            assert_eq!(of("{/}", value), base);
            assert_eq!(of("{//}", value), dir);
            assert_eq!(of("{/.}", value), stem);
        }
    }

    #[test]
    fn every_name_is_read_as_it_is_printed() {
        for name in
            ["{}", "{.}", "{/}", "{//}", "{/.}", "{#}", "{%}", "{1}", "{-1}", "{2.}", "{12//}", "{-3/.}"]
        {
            let (placeholder, length) = Placeholder::read(name.as_bytes()).expect(name);
            assert_eq!((placeholder.to_string().as_str(), length), (name, name.len()));
        }
    }

    #[test]
    fn braces_of_the_shell_are_left_alone() {
        for text in
            ["{a,b}", "{1..5}", "{ echo; }", "{0}", "{-0}", "{+1}", "{x}", "{", "{}"[..1].as_ref(), "a{}"]
        {
            assert_eq!(Placeholder::read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_number_picks_one_source() {
        let sources = |name: &str| Placeholder::read(name.as_bytes()).unwrap().0.sources(3);
        assert_eq!(sources("{}"), Some(0..3));
        assert_eq!(sources("{1}"), Some(0..1));
        assert_eq!(sources("{-1}"), Some(2..3));
        assert_eq!(sources("{4}"), None);
        assert_eq!(sources("{-4}"), None);
    }
}
