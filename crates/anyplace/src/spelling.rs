//! "Did you mean": the nearest of the words that exist.

/// A help line: the nearest accepted word, then all of them.
pub(crate) fn hint<'a>(
    written: &str,
    accepted: impl Iterator<Item = &'a str> + Clone,
    none: &str,
    takes: &str,
) -> String {
    let all = accepted.clone().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match (all.is_empty(), nearest(written, accepted)) {
        (true, _) => none.to_owned(),
        (false, Some(word)) => format!("did you mean `{word}`? {takes}: {all}"),
        (false, None) => format!("{takes}: {all}"),
    }
}

/// The word at the smallest edit distance, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(written: &str, accepted: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let slip = written.chars().count().div_ceil(3).max(1);
    accepted
        .map(|word| (distance(written, word), word))
        .filter(|(distance, _)| *distance <= slip)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The optimal string alignment distance: insert, delete, replace, swap neighbours, each costs 1.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        rows[i][0] = i;
        for j in 1..=right.len() {
            let replace = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_does_not() {
        let words = || ["threads", "processes", "inline"].into_iter();
        assert_eq!(nearest("treads", words()), Some("threads"));
        assert_eq!(nearest("proceses", words()), Some("processes"));
        assert_eq!(nearest("inlien", words()), Some("inline"));
        assert_eq!(nearest("kubernetes", words()), None);
    }
}
