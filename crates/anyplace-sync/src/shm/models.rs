//! The protocols of `shm` on plain words, for the models of `tests/loom.rs`: loom knows no memory of other processes.

#[path = "memory/hints.rs"]
pub mod hints;
#[path = "memory/tenure.rs"]
pub mod tenure;

#[path = "board/mod.rs"]
pub mod board;
