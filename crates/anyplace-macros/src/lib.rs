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
///
/// The name means the task wherever a value is expected, also in patterns: call results something else than the
/// function (`let disc = area(2.0)`, not `let area = area(2.0)`).
///
/// # What is refused
/// What cannot travel, or has no one name, does not compile.
///
/// A task has one name, so it cannot be generic:
/// ```compile_fail
/// #[anyplace::task]
/// fn first<T: Clone>(items: Vec<T>) -> T {
///     items[0].clone()
/// }
/// ```
///
/// It owns its arguments, since they may come from another process:
/// ```compile_fail
/// #[anyplace::task]
/// fn length(text: &str) -> usize {
///     text.len()
/// }
/// ```
///
/// Arguments and results are `serde` types:
/// ```compile_fail
/// #[derive(Clone)]
/// struct Private(u32);
///
/// #[anyplace::task]
/// fn open_up(private: Private) -> u32 {
///     private.0
/// }
/// ```
///
/// It is a plain function; futures are run by `Place::spawn`:
/// ```compile_fail
/// #[anyplace::task]
/// async fn later() -> u32 {
///     42
/// }
/// ```
///
/// It is called with what it takes, in every place:
/// ```compile_fail
/// #[anyplace::task]
/// fn area(radius: f64) -> f64 {
///     radius * radius * std::f64::consts::PI
/// }
///
/// anyplace::open("inline:").unwrap().submit(area, String::from("two")).unwrap();
/// ```
#[proc_macro_attribute]
pub fn task(attribute: TokenStream, function: TokenStream) -> TokenStream {
    task::expand(attribute.into(), function.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
