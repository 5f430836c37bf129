//! What kinds of objects there are.

use std::fmt;

/// What kind of object: a name stands for one of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// One thread has it at a time.
    Lock = 1,
    /// Its owner may take it again.
    RLock,
    /// A number of permits.
    Semaphore,
    /// Told to look again.
    Condition,
    /// A flag.
    Event,
    /// A number of threads wait until all have come.
    Barrier,
    /// A whole number.
    Value,
    /// A floating-point number.
    Float,
    /// A number that only counts.
    Counter,
    /// Messages in the order they came.
    Queue,
    /// The last message first.
    Lifo,
    /// The smallest message first.
    Priority,
    /// Keys and what they stand for.
    Dict,
    /// Bytes that all see.
    Array,
    /// Two ends, each of which receives what the other sends.
    Pipe,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Lock,
        Self::RLock,
        Self::Semaphore,
        Self::Condition,
        Self::Event,
        Self::Barrier,
        Self::Value,
        Self::Float,
        Self::Counter,
        Self::Queue,
        Self::Lifo,
        Self::Priority,
        Self::Dict,
        Self::Array,
        Self::Pipe,
    ];

    /// The kind of this number, as it stands in shared memory or travels in a handle.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// What users call it, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "a lock",
            Self::RLock => "an rlock",
            Self::Semaphore => "a semaphore",
            Self::Condition => "a condition",
            Self::Event => "an event",
            Self::Barrier => "a barrier",
            Self::Value => "a value",
            Self::Float => "a float value",
            Self::Counter => "a counter",
            Self::Queue => "a queue",
            Self::Lifo => "a lifo queue",
            Self::Priority => "a priority queue",
            Self::Dict => "a dict",
            Self::Array => "an array",
            Self::Pipe => "a pipe",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
