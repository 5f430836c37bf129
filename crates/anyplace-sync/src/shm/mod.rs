//! What processes of one machine share: a board of tasks, blocks of memory.

pub mod board;
