//! A queue whose values are in reach: in the memory of this process, or in memory that processes share.

use super::hall::{self, Packed};
use super::here::{Here, Shut};
use crate::error::Result;
use crate::share::item::Item;
use crate::share::object::Shared;
use crate::share::shape::Kind;
use crate::share::site::Site;
use crate::share::travel::Travelling;
use crate::share::wait::Turn;
use anyplace_sync::shm::hall::ShutDown;
use std::sync::Arc;
use std::time::Instant;

pub(super) enum Near<T: Item> {
    Here(Shared<Here<T>>),
    Hall(hall::Shared),
}

impl<T: Item> Near<T> {
    pub(super) fn site(&self) -> &Arc<Site> {
        match self {
            Self::Here(queue) => &queue.site,
            Self::Hall(shared) => &shared.site,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Here(queue) => &queue.name,
            Self::Hall(shared) => &shared.name,
        }
    }

    #[inline]
    pub(super) fn put<'a>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
        (rank, item): (i64, &mut Option<T>),
        packed: &mut Option<Packed>,
    ) -> Result<Option<Result<(), Shut>>> {
        match self {
            Self::Here(queue) => Ok(queue.put(turn, until, rank, item)),
            Self::Hall(queue) => queue.put(turn, until, (rank, item), packed),
        }
    }

    #[inline]
    pub(super) fn get<'a>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
    ) -> Result<Option<Result<T, Shut>>> {
        match self {
            Self::Here(queue) => Ok(queue.get(turn, until)),
            Self::Hall(shared) => match shared.queue.get(turn, until) {
                None => Ok(None),
                Some(Err(ShutDown)) => Ok(Some(Err(Shut))),
                Some(Ok(received)) => hall::unpack(received).map(|item| Some(Ok(item))),
            },
        }
    }

    pub(super) fn get_many<'a>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
        most: usize,
    ) -> Result<Option<Result<Vec<T>, Shut>>> {
        match self {
            Self::Here(queue) => Ok(queue.get_many(turn, until, most)),
            Self::Hall(shared) => match shared.queue.get_many(turn, most, until) {
                None => Ok(None),
                Some(Err(ShutDown)) => Ok(Some(Err(Shut))),
                Some(Ok(all)) => {
                    let all = all.into_iter().map(hall::unpack).collect::<Result<_>>()?;
                    Ok(Some(Ok(all)))
                }
            },
        }
    }

    pub(super) fn look<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<()> {
        match self {
            Self::Here(queue) => queue.look(turn, until),
            Self::Hall(shared) => shared.look(turn, until),
        }
    }

    pub(super) fn join<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<()> {
        match self {
            Self::Here(queue) => queue.join(turn, until),
            Self::Hall(shared) => shared.queue.join(turn, until).then_some(()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Here(queue) => queue.len(),
            Self::Hall(shared) => shared.queue.len(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Here(queue) => queue.capacity(),
            Self::Hall(shared) => shared.queue.capacity(),
        }
    }

    /// Whether there was something left to be done.
    pub(super) fn task_done(&self) -> bool {
        match self {
            Self::Here(queue) => queue.task_done(&queue.site).is_ok(),
            Self::Hall(shared) => shared.queue.task_done(1).is_ok(),
        }
    }

    pub(super) fn shut_down(&self, discards: bool) {
        match self {
            Self::Here(queue) => queue.shut_down(&queue.site, discards),
            Self::Hall(shared) => shared.queue.shut_down(discards),
        }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        match self {
            Self::Here(queue) => queue.is_shut_down(),
            Self::Hall(shared) => shared.queue.is_shut(),
        }
    }

    pub(super) fn travel(&self) -> Result<Travelling> {
        match self {
            Self::Here(queue) => queue.travel(Kind::Queue),
            Self::Hall(shared) => {
                Ok(Travelling::of(&shared.site, &shared.name, shared.queue.object().handle()))
            }
        }
    }
}
