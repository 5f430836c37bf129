//! What every driver must show, as plain functions of a [`Place`](anyplace::Place).
//!
//! A [`Behaviour`] is a promise with a name that is a true sentence. A [`Kit`] takes an address and gives one
//! [`Trial`] for each: one that runs on a place of its own, or one that says why it cannot apply there. A driver that
//! lacks a family has one trial for it: the place must *say* so, at once, with its address and places that can.
//!
//! A driver outside this project shows them with its own registry:
//!
//! ```
//! use anyplace::Registry;
//! use anyplace_testkit::Kit;
//!
//! let kit = Kit::new(Registry::standard());
//! for trial in kit.trials("threads:2")? {
//!     match trial.skip() {
//!         Some(reason) => assert!(!reason.is_empty()),
//!         None => trial.run()?,
//!     }
//! }
//! # Ok::<(), anyplace::Error>(())
//! ```
//!
//! Behaviours panic where a promise is broken. They wait for events, never for time; what does not come within half a
//! minute counts as never.

pub mod behaviours;

mod door;
mod kit;
mod leftovers;
mod share;
mod submit;
mod thing;
mod work;

pub use behaviours::{Behaviour, Need, names};
pub use kit::{Kit, Trial};
