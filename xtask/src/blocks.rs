//! The fenced blocks of a Markdown document.

/// One fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands after the opening fence, such as `sh`.
    pub(crate) language: String,
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// Its text.
    pub(crate) text: String,
}

/// Every fenced block, in order.
pub(crate) fn of(document: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut open: Option<Block> = None;
    for (index, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                open = Some(Block { language: language.into(), line: index + 1, text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_with_language_line_and_text() {
        let found = of("a\n```sh\nls\npwd\n```\nb\n```python\nprint()\n```\n");
        let block =
            |language: &str, line, text: &str| Block { language: language.into(), line, text: text.into() };
        assert_eq!(found, [block("sh", 2, "ls\npwd\n"), block("python", 7, "print()\n")]);
    }
}
