use super::{open, refusal};
use crate::driver::{Layer, Limits, Tasks};
use crate::error::{Kind, Result};
use crate::layers::{HAZARDS, LAYERS, Retry, Timeout};
use crate::outcome::Done;
use crate::task::Task;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn the_right_order_opens() -> Result<()> {
    let place = open("progress::retry=3?backoff=1ms::timeout=30s::limit=4?rate=1000/s::threads:2")?;
    assert!(place.layers().eq(["progress", "retry", "timeout", "limit"]));
    assert!(place.layers().eq(LAYERS.iter().map(|entry| entry.name)));
    assert_eq!(place.submit(|n: u32| n + 1, 1)?.wait()?, 2);
    Ok(())
}

#[test]
fn every_order_that_would_not_do_what_it_says_is_refused_with_the_right_one() {
    let form = |name: &str| LAYERS.iter().find(|entry| entry.name == name).unwrap().forms[0];
    for (outer, inner, why) in HAZARDS {
        let error = refusal(&format!("{}::{}::threads:1", form(outer), form(inner)));
        assert_eq!((error.kind(), error.message()), (Kind::ConfigInvalid, *why));
        let right =
            if outer == inner { format!("keep one `{outer}`") } else { format!("`{inner}::{outer}::…`") };
        assert!(error.help().unwrap().contains(&right), "{error:?}");
    }
}

#[test]
fn code_is_refused_as_addresses_are() {
    let retried = open("threads:1").unwrap().with(Retry::times(2)).unwrap();
    let error = retried.with(Timeout::after(Duration::from_secs(1))).unwrap_err();
    assert!(error.help().unwrap().contains("`retry::timeout::…`"), "{error:?}");
}

#[test]
fn a_wrong_value_or_option_is_named_with_what_is_accepted() {
    for (address, named, help) in [
        ("retry=0::inline:", "`retry` cannot be `0`", "`retry=3`"),
        ("retry=x::inline:", "`retry` cannot be `x`", "`retry=3`"),
        ("retry::inline:", "`retry` has no value", "`retry=3`"),
        ("retry=3?bakoff=1s::inline:", "`retry=` has no option `bakoff`", "did you mean `backoff`"),
        ("retry=3?backoff=soon::inline:", "option `backoff` of `retry`: `soon`", "`250ms`"),
        ("retry=3?jitter=2::inline:", "option `jitter` cannot be `2`", "from 0 to 1"),
        ("retry=3?idempotent=maybe::inline:", "option `idempotent` cannot be `maybe`", "`true` or `false`"),
        ("timeout::inline:", "`timeout` has no value", "`timeout=30s`"),
        ("timeout=0::inline:", "`timeout` cannot be `0`", "above 0"),
        ("timeout=soon::inline:", "`timeout` cannot be `soon`", "`timeout=250ms`"),
        ("limit::inline:", "`limit` has no value", "`limit=4`"),
        ("limit=0::inline:", "`limit` cannot be `0`", "`limit=4`"),
        ("limit?rate=fast::inline:", "option `rate` cannot be `fast`", "`600/m`"),
        ("limit=1?burst=0::inline:", "option `burst` cannot be `0`", "from 1 on"),
        ("progress=loud::inline:", "`progress` cannot be `loud`", "`Progress::new`"),
        ("retries=3::inline:", "no layer is called `retries`", "did you mean `retry`"),
    ] {
        let error = refusal(address);
        assert_eq!(error.kind(), Kind::ConfigInvalid, "{address}");
        assert!(error.message().contains(named), "{address}: {error}");
        assert!(error.help().is_some_and(|text| text.contains(help)), "{address}: {error:?}");
    }
}

/// A journal and a trace need no more than a layer sees already.
#[test]
fn a_layer_sees_all_of_a_task() -> Result<()> {
    #[derive(Clone, Debug, Default)]
    struct Journal(Arc<Mutex<Vec<String>>>, Option<Arc<dyn Tasks>>);
    impl Layer for Journal {
        fn name(&self) -> &'static str {
            "journal"
        }

        fn is_per_item(&self) -> bool {
            true
        }

        fn wrap(&self, inner: Arc<dyn Tasks>, _: &Limits) -> Arc<dyn Tasks> {
            Arc::new(Self(self.0.clone(), Some(inner)))
        }
    }
    impl Tasks for Journal {
        fn submit(&self, task: Task, done: Done) {
            let lines = [self.0.clone(), self.0.clone()];
            let [began, ended] = lines;
            let (id, index) = (task.id, task.index);
            began.lock().unwrap().push(format!("{id}[{index}] submitted, attempt {}", task.attempt));
            task.control().on_start(move |started| {
                let line = format!("{id}[{index}] began, attempt {} on {}", started.attempt, started.worker);
                began.lock().unwrap().push(line);
            });
            let done = Done::new(move |outcome| {
                let how = outcome.error().map_or("returned", |error| error.kind().name());
                ended.lock().unwrap().push(format!("{id}[{index}] ended: {how}"));
                done.call(outcome);
            });
            self.1.as_ref().unwrap().submit(task, done);
        }
    }
    let journal = Journal::default();
    let place = open("retry=2::inline:")?.with(journal.clone())?;
    let second = |_: u32| assert_eq!(crate::current().unwrap().attempt, 2);
    place.map(second, [0])?.try_for_each(|result| result)?;
    assert_eq!(
        *journal.0.lock().unwrap(),
        [
            "0[0] submitted, attempt 1",
            "0[0] began, attempt 1 on 0",
            "0[0] began, attempt 2 on 0",
            "0[0] ended: returned",
        ]
    );
    Ok(())
}
