//! Address to text: with its secrets (`reveal`) or, everywhere else, without.

use super::{Address, LayerSpec, Options};
use std::fmt::{self, Write};

/// Options whose value is never printed.
const SECRET_WORDS: [&str; 7] = ["password", "passwd", "secret", "token", "ticket", "key", "credential"];

/// What would end a value: the next option, the next part; inside a layer also `::`, which brackets hide.
const IN_LAYER: &[char] = &['?', '&', ':', '[', ']'];

pub(super) fn is_secret(key: &str) -> bool {
    SECRET_WORDS
        .iter()
        .any(|word| key == *word || key.ends_with(&format!("_{word}")) || key.ends_with(&format!("-{word}")))
        || key == "authkey"
        || key == "pass"
}

impl Address {
    /// The whole text, secrets included: for a program that hands the address on, never for people.
    pub fn reveal(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        self.write(&mut text, true).unwrap_or_default();
        text
    }

    fn write(&self, out: &mut dyn Write, reveal: bool) -> fmt::Result {
        for layer in &self.layers {
            layer.write(out, reveal)?;
            out.write_str("::")?;
        }
        write!(out, "{}:", self.scheme)?;
        let target = if reveal { self.target.clone() } else { without_secrets(&self.target) };
        // Right behind the scheme a colon would make it a layer: `x::`.
        let behind_colon = target.strip_prefix(':').map_or(target.as_str(), |rest| rest);
        if behind_colon.len() < target.len() {
            out.write_str("%3A")?;
        }
        out.write_str(&encode(behind_colon, &['?']))?;
        self.options.write(out, reveal)
    }
}

impl LayerSpec {
    fn write(&self, out: &mut dyn Write, reveal: bool) -> fmt::Result {
        out.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(out, "={}", encode(value, IN_LAYER))?;
        }
        self.options.write(out, reveal)
    }
}

impl Options {
    fn write(&self, out: &mut dyn Write, reveal: bool) -> fmt::Result {
        for (at, (key, value)) in self.0.iter().enumerate() {
            let separator = if at == 0 { '?' } else { '&' };
            let shown = if reveal || !is_secret(key) { encode(value, IN_LAYER) } else { "***".to_owned() };
            write!(out, "{separator}{key}={shown}")?;
        }
        Ok(())
    }
}

fn without_secrets(target: &str) -> String {
    without_password(&crate::keys::without_tickets(target))
}

/// `//user:password@host` with `***` for the password; other targets as they are.
fn without_password(target: &str) -> String {
    let Some(authority) = target.strip_prefix("//") else { return target.to_owned() };
    let end = authority.find('/').unwrap_or(authority.len());
    let (authority, path) = match authority[..end].rfind('@') {
        Some(_) => authority.split_at(end),
        // A password may hold a `/` that nobody escaped: hide up to the last `@` rather than show it.
        None => authority.split_at(authority.rfind('@').map_or(0, |at| at + 1)),
    };
    match authority.rsplit_once('@') {
        None => target.to_owned(),
        Some((user, host)) => {
            let name = user.split_once(':').map_or(user, |(name, _)| name);
            let shown = if user.contains(':') { format!("{name}:***") } else { name.to_owned() };
            format!("//{shown}@{host}{path}")
        }
    }
}

/// Writes `%`, control characters and the letters that would end this part as `%XX`.
fn encode(text: &str, ends_part: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '%' || letter.is_ascii_control() || ends_part.contains(&letter) {
            write!(out, "%{:02X}", letter as u32).unwrap_or_default();
        } else {
            out.push(letter);
        }
    }
    out
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl fmt::Debug for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LayerSpec({self})")
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Options(")?;
        self.write(f, false)?;
        f.write_str(")")
    }
}
