//! The report as people read it.

use super::{Deadlock, Involved, Kind, Link, Who, Why};
use std::fmt;

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.objects.is_empty() {
            return write!(f, "in `{}` nobody has or waits for a shared object", self.place);
        }
        self.deadlocks.iter().try_for_each(|ring| writeln!(f, "{ring}"))?;
        let mut objects = self.objects.iter();
        objects.next().into_iter().try_for_each(|object| write!(f, "{object}"))?;
        objects.try_for_each(|object| write!(f, "\n{object}"))
    }
}

impl fmt::Display for Involved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&called(self.kind, &self.name))?;
        for (index, holder) in self.holders.iter().enumerate() {
            write!(f, "{} {holder}", if index == 0 { " is held by" } else { "," })?;
        }
        self.waiters.iter().try_for_each(|waiter| write!(f, "\n  {waiter} waits"))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, from, process, thread, since, line } = self;
        match task {
            Some((task, 0)) => write!(f, "task {task} (")?,
            Some((task, index)) => write!(f, "task {task}[{index}] (")?,
            None => f.write_str("(")?,
        }
        write!(f, "process {process}")?;
        if *thread != 0 {
            write!(f, ", thread {thread}")?;
        }
        if !from.is_empty() {
            write!(f, ", of `{from}`")?;
        }
        f.write_str(")")?;
        if let Some(since) = since {
            write!(f, " for {:.3} s", since.as_secs_f64())?;
        }
        if line.is_empty() { Ok(()) } else { write!(f, " at {line}") }
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadlock: ")?;
        for Link { who, kind, name } in &self.links {
            write!(f, "{who} waits for {}, which is held by ", called(*kind, name))?;
        }
        f.write_str(if self.links.len() == 1 { "itself" } else { "the first of them" })
    }
}

fn called(kind: Kind, name: &str) -> String {
    if name.is_empty() { format!("a nameless {kind}") } else { format!("{kind} `{name}`") }
}
