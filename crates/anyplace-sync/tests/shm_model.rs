//! Whatever a host and its workers do with shared memory, in any order: it is as if each block were a value of its own.
#![cfg(all(target_os = "linux", not(loom)))]

use anyplace_sync::shm::{Block, BlockMut, Deposit, Memory, Segment, View};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

const WORKERS: usize = 3;

/// What somebody does next. An `Index` chooses among what there is.
#[derive(Debug, Clone)]
enum Step {
    HostAllocates(usize),
    HostFreezes(Index),
    HostClones(Index),
    HostFinds(Index),
    HostDrops(Index),
    HostAdopts(Index),
    HostTrims,
    WorkerAllocates(usize, usize),
    WorkerGrows(Index, usize),
    WorkerPublishes(Index),
    WorkerBorrows(usize, Index),
    WorkerDropsView(Index),
    WorkerDeposits(Index),
    WorkerWithdraws(usize, Index),
    SomebodyDiscards(Index),
    WorkerDies(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let len = || prop_oneof![0..2000_usize, 0..100_000_usize];
    let which = any::<Index>;
    let step = prop_oneof![
        len().prop_map(HostAllocates),
        which().prop_map(HostFreezes),
        which().prop_map(HostClones),
        which().prop_map(HostFinds),
        which().prop_map(HostDrops),
        which().prop_map(HostAdopts),
        Just(HostTrims),
        (0..WORKERS, len()).prop_map(|(worker, len)| WorkerAllocates(worker, len)),
        (which(), len()).prop_map(|(which, len)| WorkerGrows(which, len)),
        which().prop_map(WorkerPublishes),
        (0..WORKERS, which()).prop_map(|(worker, which)| WorkerBorrows(worker, which)),
        which().prop_map(WorkerDropsView),
        which().prop_map(WorkerDeposits),
        (0..WORKERS, which()).prop_map(|(worker, which)| WorkerWithdraws(worker, which)),
        which().prop_map(SomebodyDiscards),
        (0..WORKERS).prop_map(WorkerDies),
    ];
    prop::collection::vec(step, 1..80)
}

/// A value of ours, whose it is, and the byte it was filled with.
struct Owned<T> {
    worker: usize,
    byte: u8,
    value: T,
}

/// The processes, and what the model says they have.
struct World {
    segment: Arc<Segment>,
    host: Memory,
    workers: Vec<Memory>,
    filling: Vec<Owned<BlockMut>>,
    shared: Vec<Owned<Block>>,
    replies: Vec<Owned<BlockMut>>,
    published: Vec<Owned<(u32, usize)>>,
    views: Vec<Owned<View>>,
    deposits: Vec<Owned<(Deposit, usize)>>,
    withdrawn: Vec<Owned<Block>>,
    /// Deposits that are gone.
    spent: Vec<Deposit>,
    next_byte: u8,
}

/// The host's own things have a worker too: nobody's.
const HOST: usize = WORKERS;

impl World {
    fn new() -> Self {
        let segment = Segment::create_sized(0, "test", 32 << 20).unwrap();
        let host = Memory::host(segment.clone(), WORKERS).unwrap();
        let workers = (0..WORKERS).map(|index| open(&segment, index)).collect();
        let (filling, shared, replies) = Default::default();
        let (published, views) = Default::default();
        let (deposits, withdrawn, spent) = Default::default();
        let next_byte = 0;
        Self {
            segment,
            host,
            workers,
            filling,
            shared,
            replies,
            published,
            views,
            deposits,
            withdrawn,
            spent,
            next_byte,
        }
    }

    fn filled(&mut self, worker: usize, len: usize) -> Owned<BlockMut> {
        let memory = self.workers.get(worker).unwrap_or(&self.host);
        let mut value = memory.allocate(len).unwrap();
        assert_eq!(value.len(), len);
        self.next_byte = self.next_byte.wrapping_add(1);
        value.fill(self.next_byte);
        Owned { worker, byte: self.next_byte, value }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::HostAllocates(len) => {
                let block = self.filled(HOST, len);
                self.filling.push(block);
            }
            Step::HostFreezes(which) => {
                let Some(block) = removed(&mut self.filling, which) else { return };
                self.shared.push(block.map(BlockMut::freeze));
            }
            Step::HostClones(which) => {
                let Some(block) = chosen(&self.shared, which) else { return };
                let copy = Owned { worker: HOST, byte: block.byte, value: block.value.clone() };
                self.shared.push(copy);
            }
            Step::HostFinds(which) => self.find(which),
            Step::HostDrops(which) => drop(removed(&mut self.shared, which)),
            Step::HostAdopts(which) => self.adopt(which),
            Step::HostTrims => drop(self.host.trim()),
            Step::WorkerAllocates(worker, len) => {
                let block = self.filled(worker, len);
                self.replies.push(block);
            }
            Step::WorkerGrows(which, len) => self.grow(which, len),
            Step::WorkerPublishes(which) => {
                let Some(block) = removed(&mut self.replies, which) else { return };
                self.published.push(block.map(BlockMut::publish));
            }
            Step::WorkerBorrows(worker, which) => self.borrow(worker, which),
            Step::WorkerDropsView(which) => drop(removed(&mut self.views, which)),
            Step::WorkerDeposits(which) => self.deposit(which),
            Step::WorkerWithdraws(worker, which) => self.withdraw(worker, which),
            Step::SomebodyDiscards(which) => {
                let Some(Owned { value: (deposit, _), .. }) = removed(&mut self.deposits, which) else {
                    return;
                };
                assert!(self.host.discard(deposit));
                self.spent.push(deposit);
            }
            Step::WorkerDies(worker) => self.die(worker),
        }
    }

