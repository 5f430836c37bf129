//! Text to address, with errors that name the part.

use super::{Address, LayerSpec, Options};
use crate::error::{Error, Result};

pub(super) fn address(text: &str) -> Result<Address> {
    let mut layers = Vec::new();
    let mut rest = text;
    loop {
        let (word, behind) = word(rest);
        if word.is_empty() {
            return Err(no_scheme(text, rest));
        }
        if is_layer(behind) {
            let end = layer_end(behind).ok_or_else(|| no_place(text))?;
            layers.push(layer_of(word, &behind[..end])?);
            rest = &behind[end + 2..];
            continue;
        }
        return place_of(text, word, behind, layers);
    }
}

fn place_of(text: &str, scheme: &str, behind: &str, layers: Vec<LayerSpec>) -> Result<Address> {
    let body = match behind.strip_prefix(':') {
        Some(body) => body,
        None if behind.is_empty() || behind.starts_with('?') => behind,
        None => return Err(no_scheme(text, behind)),
    };
    let (target, options) = split_options(body)?;
    Ok(Address { layers, scheme: scheme.to_ascii_lowercase(), target: decode(target)?, options })
}

fn layer_of(name: &str, behind: &str) -> Result<LayerSpec> {
    let (value, options) = split_options(behind)?;
    let value = match value.strip_prefix('=') {
        Some(value) => Some(decode(value)?),
        None => None,
    };
    Ok(LayerSpec { name: name.to_ascii_lowercase(), value, options })
}

/// A word is a layer when a `::` ends it: directly, or behind a value or options.
fn is_layer(behind: &str) -> bool {
    behind.starts_with("::")
        || behind.starts_with('=')
        || (behind.starts_with('?') && layer_end(behind).is_some())
}

/// Where the `::` stands that ends a layer; one inside `[...]` does not count.
fn layer_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => return Some(at),
            _ => {}
        }
    }
    None
}

fn word(text: &str) -> (&str, &str) {
    let letter_first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte);
    let end =
        if letter_first { text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len()) } else { 0 };
    text.split_at(end)
}

fn split_options(body: &str) -> Result<(&str, Options)> {
    match body.split_once('?') {
        None => Ok((body, Options::default())),
        Some((target, query)) => Ok((target, options(query)?)),
    }
}

fn options(query: &str) -> Result<Options> {
    let mut options = Options::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, "true"));
        let (name, left) = word(key);
        if name.is_empty() || !left.is_empty() {
            return Err(Error::config("an option has no proper name").during("open").with_help(
                "write options as `?key=value&key=value`, a key being a letter, then letters, digits and `_-.+`",
            ));
        }
        let name = name.to_ascii_lowercase();
        if options.get(&name).is_some() {
            return Err(Error::config(format!("option `{name}` stands twice"))
                .during("open")
                .with_help("keep one of them"));
        }
        options.0.push((name, decode(value)?));
    }
    Ok(options)
}

fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte.is_ascii_control() {
            return Err(Error::config("an address holds a control character")
                .during("open")
                .with_help("write it as `%XX`, its byte in hexadecimal"));
        }
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let value = digits.filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()));
        bytes.push(value.and_then(|two| u8::from_str_radix(two, 16).ok()).ok_or_else(bad_escape)?);
        rest = &behind[2..];
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::config("an escaped part of the address is not UTF-8").during("open"))
}

fn bad_escape() -> Error {
    Error::config("`%` stands without two hexadecimal digits in an address")
        .during("open")
        .with_help("write a plain `%` as `%25`")
}

fn no_scheme(text: &str, at: &str) -> Error {
    let message = if text.is_empty() {
        "the address is empty".to_owned()
    } else {
        // The text itself may hold a secret, so only the place in it is told.
        format!(
            "the address is wrong at character {}: a scheme such as `threads:` must stand there",
            text.len() - at.len() + 1
        )
    };
    Error::config(message)
        .during("open")
        .with_help("write one such as `threads:8`, `processes:8` or `retry=3::processes:8`")
}

fn no_place(text: &str) -> Error {
    let name = word(text).0;
    Error::config(format!("the address ends behind the layer `{name}`: a place must follow"))
        .during("open")
        .with_help(format!("write one behind `::`, such as `{name}=...::processes:8`"))
}
