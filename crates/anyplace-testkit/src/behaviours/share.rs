//! What a place that shares objects promises.

mod absent;
mod barriers;
mod closing;
mod conditions;
mod dicts;
mod events;
mod futures;
mod locks;
mod names;
mod pipes;
mod queues;
mod semaphores;
mod values;
mod why;

use super::{Behaviour, behaviour};

/// The list.
pub(super) static SHARE: &[Behaviour] = &[
    behaviour!(locks::a_lock_keeps_all_others_out, "what it guards is changed by one at a time"),
    behaviour!(locks::a_wait_for_a_lock_ends_in_time, "and whoever gave up is in nobody's way"),
    behaviour!(
        locks::who_waits_for_a_lock_gets_it_from_one_who_takes_it_again_and_again,
        "in a moment",
        Threads
    ),
    behaviour!(locks::a_lock_passes_on_when_its_holder_is_killed, "and the next one is told", Processes),
    behaviour!(locks::a_lock_is_released_once_for_each_time, "and says so where it is not"),
    behaviour!(locks::an_rlock_is_its_owners_as_often_as_it_likes, "and nobody else's meanwhile"),
    behaviour!(semaphores::a_semaphore_lets_so_many_in, "and the next one when one has left"),
    behaviour!(semaphores::permits_of_a_killed_worker_come_back, "all that it had", Processes),
    behaviour!(semaphores::a_bounded_semaphore_refuses_more_than_it_had, "and stays as it is"),
    behaviour!(conditions::who_waits_longest_is_notified_first, "one for each notification"),
    behaviour!(conditions::whoever_waits_lets_go_of_the_lock, "and has it again afterwards"),
    behaviour!(conditions::a_wait_without_a_notification_ends_in_time, "with the lock"),
    behaviour!(events::an_event_lets_everybody_on, "though it is cleared right after"),
    behaviour!(barriers::a_barrier_opens_when_all_have_come, "round after round"),
    behaviour!(barriers::a_broken_barrier_says_so_to_all, "until it is reset"),
    behaviour!(queues::values_of_one_producer_come_in_its_order, "and each comes once"),
    behaviour!(queues::a_full_queue_holds_its_producers_back, "until there is room", Threads),
    behaviour!(
        queues::the_last_or_the_lowest_comes_first_where_that_is_asked_for,
        "and equals in their order"
    ),
    behaviour!(queues::a_queue_that_is_shut_down_gives_what_it_has_and_ends, "also for those who wait"),
    behaviour!(queues::a_queue_is_joined_when_all_is_done, "as often as it was put"),
    behaviour!(queues::a_batch_is_what_is_there, "at least one, at most so many"),
    behaviour!(queues::a_value_may_be_large, "64 MB and more, whole"),
    behaviour!(queues::a_worker_killed_at_a_queue_breaks_nothing, "the others go on", Processes),
    behaviour!(pipes::each_end_of_a_pipe_receives_what_the_other_sends, "in its order"),
    behaviour!(pipes::a_pipe_ends_when_its_other_end_is_closed, "after what was sent before"),
    behaviour!(pipes::a_pipe_of_one_way_goes_from_its_second_end_to_its_first, "and never back"),
    behaviour!(
        pipes::a_pipe_ends_when_the_worker_at_its_other_end_is_killed,
        "and whoever waits is told",
        Processes
    ),
    behaviour!(dicts::a_dict_is_the_same_for_all, "and keeps the order of its keys"),
    behaviour!(dicts::a_dict_exchanges_what_is_expected_and_nothing_else, "so that many can count in it"),
    behaviour!(dicts::a_dict_takes_values_of_any_size, "none and a megabyte"),
    behaviour!(dicts::an_array_is_filled_where_it_is, "by all at once, without a copy"),
    behaviour!(values::adding_from_many_tasks_loses_nothing, "whole numbers and floats"),
    behaviour!(values::a_value_is_exchanged_by_one_alone, "who was first"),
    behaviour!(names::a_name_is_one_object, "for all who say it in the place, and nowhere else"),
    behaviour!(names::a_name_of_another_kind_is_refused_with_help, "and the object stays as it is"),
    behaviour!(names::a_name_that_is_too_long_is_refused, "with the limit"),
    behaviour!(names::objects_without_a_name_are_new_ones, "each time"),
    behaviour!(names::a_handle_opens_itself_in_a_task, "whatever it is a handle of"),
    behaviour!(names::a_handle_that_cannot_travel_says_so, "with its place, and places whose can", Here),
    behaviour!(futures::a_future_waits_without_a_thread, "for all that can wait", Futures),
    behaviour!(
        futures::a_future_that_is_dropped_leaves_the_line,
        "and the next one gets what it would have got"
    ),
    behaviour!(closing::a_closed_place_tells_whoever_waits, "at once"),
    behaviour!(closing::a_closed_place_shares_nothing_more, "and says so"),
    behaviour!(why::why_tells_who_has_and_who_waits_and_where, "with task, thread and line"),
    behaviour!(why::why_names_a_deadlock, "with all who are in it", TwoThreads),
];

/// How a place without objects says so.
pub(super) static ABSENT: Behaviour =
    behaviour!(absent::a_place_that_shares_nothing_says_so, "at once, with the address and places that can");
