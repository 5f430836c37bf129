//! A queue that lies with a peer, or what an end of a pipe there sends and receives.

use crate::error::{Error, Kind as ErrorKind, Result};
use crate::share::far::{Answer, Object, Undo, Waiting};
use crate::share::item::Item;
use crate::wire::peer::share::Op;
use std::sync::Arc;

pub(super) struct Far {
    pub(super) name: Arc<str>,
    pub(super) object: Arc<Object>,
}

impl Far {
    /// The value is packed now, and stays in `item` until it is put.
    #[track_caller]
    pub(super) fn put<'a, T: Item>(
        &'a self,
        rank: i64,
        item: &'a mut Option<T>,
        ended: impl Fn() -> Error + Send + 'a,
    ) -> Waiting<'a, ()> {
        let values = item.iter().map(T::pack).collect();
        let put = move |_| {
            *item = None;
            Ok(())
        };
        self.object.waiting_with(Op::Put { rank }, values, put).or_else_as(ErrorKind::Ended, ended)
    }

    #[track_caller]
    pub(super) fn get<'a, T: Item>(&'a self, ended: impl Fn() -> Error + Send + 'a) -> Waiting<'a, T> {
        let got = |answer: Answer| answer.value().map_or_else(|| Err(nothing()), T::unpack);
        self.object.waiting(Op::Get, Undo::Return, got).or_else_as(ErrorKind::Ended, ended)
    }

    #[track_caller]
    pub(super) fn get_many<'a, T: Item>(
        &'a self,
        most: usize,
        ended: impl Fn() -> Error + Send + 'a,
    ) -> Waiting<'a, Vec<T>> {
        let got = |answer: Answer| answer.values.into_iter().map(T::unpack).collect();
        let most = most as u64;
        self.object.waiting(Op::GetMany { most }, Undo::Return, got).or_else_as(ErrorKind::Ended, ended)
    }

    #[track_caller]
    pub(super) fn look(&self) -> Waiting<'_, ()> {
        self.object.waiting(Op::Look, Undo::Nothing, |_| Ok(()))
    }

    #[track_caller]
    pub(super) fn join(&self) -> Waiting<'_, ()> {
        self.object.waiting(Op::Join, Undo::Nothing, |_| Ok(()))
    }

    pub(super) fn ask(&self, op: Op) -> Result<i64> {
        self.object.number(op)
    }
}

fn nothing() -> Error {
    Error::new(ErrorKind::NotSerializable, "the answer should have been a value, and is none")
}
