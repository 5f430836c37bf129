//! Locks and queues between threads from Rust, beside crossbeam, flume, parking_lot and the standard library.
//!
//! In each round every measure goes through its contenders in random order, each made anew.

mod channels;
mod clock;
mod locks;

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Who is measured, and how: what is given back is in the unit of the case.
type Contender = (&'static str, fn(Duration) -> f64);

/// Something that is measured, its unit, and who does it.
struct Measure {
    case: &'static str,
    unit: &'static str,
    contenders: &'static [Contender],
}

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let each = Duration::from_millis(if effort == Effort::Quick { 50 } else { 250 });
    for _ in 0..effort.long_rounds() {
        for measure in channels::MEASURES.iter().chain(locks::MEASURES) {
            for (who, how) in shuffled(measure.contenders) {
                record.add(&format!("Rust: {}", measure.case), who, how(each), measure.unit);
            }
        }
    }
    Ok(())
}

/// In an order that nobody can get used to.
fn shuffled(contenders: &[Contender]) -> Vec<Contender> {
    let chance = RandomState::new();
    let mut shuffled = contenders.to_vec();
    shuffled.sort_by_cached_key(|(who, _)| chance.hash_one(who));
    shuffled
}
