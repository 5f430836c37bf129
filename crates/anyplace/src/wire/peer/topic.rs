//! What the two sides of a place say of themselves when they greet: the server what it has, the client what it wants.

use crate::driver::{Family, Limits};
use crate::wire::bytes::{Malformed, Reader, Result, Writer};
use crate::work::WorkKind;
use std::time::Duration;

/// What a client wants of an offered place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// A client that has lost its conversation begins the next one with the same number.
    pub(crate) session: u128,
    /// Whether its work goes on while it is away.
    pub(crate) keep: bool,
    /// How long it may be away until it counts as gone.
    pub(crate) patience: Duration,
}

/// What an offered place has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    /// The place behind the offer, for people.
    pub(crate) place: String,
    pub(crate) workers: u64,
    pub(crate) max_payload: Option<u64>,
    pub(crate) can_kill: bool,
    pub(crate) takes: &'static [WorkKind],
    pub(crate) families: Vec<Family>,
}

/// What travels, in the order of the documentation; each list is a part of it.
const TAKES: [&[WorkKind]; 8] = {
    use WorkKind::{Command, Named, Pickled};
    [
        &[],
        &[Named],
        &[Pickled],
        &[Named, Pickled],
        &[Command],
        &[Named, Command],
        &[Pickled, Command],
        &[Named, Pickled, Command],
    ]
};

/// The kinds of work among these that can travel.
pub(crate) fn travelling(takes: impl Fn(WorkKind) -> bool) -> &'static [WorkKind] {
    let bit = |kind, bit: usize| if takes(kind) { bit } else { 0 };
    TAKES[bit(WorkKind::Named, 1) | bit(WorkKind::Pickled, 2) | bit(WorkKind::Command, 4)]
}

impl Wish {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        writer.u64((self.session >> 64) as u64);
        writer.u64(self.session as u64);
        writer.u8(self.keep.into());
        writer.u64(u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX));
        writer.into_bytes()
    }

    /// Later versions may add to its end, so what follows is ignored.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            session: u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?),
            keep: reader.u8()? != 0,
            patience: Duration::from_millis(reader.u64()?),
        })
    }
}

impl Offered {
    /// Of a place with these limits.
    pub(crate) fn new(place: String, limits: &Limits, families: Vec<Family>) -> Self {
        Self {
            place,
            workers: limits.workers as u64,
            max_payload: limits.max_payload.map(|bytes| bytes as u64),
            can_kill: limits.can_kill,
            takes: limits.takes,
            families,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        // The greeting has a limit; an address that is long is cut, since it is for people only.
        writer.text(self.place.get(..LONGEST).unwrap_or(&self.place));
        writer.u64(self.workers);
        writer.option(self.max_payload, Writer::u64);
        writer.u8(self.can_kill.into());
        let takes = TAKES.iter().position(|takes| takes == &self.takes).unwrap_or(0);
        writer.u8(takes as u8);
        let families = self.families.iter().map(|family| 1 << (*family as u8));
        writer.u8(families.fold(0, |all, one: u8| all | one));
        writer.into_bytes()
    }

    /// Later versions may add to its end, so what follows is ignored.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let (place, workers) = (reader.text()?.to_owned(), reader.u64()?);
        let (max_payload, can_kill) = (reader.option(Reader::u64)?, reader.u8()? != 0);
        let takes = *TAKES.get(usize::from(reader.u8()?)).ok_or(Malformed("kinds of work"))?;
        let families = reader.u8()?;
        let has = |family: &Family| families & 1 << (*family as u8) != 0;
        let families = Family::ALL.into_iter().filter(has).collect();
        Ok(Self { place, workers, max_payload, can_kill, takes, families })
    }
}

/// So much of a place's address is told.
const LONGEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_topics_read_as_they_were_written() {
        let wish = Wish { session: u128::MAX - 3, keep: true, patience: Duration::from_secs(30) };
        assert_eq!(Wish::read(&wish.to_bytes()), Ok(wish));
        let offered = Offered {
            place: "processes:8".into(),
            workers: 8,
            max_payload: Some(1 << 40),
            can_kill: true,
            takes: travelling(|kind| kind != WorkKind::Pickled),
            families: vec![Family::Tasks, Family::Serve],
        };
        assert_eq!(offered.takes, [WorkKind::Named, WorkKind::Command]);
        assert_eq!(Offered::read(&offered.to_bytes()), Ok(offered));
        assert!(Offered::read(b"x").is_err() && Wish::read(b"").is_err());
    }

    #[test]
    fn a_place_that_only_announces_a_long_name_is_refused() {
        for announced in [1_u64 << 40, u64::MAX] {
            assert!(Offered::read(&[&announced.to_le_bytes()[..], b"processes:8"].concat()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
            drop(Offered::read(&bytes));
            // Later versions may say more, and no version says less.
            prop_assert_eq!(Wish::read(&bytes).is_ok(), bytes.len() >= 25);
        }
    }
}