    fn deposit(&mut self, which: Index) {
        let Some(block) = removed(&mut self.replies, which) else { return };
        let value = (block.value.as_deposit().unwrap(), block.value.len());
        self.deposits.push(Owned { worker: HOST, byte: block.byte, value });
        block.value.deposit();
    }

    fn withdraw(&mut self, worker: usize, which: Index) {
        let Some(Owned { byte, value: (deposit, len), .. }) = removed(&mut self.deposits, which) else {
            return;
        };
        let value = self.workers[worker].withdraw(deposit, len).unwrap();
        self.spent.push(deposit);
        self.withdrawn.push(Owned { worker, byte, value });
    }

    fn find(&mut self, which: Index) {
        let Some(block) = chosen(&self.shared, which).filter(|block| !block.value.is_empty()) else { return };
        let last = block.value.len() - 1;
        let (found, offset) = self.host.find(&raw const block.value[last], 1).unwrap();
        assert_eq!((found.number(), offset), (block.value.number(), last));
    }

    fn adopt(&mut self, which: Index) {
        let Some(Owned { worker, byte, value: (number, len) }) = removed(&mut self.published, which) else {
            return;
        };
        let value = self.host.adopt(number, len, worker).unwrap();
        self.host.adopt(number, len, worker).unwrap_err();
        self.shared.push(Owned { worker: HOST, byte, value });
    }

    fn grow(&mut self, which: Index, len: usize) {
        let Some(mut block) = removed(&mut self.replies, which) else { return };
        let before = block.value.len();
        block.value.grow(len).unwrap();
        assert!(block.value.len() >= len);
        assert!(block.value[..before].iter().all(|byte| *byte == block.byte), "what was there is there");
        block.value.fill(block.byte);
        self.replies.push(block);
    }

    fn borrow(&mut self, worker: usize, which: Index) {
        let Some(block) = chosen(&self.shared, which) else { return };
        let value = self.workers[worker].borrow(block.value.number(), block.value.len()).unwrap();
        self.views.push(Owned { worker, byte: block.byte, value });
    }

    /// A worker that is killed drops nothing; another comes in its place.
    fn die(&mut self, worker: usize) {
        forget(&mut self.replies, worker);
        forget(&mut self.views, worker);
        forget(&mut self.withdrawn, worker);
        self.published.retain(|owned| owned.worker != worker);
        self.host.sweep(worker);
        self.workers[worker] = open(&self.segment, worker);
    }

    /// Everything anybody has is as it was written, and nothing else is in use.
    fn check(&self) {
        self.filling.iter().for_each(Owned::check);
        self.shared.iter().for_each(Owned::check);
        self.replies.iter().for_each(Owned::check);
        self.views.iter().for_each(Owned::check);
        self.withdrawn.iter().for_each(Owned::check);
        for owned in &self.deposits {
            assert!(self.host.is_deposited(owned.value.0));
        }
        for &spent in &self.spent {
            assert!(!self.host.is_deposited(spent) && !self.host.discard(spent), "it is another's by now");
        }
        let mut numbers: HashSet<u32> = self.shared.iter().map(|owned| owned.value.number()).collect();
        numbers.extend(self.views.iter().map(|owned| owned.value.number()));
        let shared = numbers.len();
        numbers.extend(self.filling.iter().chain(&self.replies).map(|owned| owned.value.number()));
        numbers.extend(self.published.iter().map(|owned| owned.value.0));
        numbers.extend(self.withdrawn.iter().map(|owned| owned.value.number()));
        let alone = self.filling.len() + self.replies.len() + self.published.len() + self.withdrawn.len();
        assert_eq!(numbers.len(), shared + alone, "nobody shares a block unknowingly");
        assert_eq!(self.host.usage().blocks, numbers.len() + self.deposits.len());
    }
}

impl<T> Owned<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Owned<U> {
        Owned { worker: self.worker, byte: self.byte, value: change(self.value) }
    }
}

impl<T: std::ops::Deref<Target = [u8]>> Owned<T> {
    fn check(&self) {
        assert!(self.value.iter().all(|byte| *byte == self.byte), "all is {}", self.byte);
    }
}

fn forget<T>(values: &mut Vec<Owned<T>>, worker: usize) {
    let (dead, living) = mem::take(values).into_iter().partition(|owned| owned.worker == worker);
    *values = living;
    mem::forget::<Vec<_>>(dead);
}

fn open(segment: &Segment, worker: usize) -> Memory {
    let fd = segment.fd().unwrap().try_clone().unwrap();
    Memory::worker(Segment::open(fd).unwrap(), worker).unwrap()
}

fn chosen<T>(values: &[T], which: Index) -> Option<&T> {
    (!values.is_empty()).then(|| which.get(values))
}

fn removed<T>(values: &mut Vec<T>, which: Index) -> Option<T> {
    (!values.is_empty()).then(|| values.swap_remove(which.index(values.len())))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_are_values_of_their_own_whatever_happens(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        (0..WORKERS).for_each(|worker| world.die(worker));
        (world.filling, world.shared) = Default::default();
        for owned in world.deposits {
            assert!(world.host.discard(owned.value.0), "what was deposited outlives its makers");
        }
        assert_eq!(world.host.usage().blocks, 0);
    }
}
