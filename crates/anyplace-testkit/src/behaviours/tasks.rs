//! What a place that runs tasks promises.

mod absent;
mod closing;
mod crashes;
mod endings;
mod layers;
mod maps;
mod results;

use super::{Behaviour, behaviour};

/// The list.
pub(super) static TASKS: &[Behaviour] = &[
    behaviour!(results::a_task_returns_what_its_function_returns, "small and large, whatever it holds"),
    behaviour!(results::a_failure_is_its_tasks_own, "it says what was raised, and the next task runs"),
    behaviour!(results::a_task_knows_itself, "its index, its attempt and a worker of the place"),
    behaviour!(
        results::work_of_another_kind_is_refused_with_help,
        "at once, with the address and places that can"
    ),
    behaviour!(results::a_task_may_open_a_place_of_its_own, "and use it, without waiting for itself"),
    behaviour!(maps::results_come_in_the_order_of_the_inputs, "in chunks of any size"),
    behaviour!(maps::unordered_gives_every_result_once, "as they end"),
    behaviour!(maps::an_item_that_fails_stands_where_it_is, "and the others go on"),
    behaviour!(maps::a_map_reads_nothing_before_it_is_asked, "it is lazy"),
    behaviour!(
        maps::an_endless_map_is_read_only_a_little_ahead,
        "results that nobody takes hold the input back"
    ),
    behaviour!(maps::a_seed_is_the_same_on_every_place_and_chunking, "so results with random numbers repeat"),
    behaviour!(endings::a_cancelled_task_never_begins, "and says that it never did", Workers),
    behaviour!(
        endings::cancelling_a_place_ends_what_waits_at_once,
        "also while its workers are busy",
        Workers
    ),
    behaviour!(endings::a_running_task_can_be_killed, "its outcome comes when it is gone", Workers, Kill),
    behaviour!(endings::a_place_that_cannot_kill_says_so, "and the task goes on", Workers, NoKill),
    behaviour!(
        layers::a_task_past_its_time_fails_by_it,
        "and is gone where the place can end it",
        Workers,
        NoTimeout,
        NoLayers
    ),
    behaviour!(layers::a_failure_is_tried_again, "until an attempt succeeds", NoRetry, NoLayers),
    behaviour!(
        layers::the_last_attempt_is_counted_in_the_error,
        "which is that attempt's",
        NoRetry,
        NoLayers
    ),
    behaviour!(layers::at_most_n_run_at_once, "the others wait for a slot", ThreeWorkers, NoLimit, NoLayers),
    behaviour!(layers::progress_counts_every_item_once, "however it ends"),
    behaviour!(crashes::a_worker_that_dies_costs_only_its_task, "which says how it died", Processes),
    behaviour!(closing::a_closed_place_refuses, "and says so"),
    behaviour!(closing::closing_waits_for_what_was_accepted, "every task has run when it returns"),
    behaviour!(
        closing::every_accepted_task_has_one_outcome_though_the_place_closes,
        "those that run and those that wait",
        Workers
    ),
    behaviour!(closing::nothing_is_left_behind, "no process, thread or descriptor"),
];

/// How a place without tasks says so.
pub(super) static ABSENT: Behaviour =
    behaviour!(absent::a_place_without_tasks_says_so, "at once, with the address and places that can");
