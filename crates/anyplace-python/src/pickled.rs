//! A Python callable as work that travels: one call, or a chunk of a map.

use crate::functions::{self, Functions};
use crate::item::Item;
use crate::pickle::Dumped;
use crate::{pickle, plain};
use anyplace::work::{Arguments, Encoding, Function, Packer, Payload, PayloadRef, Pickled, Work};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::sync::Arc;

/// What a place whose workers are other processes makes calls of.
pub(crate) struct Pickles {
    functions: Functions,
    /// Asked for its memory when there is something to put there: a closed place that somebody holds has none to keep.
    place: anyplace::Place,
}

impl Pickles {
    pub(crate) fn new(place: anyplace::Place) -> Self {
        Self { functions: Functions::default(), place }
    }

    /// Arguments as they travel. Tasks may write into their large parts, so each attempt of a call that may be repeated
    /// gets its own, from a copy that stays here.
    fn payload(&self, dumped: Dumped<'_>, repeats: bool) -> Payload {
        let memory = if repeats || !dumped.is_large() { None } else { self.place.memory() };
        dumped.payload(memory.as_deref())
    }

    /// The function of a map: pickled once for all chunks, so that they all run the same.
    pub(crate) fn function(&self, callable: &Bound<'_, PyAny>) -> PyResult<Arc<Function>> {
        self.functions.get(callable)
    }

    /// A call: `arguments` begin with the callable.
    ///
    /// # Errors
    /// `anyplace.NotSerializable` names what cannot travel.
    pub(crate) fn one(
        &self,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
        repeats: bool,
    ) -> PyResult<Work> {
        let function = self.functions.get(&arguments.get_item(0)?)?;
        let keywords = keywords.filter(|keywords| !keywords.is_empty());
        let mut plain = Vec::with_capacity(64);
        if keywords.is_none() && plain::dump_tuple(arguments.iter().skip(1), &mut plain) {
            let payload = Payload::new(Encoding::Plain, plain);
            return Ok(work(function, Arguments::One(payload)));
        }
        let arguments = arguments.get_slice(1, arguments.len());
        let dumped = match keywords {
            None => pickle::dump(&arguments, "dump_arguments")?,
            Some(keywords) => dump_both(&arguments, keywords)?,
        };
        let payload = self.payload(dumped, repeats);
        Ok(work(function, Arguments::One(payload)))
    }

    /// A chunk of a map, still empty; `single` if it is to be one call.
    pub(crate) fn chunk(&self, single: bool, repeats: bool) -> Chunk<'_> {
        Chunk { pickles: self, packer: Packer::default(), one: None, single, repeats }
    }

    /// A value as its pickle and its large parts, where workers find them.
    pub(crate) fn put<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Parts<'py>> {
        let py = value.py();
        let Payload { bytes, buffers, .. } = self.payload(pickle::dump(value, "dump_put")?, false);
        let data =
            if bytes.is_shared() { pickle::lend(py, &bytes)? } else { PyBytes::new(py, &bytes).into_any() };
        let large = buffers.iter().map(|bytes| pickle::lend(py, bytes)).collect::<PyResult<_>>()?;
        Ok((data, large))
    }
}

/// The calls of a chunk, one by one. An item whose arguments cannot travel fails in its place, and costs no other.
pub(crate) struct Chunk<'a> {
    pickles: &'a Pickles,
    packer: Packer,
    one: Option<Payload>,
    single: bool,
    repeats: bool,
}

impl Chunk<'_> {
    #[inline]
    pub(crate) fn add(&mut self, py: Python<'_>, item: Item) -> PyResult<()> {
        let item = match item {
            Item::Single(argument) => {
                let argument = argument.into_bound(py);
                if !self.single
                    && let Some(number) = plain::number(&argument)
                {
                    self.packer.push(PayloadRef { encoding: Encoding::Plain, bytes: &number, buffers: &[] });
                    return Ok(());
                }
                Item::Single(argument.unbind())
            }
            several => several,
        };
        self.add_any(py, &item)
    }

    fn add_any(&mut self, py: Python<'_>, item: &Item) -> PyResult<()> {
        if self.single {
            let mut plain = Vec::new();
            let is_plain = dump_item(item.bind(py), &mut plain);
            let payload = is_plain.then(|| Payload::new(Encoding::Plain, plain));
            self.one = Some(payload.map_or_else(|| self.pickle(py, item), Ok)?);
            return Ok(());
        }
        let is_plain = self
            .packer
            .push_with(Encoding::Plain, |out| if dump_item(item.bind(py), out) { Ok(()) } else { Err(()) });
        if is_plain.is_err() {
            let payload = self.pickle(py, item)?;
            self.packer.push_payload(payload);
        }
        Ok(())
    }

    fn pickle(&self, py: Python<'_>, item: &Item) -> PyResult<Payload> {
        let arguments = item.arguments(py)?;
        Ok(self.pickles.payload(pickle::dump(arguments.bind(py), "dump_item")?, self.repeats))
    }

    /// Nothing if it has no calls.
    pub(crate) fn work(self, function: &Arc<Function>) -> Option<Work> {
        let arguments = match self.one {
            Some(payload) => Arguments::One(payload),
            None if self.packer.is_empty() => return None,
            None => Arguments::Each(self.packer.finish()),
        };
        Some(work(function.clone(), arguments))
    }
}

/// A pickle and its large parts, as objects that hold bytes.
pub(crate) type Parts<'py> = (Bound<'py, PyAny>, Vec<Bound<'py, PyAny>>);

pub(crate) fn dump_both<'py>(
    arguments: &Bound<'py, PyTuple>,
    keywords: &Bound<'py, PyDict>,
) -> PyResult<Dumped<'py>> {
    let module = arguments.py().import(intern!(arguments.py(), "anyplace._pickling"))?;
    let both = module.getattr(intern!(arguments.py(), "Arguments"))?.call1((arguments, keywords))?;
    pickle::dump(&both, "dump_both")
}

/// One argument stands for itself; only a tuple has to be told from the arguments of a call.
fn dump_item(item: Item<&Bound<'_, PyAny>, &Bound<'_, PyTuple>>, out: &mut Vec<u8>) -> bool {
    match item {
        Item::Single(argument) if !argument.is_exact_instance_of::<PyTuple>() => plain::dump(argument, out),
        Item::Single(argument) => plain::dump_tuple(std::iter::once(argument.clone()), out),
        Item::Several(arguments) => plain::dump_tuple(arguments.iter(), out),
    }
}

/// A function of this process with its arguments, for what workers do first.
pub(crate) fn first(py: Python<'_>, initializer: &Py<PyAny>, initargs: &Py<PyTuple>) -> PyResult<Pickled> {
    let (bytes, name, arguments): (Vec<u8>, String, Vec<u8>) =
        py.import("anyplace._worker")?.getattr("first")?.call1((initializer, initargs))?.extract()?;
    let arguments = Arguments::One(Payload::new(Encoding::Pickle, arguments));
    Ok(Pickled { function: Arc::new(functions::hashed(bytes, name)), arguments })
}

/// What worker processes run to keep objects.
pub(crate) fn host(py: Python<'_>) -> PyResult<Function> {
    let (bytes, name): (Vec<u8>, String) =
        py.import("anyplace._worker")?.getattr("host")?.call0()?.extract()?;
    Ok(functions::hashed(bytes, name))
}

fn work(function: Arc<Function>, arguments: Arguments) -> Work {
    Work::Pickled(Pickled { function, arguments })
}
