//! What the options of GNU parallel and xargs are called here, for people who know those.

/// Their name, and ours.
const NAMES: &[(&[&str], &str)] = &[
    (&["--bar", "--eta"], "`--progress bar`"),
    (&["--max-procs", "-P", "--procs"], "`-j`"),
    (&["--dryrun", "--just-print"], "`--dry-run`"),
    (&["--keeporder"], "`-k`"),
    (&["--tagstring"], "`--tag`, which is always the input"),
    (&["--halt-on-error"], "`--halt`"),
    (&["--silent", "--no-notice", "--will-cite", "--citation", "--bibtex", "--gnu"], "not needed"),
    (&["--group"], "how output is always printed"),
    (&["-I", "-i", "--replace"], "not there: the placeholder is always {}"),
    (&["--quote", "-q"], "not needed: values are never read by a shell"),
    (&["--no-run-if-empty", "-r"], "how it always is: no input runs nothing"),
];

/// What to say about an option that we do not have and they do.
pub(crate) fn here(option: &str) -> Option<String> {
    let (_, ours) = NAMES.iter().find(|(theirs, _)| theirs.contains(&option))?;
    Some(format!("what GNU parallel or xargs call {option} is here {ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::CommandFactory;

    #[test]
    fn no_option_of_ours_is_called_theirs() {
        let args = Args::command();
        let map = args.find_subcommand("map").unwrap();
        for (theirs, _) in NAMES {
            for name in *theirs {
                let is_ours = map.get_arguments().any(|argument| {
                    argument.get_long().is_some_and(|long| *name == format!("--{long}"))
                        || argument.get_short().is_some_and(|short| *name == format!("-{short}"))
                });
                assert!(!is_ours, "{name}");
            }
        }
    }
}
