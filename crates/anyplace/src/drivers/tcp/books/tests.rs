//! The books against a world that loses conversations, restarts servers and forgets replies.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    Submit,
    /// The client sends one task.
    Send,
    /// The server takes in the next task that was sent to it.
    Hear(usize),
    /// The server has done the first of its tasks: its reply is on its way.
    Finish(usize),
    /// The client hears the next reply.
    Reply(usize),
    /// What is on its way in both directions is lost.
    Lose(usize),
    /// As `Lose`, and whoever is there next knows nothing.
    Restart(usize),
    /// The client finds the server, and asks.
    Find(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let server = 0..2_usize;
    prop_oneof![
        4 => Just(Event::Submit),
        6 => Just(Event::Send),
        5 => server.clone().prop_map(Event::Hear),
        5 => server.clone().prop_map(Event::Finish),
        5 => server.clone().prop_map(Event::Reply),
        1 => server.clone().prop_map(Event::Lose),
        1 => server.clone().prop_map(Event::Restart),
        3 => server.prop_map(Event::Find),
    ]
}

/// A server, and the two directions of the way to it.
#[derive(Default)]
struct World {
    is_linked: bool,
    is_new: bool,
    to: VecDeque<(u64, u32)>,
    from: VecDeque<u64>,
    running: VecDeque<(u64, u32)>,
    told: BTreeSet<u64>,
}

struct Model {
    books: Books<u32>,
    worlds: [World; 2],
    submitted: u32,
    /// How often each task began.
    began: BTreeMap<u32, u32>,
    returned: BTreeSet<u32>,
    lost: BTreeSet<u32>,
}

impl Model {
    fn new() -> Self {
        let mut books = Books::new([2, 1]);
        (0..2).for_each(|server| books.arrive(server));
        let worlds = [(), ()].map(|()| World { is_linked: true, ..World::default() });
        let (began, returned, lost) = Default::default();
        Self { books, worlds, submitted: 0, began, returned, lost }
    }

    fn apply(&mut self, event: &Event, now: Instant) {
        match *event {
            Event::Submit => {
                self.submitted += 1;
                self.books.add(self.submitted);
            }
            Event::Send => {
                if let Some(Next::Send(server, number, task)) = self.books.next(now, |_, _| true) {
                    assert!(self.worlds[server].is_linked, "tasks go to servers that are here");
                    self.worlds[server].to.push_back((number, task));
                }
            }
            Event::Hear(server) => {
                if let Some((number, task)) = self.worlds[server].to.pop_front() {
                    *self.began.entry(task).or_default() += 1;
                    self.worlds[server].running.push_back((number, task));
                }
            }
            Event::Finish(server) => {
                let world = &mut self.worlds[server];
                if let Some((number, _)) = world.running.pop_front() {
                    world.told.insert(number);
                    if world.is_linked {
                        world.from.push_back(number);
                    }
                }
            }
            Event::Reply(server) => {
                if let Some(number) = self.worlds[server].from.pop_front() {
                    let task = self.books.ended(server, number, now).expect("a reply is expected");
                    assert!(self.returned.insert(task), "a task ends once");
                }
            }
            Event::Lose(server) => self.lose(server),
            Event::Restart(server) => {
                self.lose(server);
                let world = &mut self.worlds[server];
                world.running.clear();
                world.told.clear();
                world.is_new = true;
            }
            Event::Find(server) => self.find(server),
        }
    }

    fn lose(&mut self, server: usize) {
        let world = &mut self.worlds[server];
        world.is_linked = false;
        world.to.clear();
        world.from.clear();
        self.books.lose(server);
    }

    fn find(&mut self, server: usize) {
        if self.worlds[server].is_linked {
            return;
        }
        let world = &mut self.worlds[server];
        if std::mem::take(&mut world.is_new) {
            self.lost.extend(self.books.give_up_all(server));
        }
        for number in self.books.numbers(server).into_iter().rev() {
            if world.told.contains(&number) {
                self.lost.extend(self.books.give_up(server, number));
            } else if !world.running.iter().any(|(running, _)| *running == number) {
                self.books.take_back(server, number);
            }
        }
        world.is_linked = true;
        self.books.arrive(server);
    }
}

proptest! {
    /// Every task ends once, and none begins twice but those that the caller is told may have run.
    #[test]
    fn every_task_ends_once_and_begins_at_most_once(events in prop::collection::vec(event(), 0..400)) {
        let (mut model, now) = (Model::new(), Instant::now());
        events.iter().for_each(|event| model.apply(event, now));
        // Then all goes well until nothing is left.
        for _ in 0..2 * model.submitted + 4 {
            for server in 0..2 {
                for event in [Event::Find(server), Event::Send, Event::Hear(server), Event::Finish(server), Event::Reply(server)] {
                    model.apply(&event, now);
                }
            }
        }
        prop_assert!(model.books.is_empty());
        prop_assert!(model.returned.is_disjoint(&model.lost));
        prop_assert_eq!(model.returned.len() + model.lost.len(), model.submitted as usize);
        prop_assert!(model.began.values().all(|began| *began == 1), "{:?}", model.began);
    }

    /// What waits goes in the order in which it was submitted, also when it comes back.
    #[test]
    fn tasks_are_sent_in_their_order(losses in prop::collection::vec(any::<bool>(), 1..60)) {
        let (mut books, now) = (Books::new([3]), Instant::now());
        books.arrive(0);
        (0..200_u32).for_each(|task| books.add(task));
        let mut ended = Vec::new();
        for is_lost in losses {
            let mut sent = Vec::new();
            while let Some(Next::Send(_, number, task)) = books.next(now, |_, _| true) {
                sent.push((number, task));
            }
            prop_assert!(sent.is_sorted_by_key(|(_, task)| *task));
            prop_assert!(sent.first().is_none_or(|(_, first)| ended.iter().all(|before| before < first)));
            if is_lost {
                books.lose(0);
                for number in books.numbers(0).into_iter().rev() {
                    books.take_back(0, number);
                }
                books.arrive(0);
            } else {
                ended.extend(sent.into_iter().map(|(number, _)| books.ended(0, number, now).unwrap()));
            }
        }
    }
}
