//! The address of a place: what a user types, parsed once, printed without its secrets.
//!
//! | part | form | example |
//! |---|---|---|
//! | address | `(layer "::")* place` | `retry=3::timeout=30s::processes:8` |
//! | layer | `name`, `name=value`, either with `?options` | `retry=3?backoff=100ms` |
//! | place | `scheme`, `scheme:target`, either with `?options` | `threads:8?seed=42`, `redis://host/0` |
//! | options | `key=value` joined by `&`; `key` alone means `key=true` | `?start=exec&max_tasks=100` |
//! | name, scheme, key | a letter, then letters, digits, `_`, `-`, `.`, `+` | `sqlite` |
//! | value, target | any text; `%XX` stands for a byte; `%`, `?`, `&`, `::` and control characters must be written so | `a%3A%3Ab` |
//!
//! A `::` inside square brackets belongs to the target, as in `tcp://[::1]:7777`. Schemes, names and keys are
//! lower-cased. Secrets (the password in `user:password@host`, options such as `token`) are kept in the value and
//! never printed, nor are tickets (`tcp://host:7777#ap1...`): `Display` and `Debug` show `***`; [`Address::reveal`] shows all.

mod parse;
mod print;

use crate::error::{Error, Result};
use std::str::FromStr;

/// The text of a place, parsed: layers, scheme, target, options.
///
/// ```
/// use anyplace::Address;
///
/// let address: Address = "retry=3::redis://user:hunter2@host/0?token=abc".parse()?;
/// assert_eq!(address.scheme(), "redis");
/// assert_eq!(address.to_string(), "retry=3::redis://user:***@host/0?token=***");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    pub(crate) layers: Vec<LayerSpec>,
    pub(crate) scheme: String,
    pub(crate) target: String,
    pub(crate) options: Options,
}

/// One layer of an address: its name, its value, its options.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LayerSpec {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) options: Options,
}

/// The options behind `?`, in the order they were written.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Options(pub(crate) Vec<(String, String)>);

impl Address {
    /// The layers, outermost first.
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// The word before the colon: which driver opens it.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What stands between the colon and the options, decoded.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The place's options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The target as a number of workers: `None` when it is empty.
    ///
    /// # Errors
    /// `ConfigInvalid` if it is not a whole number from 1 on.
    pub fn count(&self) -> Result<Option<usize>> {
        if self.target.is_empty() {
            return Ok(None);
        }
        match self.target.parse::<usize>() {
            Ok(count) if (1..=65_536).contains(&count) => Ok(Some(count)),
            _ => Err(Error::config(format!("`{}` is not a number of workers in `{self}`", self.target))
                .at(self)
                .during("open")
                .with_help(format!("write a whole number from 1 to 65536, such as `{}:8`", self.scheme))),
        }
    }

    /// The same address with another target.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// The same address with one option more (or another value for one it has).
    #[must_use]
    pub fn with_option(mut self, key: &str, value: impl Into<String>) -> Self {
        self.options.set(key, value.into());
        self
    }

    /// The place alone.
    #[must_use]
    pub fn without_layers(mut self) -> Self {
        self.layers.clear();
        self
    }
}

impl Default for Address {
    /// Where a Rust program's work runs unless it says otherwise: `threads:`, on all cores it may use.
    ///
    /// ```
    /// let place = anyplace::open(anyplace::Address::default())?;
    /// assert_eq!(place.address().scheme(), "threads");
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    fn default() -> Self {
        Self {
            layers: Vec::new(),
            scheme: "threads".to_owned(),
            target: String::new(),
            options: Options::default(),
        }
    }
}

impl LayerSpec {
    /// Which layer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind `=`.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The layer's options.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

impl Options {
    /// The value of an option.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Names and values in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Sets an option, replacing what it was.
    pub fn set(&mut self, key: &str, value: String) {
        self.0.retain(|(name, _)| name != key);
        self.0.push((key.to_owned(), value));
    }

    /// Refuses options that nobody reads, naming the nearest that exists.
    ///
    /// # Errors
    /// `ConfigInvalid` for the first unknown option.
    pub fn expect_only(&self, accepted: &[&str], of: impl std::fmt::Display) -> Result<()> {
        match self.0.iter().find(|(key, _)| !accepted.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                Err(Error::config(format!("`{of}` has no option `{key}`")).at(&of).during("open").with_help(
                    crate::spelling::hint(key, accepted.iter().copied(), "it takes no options", "it takes"),
                ))
            }
        }
    }

    /// Reads one option with its type, or gives `None` when it is absent.
    ///
    /// # Errors
    /// `ConfigInvalid` naming the option and what is accepted (`wanted`, such as "a whole number").
    pub fn parse<T: FromStr>(&self, key: &str, wanted: &str) -> Result<Option<T>> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let shown = if print::is_secret(key) { "***" } else { text };
        text.parse().map(Some).map_err(|_| {
            Error::config(format!("option `{key}` cannot be `{shown}`"))
                .during("open")
                .with_help(format!("write {wanted}"))
        })
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse::address(text)
    }
}

impl TryFrom<&str> for Address {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<&String> for Address {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

#[cfg(test)]
mod tests;
