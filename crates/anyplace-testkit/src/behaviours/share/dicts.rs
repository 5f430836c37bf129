//! Values by their keys.

use crate::share::{count_up, fill};
use crate::submit::{How, map};
use anyplace::{Place, Result};
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn a_dict_is_the_same_for_all(place: &Place) -> Result<()> {
    let ages = place.dict::<String, u64>("ages")?;
    let (ann, bob) = ("Ann".to_owned(), "Bob".to_owned());
    assert_eq!(ages.get(&ann)?, None);
    ages.set(ann.clone(), 40)?;
    ages.set(bob.clone(), 50)?;
    ages.set(ann.clone(), 41)?;
    assert_eq!(place.dict::<String, u64>("ages")?.items()?, [(ann.clone(), 41), (bob.clone(), 50)]);
    assert_eq!((ages.get_or_set(ann.clone(), 1)?, ages.len()), (Some(41), 2));
    assert!(ages.contains(&bob)?);
    assert_eq!((ages.remove(&ann)?, ages.remove(&ann)?), (Some(41), None));
    assert_eq!(ages.remove_last()?, Some((bob, 50)));
    ages.update([("Cid".to_owned(), 1), ("Dan".to_owned(), 2)])?;
    assert_eq!(ages.keys()?, ["Cid", "Dan"]);
    ages.clear()?;
    assert!(ages.is_empty());
    Ok(())
}

/// Many tasks count up in the same places; each step is taken once.
pub(super) fn a_dict_exchanges_what_is_expected_and_nothing_else(place: &Place) -> Result<()> {
    let counts = place.dict::<u64, u64>("")?;
    let inputs: Vec<_> = (0..20).map(|_| (counts.clone(), 5)).collect();
    map(place, count_up, inputs, How::default())?.try_for_each(|done| done.map(drop))?;
    assert_eq!(counts.items()?, (0..5).map(|key| (key, 20)).collect::<Vec<_>>());
    assert!(!counts.exchange(0, None, Some(7))?, "it stands for something");
    assert!(counts.exchange(0, Some(&20), None)?);
    assert_eq!(counts.get(&0)?, None);
    Ok(())
}

pub(super) fn a_dict_takes_values_of_any_size(place: &Place) -> Result<()> {
    let pages = place.dict::<u64, Vec<u8>>("")?;
    for length in [0, 10, 5000, 1 << 20] {
        pages.set(length, vec![7; length as usize])?;
    }
    for length in [0, 10, 5000, 1 << 20] {
        assert!(pages.get(&length)? == Some(vec![7; length as usize]), "{length} bytes");
    }
    Ok(())
}

pub(super) fn an_array_is_filled_where_it_is(place: &Place) -> Result<()> {
    let squares = place.array("squares", 8 * 100 + 3)?;
    assert_eq!((squares.len(), squares.words().len()), (803, 100));
    let inputs: Vec<_> = (0..100).map(|at| (squares.clone(), at)).collect();
    map(place, fill, inputs, How::default())?.try_for_each(|done| done.map(drop))?;
    let now = place.array("squares", 1)?;
    assert!(now.words().iter().zip(0..).all(|(word, at): (_, u64)| word.load(Relaxed) == at * at));
    assert_eq!(now.words().as_ptr().cast::<u8>(), now.as_mut_ptr().cast_const());
    Ok(())
}
