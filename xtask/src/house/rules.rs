//! Words that may stand only in some folders.

use super::{Finding, read};
use crate::Result;
use crate::site::Site;
use std::path::PathBuf;

/// A word, where it is looked for, and where it may stand.
pub(super) struct Rule {
    /// The rule as a sentence that is true.
    pub(super) name: &'static str,
    words: &'static [&'static str],
    within: &'static [&'static str],
    except: &'static [&'static str],
}

/// Every rule. The compiler and clippy check the rest (`unsafe_code`, `print_stdout`, `disallowed_methods`); here is
/// only who may lift them.
pub(super) const ALL: &[Rule] = &[
    Rule {
        name: "sync names no place",
        words: &["Place", "anyplace::"],
        within: &["crates/anyplace-sync/src"],
        except: &[],
    },
    Rule {
        name: "only sync, ffi and python hold unsafe code",
        words: &["(unsafe_code"],
        within: &["crates", "bench", "examples"],
        except: &["crates/anyplace-sync", "crates/anyplace-ffi", "crates/anyplace-python"],
    },
    Rule {
        name: "only drivers/mod.rs lists drivers, and only layers.rs layers",
        words: &["::ENTRY"],
        within: &["crates"],
        except: &["crates/anyplace/src/drivers/mod.rs", "crates/anyplace/src/layers.rs"],
    },
    Rule {
        name: "nobody branches on a scheme",
        words: &["scheme() == \"", "scheme() != \"", "match address.scheme()", "match self.scheme()"],
        within: &["crates/anyplace/src", "crates/anyplace-cli/src", "crates/anyplace-python/src"],
        except: &[],
    },
    Rule {
        name: "the engine never prints",
        words: &["clippy::print_stdout", "clippy::print_stderr"],
        within: &["crates/anyplace/src", "crates/anyplace-sync/src", "crates/anyplace-macros/src"],
        except: &[],
    },
    Rule {
        name: "the engine never reads the environment",
        words: &["env::var", "env::args"],
        within: &["crates/anyplace/src", "crates/anyplace-sync/src", "crates/anyplace-macros/src"],
        // A program that is started is looked for on PATH and inherits the environment; a program that was started as
        // a worker finds that out by its first argument.
        except: &["crates/anyplace/src/drivers/processes", "crates/anyplace/src/worker/init.rs"],
    },
    Rule {
        name: "only net opens sockets",
        // A pair of connected sockets is no door to anybody: the processes driver makes those.
        words: &["TcpStream", "TcpListener", "UdpSocket", "UnixListener", "UnixDatagram", "socket_with("],
        within: &["crates/anyplace/src", "crates/anyplace-sync/src", "crates/anyplace-macros/src"],
        except: &["crates/anyplace/src/net"],
    },
    Rule {
        name: "only the processes driver starts processes",
        words: &["clippy::disallowed_methods", "anyplace_sync::spawn"],
        within: &["crates/anyplace/src", "crates/anyplace-sync/src", "crates/anyplace-macros/src"],
        // A zygote is that driver's other end: it makes workers by fork, and ends them.
        except: &["crates/anyplace/src/drivers/processes", "crates/anyplace/src/worker/zygote.rs"],
    },
];

impl Rule {
    /// Finds the words outside where they may stand. Comments count: an example that breaks a rule teaches it. Tests
    /// inside the sources are left out from their `#[cfg(test)]` on.
    pub(super) fn check(&self, site: &Site, sources: &[PathBuf]) -> Result<Vec<Finding>> {
        let mut findings = vec![];
        for path in sources {
            let short = site.short(path);
            let is_in = |folders: &[&str]| folders.iter().any(|folder| short.starts_with(folder));
            if is_in(self.within) && !is_in(self.except) {
                let found = self.lines(&read(path)?);
                findings.extend(found.into_iter().map(|(line, what)| Finding {
                    file: path.clone(),
                    line,
                    what,
                }));
            }
        }
        Ok(findings)
    }

    fn lines(&self, text: &str) -> Vec<(usize, String)> {
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        let breaks = |line: &str| self.words.iter().any(|word| line.contains(word));
        let found = code.lines().enumerate().filter(|(_, line)| breaks(line));
        found.map(|(index, line)| (index + 1, line.trim().into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_the_wrong_place_is_found_with_its_line() {
        let text = "fn a() {}\nuse crate::Place;\n#[cfg(test)]\nmod tests { use super::Place; }\n";
        assert_eq!(ALL[0].lines(text), [(2, "use crate::Place;".into())]);
    }

    #[test]
    fn every_rule_finds_its_own_words() {
        for rule in ALL {
            rule.words.iter().for_each(|word| assert_eq!(rule.lines(word).len(), 1, "{}", rule.name));
        }
    }
}
