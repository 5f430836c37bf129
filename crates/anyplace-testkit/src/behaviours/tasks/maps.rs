//! Many items.

use crate::submit::{How, map};
use crate::work::{double, seed, ten_by};
use anyplace::{Kind, Place, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The chunks that the maps below are cut into: as the place likes, one by one, unevenly.
const CHUNKS: [Option<usize>; 3] = [None, Some(1), Some(7)];

pub(super) fn results_come_in_the_order_of_the_inputs(place: &Place) -> Result<()> {
    for chunk in CHUNKS {
        let how = How { chunk, unordered: false };
        let doubled: Vec<u64> = map(place, double, 0..500, how)?.collect::<Result<_>>()?;
        assert!(doubled.iter().copied().eq((0..500).map(|number| number * 2)), "chunk {chunk:?}");
    }
    Ok(())
}

pub(super) fn unordered_gives_every_result_once(place: &Place) -> Result<()> {
    for chunk in CHUNKS {
        let how = How { chunk, unordered: true };
        let mut doubled: Vec<u64> = map(place, double, 0..500, how)?.collect::<Result<_>>()?;
        doubled.sort_unstable();
        assert!(doubled.iter().copied().eq((0..500).map(|number| number * 2)), "chunk {chunk:?}");
    }
    Ok(())
}

pub(super) fn an_item_that_fails_stands_where_it_is(place: &Place) -> Result<()> {
    for chunk in CHUNKS {
        let how = How { chunk, unordered: false };
        let results: Vec<_> = map(place, ten_by, [1, 0, 5, 0, 2], how)?.collect();
        let seen: Vec<_> = results.into_iter().map(|result| result.map_err(|error| error.kind())).collect();
        let failed = Err(Kind::TaskFailed);
        assert_eq!(seen, [Ok(10), failed, Ok(2), failed, Ok(5)], "chunk {chunk:?}");
    }
    Ok(())
}

pub(super) fn a_map_reads_nothing_before_it_is_asked(place: &Place) -> Result<()> {
    let (numbers, read) = counted();
    let mut doubled = map(place, double, numbers.take(3), How::default())?;
    assert_eq!(read.load(Ordering::SeqCst), 0);
    assert_eq!(doubled.next().transpose()?, Some(0));
    assert_eq!(doubled.collect::<Result<Vec<_>>>()?, [2, 4]);
    assert_eq!(read.load(Ordering::SeqCst), 3);
    Ok(())
}

/// Two items per worker may be out, and one more is read to be sent next.
pub(super) fn an_endless_map_is_read_only_a_little_ahead(place: &Place) -> Result<()> {
    let (numbers, read) = counted();
    let mut doubled = map(place, double, numbers, How { chunk: Some(1), unordered: false })?;
    let ahead = 2 * place.limits().workers + 1;
    for taken in 1..=50 {
        assert_eq!(doubled.next().transpose()?, Some(2 * (taken as u64 - 1)));
        let read = read.load(Ordering::SeqCst);
        assert!(read <= taken + ahead, "{read} read when {taken} were taken");
    }
    Ok(())
}

/// Seeds depend on the place's seed, the map's number and the item's index; not on the place, its workers or chunks.
pub(super) fn a_seed_is_the_same_on_every_place_and_chunking(place: &Place) -> Result<()> {
    let model = anyplace::open(format!("inline:?seed={}", place.seed()))?;
    for chunk in CHUNKS {
        let how = How { chunk, unordered: false };
        let seeds: Vec<u64> = map(place, seed, 0..100, how)?.collect::<Result<_>>()?;
        let expected: Vec<u64> = model.map(seed, 0..100)?.collect::<Result<_>>()?;
        assert_eq!(seeds, expected, "chunk {chunk:?}");
        assert!(seeds.windows(2).all(|pair| pair[0] != pair[1]));
    }
    Ok(())
}

/// The numbers from 0 on, without an end, and how many of them were read.
fn counted() -> (impl Iterator<Item = u64> + use<>, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counts = read.clone();
    let numbers = (0..).inspect(move |_| {
        counts.fetch_add(1, Ordering::SeqCst);
    });
    (numbers, read)
}
