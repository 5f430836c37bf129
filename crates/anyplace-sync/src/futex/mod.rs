//! A 32-bit word on which threads can sleep until another thread changes it.
//!
//! Linux does this in the kernel. Elsewhere, and under loom, a table of locks stands in for the kernel's hash table.

#[cfg_attr(all(target_os = "linux", not(loom)), path = "linux.rs")]
#[cfg_attr(all(not(target_os = "linux"), not(loom)), path = "table.rs")]
#[cfg_attr(loom, path = "model.rs")]
mod system;

// The table is compiled into the tests on every system, so that it is tested where this crate is developed.
#[cfg(all(test, target_os = "linux", not(loom)))]
#[allow(dead_code, reason = "on Linux only its tests call it")]
mod table;

pub(crate) use system::Futex;

impl<const SHARED: bool> Default for Futex<SHARED> {
    fn default() -> Self {
        Self::new(0)
    }
}
