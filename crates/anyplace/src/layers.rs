//! Tasks around Tasks: what an address says before `::`.

use crate::address::LayerSpec;
use crate::driver::Layer;
use crate::error::{Error, Result};
use crate::spelling;
use std::sync::Arc;

/// One kind of layer, as addresses name it.
#[derive(Clone, Copy, Debug)]
pub struct LayerEntry {
    /// Its name before `=`.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Examples.
    pub forms: &'static [&'static str],
    /// The options it takes, with a line each.
    pub options: &'static [(&'static str, &'static str)],
    /// Makes one.
    pub make: fn(&LayerSpec) -> Result<Arc<dyn Layer>>,
}

/// Every layer of this crate: one line each.
pub static LAYERS: &[LayerEntry] = &[];

pub(crate) fn from_specs(specs: &[LayerSpec]) -> Result<Vec<Arc<dyn Layer>>> {
    specs.iter().map(from_spec).collect()
}

pub(crate) fn from_text(text: &str) -> Result<Arc<dyn Layer>> {
    let address: crate::Address = format!("{text}::inline:").parse()?;
    let [spec] = address.layers() else {
        return Err(Error::config("that is not one layer").with_help("write one such as `retry=3`"));
    };
    from_spec(spec)
}

fn from_spec(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    let entry = LAYERS.iter().find(|entry| entry.name == spec.name()).ok_or_else(|| {
        let names = LAYERS.iter().map(|entry| entry.name);
        Error::config(format!("no layer is called `{}`", spec.name()))
            .during("open")
            .with_help(spelling::hint(spec.name(), names, "no layers are built in", "there are"))
    })?;
    let accepted: Vec<&str> = entry.options.iter().map(|(name, _)| *name).collect();
    spec.options().expect_only(&accepted, format!("{}=", entry.name))?;
    (entry.make)(spec)
}

/// Refuses layers whose order would not do what it says.
pub(crate) fn check_order(_layers: &[Arc<dyn Layer>]) -> Result<()> {
    Ok(())
}
