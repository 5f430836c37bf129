//! Finds rings of those who wait for each other: one waits for one thing at a time, so it is followed from holder to holder.

use super::{Deadlock, Involved, Link, Who};
use std::collections::{HashMap, HashSet};

/// What tells one from another: the task, where there is one, since a future may go on in another thread.
type Identity<'w> = (&'w str, u32, Option<(u64, u64)>, u32);

fn identity(who: &Who) -> Identity<'_> {
    (&who.from, who.process, who.task, if who.task.is_some() { 0 } else { who.thread })
}

/// Every ring, once.
pub(super) fn find(objects: &[Involved]) -> Vec<Deadlock> {
    let waits: HashMap<Identity<'_>, (&Involved, &Who)> = objects
        .iter()
        .flat_map(|object| object.waiters.iter().map(move |who| (identity(who), (object, who))))
        .collect();
    let mut seen = HashSet::new();
    let all = objects.iter().flat_map(|object| &object.waiters).map(identity);
    all.filter_map(|start| ring(start, &waits, &mut seen)).collect()
}

/// Follows the waits from `start` until they end, or come to one that was seen before; a ring if that was on this way.
fn ring<'w>(
    start: Identity<'w>,
    waits: &HashMap<Identity<'w>, (&'w Involved, &'w Who)>,
    seen: &mut HashSet<Identity<'w>>,
) -> Option<Deadlock> {
    let mut way: Vec<Identity<'w>> = Vec::new();
    let mut next = Some(start);
    while let Some(now) = next.filter(|now| waits.contains_key(now)) {
        if !seen.insert(now) {
            let begin = way.iter().position(|known| *known == now)?;
            return Some(Deadlock { links: way[begin..].iter().map(|who| link(waits[who])).collect() });
        }
        way.push(now);
        // Of several holders one may let go; only a single one is waited for without fail.
        next = match waits[&now].0.holders.as_slice() {
            [only] => Some(identity(only)),
            _ => None,
        };
    }
    None
}

fn link((object, who): (&Involved, &Who)) -> Link {
    Link { who: who.clone(), kind: object.kind, name: object.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn who(thread: u32) -> Who {
        Who { task: None, from: String::new(), process: 1, thread, since: None, line: String::new() }
    }

    fn lock(name: &str, holder: u32, waiters: &[u32]) -> Involved {
        let waiters = waiters.iter().copied().map(who).collect();
        Involved { kind: Kind::Lock, name: name.to_owned(), holders: vec![who(holder)], waiters }
    }

    fn names(found: &[Deadlock]) -> Vec<Vec<&str>> {
        found.iter().map(|ring| ring.links.iter().map(|link| &*link.name).collect()).collect()
    }

    #[test]
    fn two_who_wait_for_each_other_are_one_ring() {
        let found = find(&[lock("a", 1, &[2]), lock("b", 2, &[1])]);
        assert_eq!(names(&found), [["a", "b"]]);
    }

    #[test]
    fn who_waits_for_a_ring_is_not_in_it() {
        let found = find(&[lock("c", 1, &[9]), lock("a", 1, &[2, 7]), lock("b", 2, &[1])]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].links.len(), 2);
    }

    #[test]
    fn who_waits_for_itself_is_a_ring_of_one() {
        assert_eq!(names(&find(&[lock("a", 1, &[1])])), [["a"]]);
    }

    #[test]
    fn a_chain_that_ends_is_none() {
        assert!(find(&[lock("a", 1, &[2]), lock("b", 2, &[3])]).is_empty());
    }
}
