//! `#[anyplace::task]`: a function that any place can run, also in another process.

mod task;

use proc_macro::TokenStream;

/// Makes a function one that any place can run by its name.
///
/// The function can still be called as before. Passed to `Place::submit` or `Place::map` it runs in the place: as a
/// closure where the place is in this process, by name with encoded arguments where it is not. Arguments and result
/// are `serde` types; several arguments are passed as a tuple.
///
/// ```
/// #[anyplace::task]
/// fn area(radius: f64) -> f64 {
///     radius * radius * std::f64::consts::PI
/// }
///
/// let place = anyplace::open("threads:2")?;
/// assert_eq!(place.submit(area, 2.0)?.wait()?, area(2.0));
/// # Ok::<(), anyplace::Error>(())
/// ```
#[proc_macro_attribute]
pub fn task(attribute: TokenStream, function: TokenStream) -> TokenStream {
    task::expand(attribute.into(), function.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
