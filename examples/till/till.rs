//! Three processes take orders from a queue and share a till; one of them is killed with the till open.
#![allow(clippy::print_stdout)] // A program's printing is its result.

use anyplace::share::{Lock, Queue, Value};

/// Takes orders until no more will come.
#[anyplace::task]
fn serve(
    orders: Queue<u32>,
    till: Lock,
    total: Value<i64>,
    found: Value<i64>,
) -> Result<(), anyplace::Error> {
    for order in orders.iter() {
        let open = till.acquire()?;
        if open.was_abandoned() {
            found.add(1);
        }
        if order == 13 {
            std::process::abort();
        }
        total.set(total.get() + i64::from(order));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    anyplace::init();
    let place = anyplace::open("processes:3")?;
    let (orders, till) = (place.queue::<u32>("orders", 10)?, place.lock("till")?);
    let (total, found) = (place.value("total", 0)?, place.counter("found")?);
    let shift = |_| place.submit(serve, (orders.clone(), till.clone(), total.clone(), found.clone()));
    let shifts: Vec<_> = (0..3).map(shift).collect::<Result<_, _>>()?;
    (0..100).try_for_each(|order| orders.put(order))?;
    orders.shut_down(false);
    let ends: Vec<_> = shifts.into_iter().map(anyplace::Handle::wait).collect();
    let lost = ends.iter().filter(|end| end.is_err()).count();
    println!("{} in the till; {lost} worker lost; {} found the till left open", total.get(), found.get());
    Ok(())
}
