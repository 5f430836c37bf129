//! The standard library's heap of objects, with a twist: it compares first and moves then.
//!
//! A comparison runs Python code, which may raise, and may let other threads run. Until the last one is over nothing has
//! been moved, so an error leaves the heap as it was. The comparisons are those of `heapq`, in the same order, and so
//! equal items come in the same order, too. One thread at a time puts or takes; others may look.

use super::held::Held;
use pyo3::prelude::*;
use std::collections::VecDeque;

type Objects = Held<VecDeque<Py<PyAny>>>;

/// Adds an item.
///
/// # Errors
/// What a comparison raises; then the item is not in.
pub(super) fn push(heap: &Objects, item: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = item.py();
    let end = heap.with(py, |heap| heap.len());
    let mut place = end;
    while place > 0 && item.lt(at(heap, py, parent(place)))? {
        place = parent(place);
    }
    let item = item.clone().unbind();
    heap.with(py, |heap| {
        heap.push_back(item);
        let mut hole = end;
        while hole > place {
            heap.swap(hole, parent(hole));
            hole = parent(hole);
        }
    });
    Ok(())
}

/// Takes the smallest item.
///
/// # Errors
/// What a comparison raises; then the item is still in.
pub(super) fn pop(heap: &Objects, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    let Some(end) = heap.with(py, |heap| heap.len().checked_sub(1)) else { return Ok(None) };
    let path = path_of_the_last(heap, py, end)?;
    Ok(heap.with(py, |heap| {
        let last = heap.pop_back()?;
        let mut hole = 0;
        for place in path {
            heap.swap(hole, place);
            hole = place;
        }
        Some(match heap.get_mut(hole) {
            Some(first) => std::mem::replace(first, last),
            None => last,
        })
    }))
}

/// The places below the first through which the last item sinks when it takes the place of the first.
fn path_of_the_last(heap: &Objects, py: Python<'_>, end: usize) -> PyResult<Vec<usize>> {
    let last = at(heap, py, end);
    let mut path = path_of_the_smaller(heap, py, end)?;
    // Most items from the end belong near the end, so it is looked for from there.
    while let Some(&place) = path.last() {
        if !last.lt(at(heap, py, place))? {
            break;
        }
        path.pop();
    }
    Ok(path)
}

/// The places from the first down to a leaf, always to the smaller child.
fn path_of_the_smaller(heap: &Objects, py: Python<'_>, end: usize) -> PyResult<Vec<usize>> {
    let mut path = vec![];
    let mut left = 1;
    while left < end {
        let right = left + 1;
        let takes_left = right == end || at(heap, py, left).lt(at(heap, py, right))?;
        let smaller = if takes_left { left } else { right };
        path.push(smaller);
        left = 2 * smaller + 1;
    }
    Ok(path)
}

fn at<'py>(heap: &Objects, py: Python<'py>, place: usize) -> Bound<'py, PyAny> {
    heap.with(py, |heap| heap[place].clone_ref(py)).into_bound(py)
}

fn parent(place: usize) -> usize {
    (place - 1) / 2
}
