//! What a place that keeps objects promises.

mod absent;
mod calls;
mod closing;
mod names;

use super::{Behaviour, behaviour};

/// The list.
pub(super) static SERVE: &[Behaviour] = &[
    behaviour!(names::a_published_object_is_found_and_called, "by whoever knows its name"),
    behaviour!(names::names_are_told_in_their_order, "until they are taken away"),
    behaviour!(names::a_name_that_is_taken_is_refused_with_help, "and stays whose it is"),
    behaviour!(names::a_name_that_nobody_has_is_told_with_the_nearest, "as it may have been meant"),
    behaviour!(calls::an_object_that_is_created_is_called_by_its_proxy, "and keeps what it knows", Here),
    behaviour!(calls::attributes_are_read_and_set_where_the_object_is, "and all see the same"),
    behaviour!(calls::what_a_method_fails_with_is_told_to_its_caller, "and the object goes on"),
    behaviour!(calls::values_that_come_one_by_one_are_made_as_they_are_taken, "also without an end"),
    behaviour!(calls::a_call_may_come_back_to_its_caller, "round and round"),
    behaviour!(calls::a_call_without_waiting_gives_its_value_later, "or none, if nobody wants it"),
    behaviour!(calls::many_threads_share_a_proxy, "and each gets its own answers"),
    behaviour!(closing::a_closed_place_keeps_no_names, "and says so"),
];

/// How a place without objects says so.
pub(super) static ABSENT: Behaviour = behaviour!(
    absent::a_place_that_keeps_no_objects_says_so,
    "at once, with the address and places that can"
);
