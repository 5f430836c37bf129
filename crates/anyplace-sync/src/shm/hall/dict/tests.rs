use super::super::tests::{another, worn};
use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Set(u8, usize),
    GetOrSet(u8, usize),
    Exchange(u8, usize, Option<usize>),
    Remove(u8),
    RemoveLast,
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || any::<u8>();
    let len = || prop_oneof![5 => 0..40_usize, 1 => 0..3000_usize];
    let step = prop_oneof![
        6 => (key(), len()).prop_map(|(key, len)| Step::Set(key, len)),
        2 => (key(), len()).prop_map(|(key, len)| Step::GetOrSet(key, len)),
        2 => (key(), len(), prop::option::of(len())).prop_map(|(key, old, new)| Step::Exchange(key, old, new)),
        3 => key().prop_map(Step::Remove),
        1 => Just(Step::RemoveLast),
    ];
    let all = prop_oneof![60 => step, 1 => Just(Step::Clear)];
    prop::collection::vec(all, 0..500)
}

/// Keys of different lengths, some of which begin alike.
fn key(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) % 20]
}

fn value(len: usize) -> Vec<u8> {
    vec![len as u8; len]
}

/// Keys in the order in which they came.
type Model = Vec<(Vec<u8>, Vec<u8>)>;

fn position(model: &Model, key: &[u8]) -> Option<usize> {
    model.iter().position(|(its, _)| its == key)
}

fn set(model: &mut Model, key: Vec<u8>, value: Vec<u8>) {
    match position(model, &key) {
        Some(at) => model[at].1 = value,
        None => model.push((key, value)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn a_dict_is_what_was_done_to_it(steps in steps()) {
        let ours = worn().dict(None).unwrap();
        let theirs = another(ours.object().hall()).open_dict(ours.object().handle()).unwrap();
        let mut model = Model::new();
        for (step, dict) in steps.into_iter().zip([&ours, &theirs].into_iter().cycle()) {
            match step {
                Step::Set(number, len) => {
                    dict.set(&key(number), &value(len)).unwrap();
                    set(&mut model, key(number), value(len));
                }
                Step::GetOrSet(number, len) => {
                    let there = position(&model, &key(number)).map(|at| model[at].1.clone());
                    prop_assert_eq!(dict.get_or_set(&key(number), &value(len)).unwrap(), there.clone());
                    if there.is_none() {
                        set(&mut model, key(number), value(len));
                    }
                }
                Step::Exchange(number, old, new) => {
                    let key = key(number);
                    let there = position(&model, &key).map(|at| model[at].1.clone());
                    let (old, new) = (value(old), new.map(value));
                    let refused = dict.exchange(&key, Some(&old), new.as_deref()).unwrap();
                    if there.as_ref() == Some(&old) {
                        prop_assert_eq!(refused, None);
                        match new {
                            Some(new) => set(&mut model, key, new),
                            None => model.retain(|(its, _)| *its != key),
                        }
                    } else {
                        prop_assert_eq!(refused, Some(there));
                    }
                }
                Step::Remove(number) => {
                    let there = position(&model, &key(number)).map(|at| model.remove(at).1);
                    prop_assert_eq!(dict.remove(&key(number)), there);
                }
                Step::RemoveLast => prop_assert_eq!(dict.remove_last(), model.pop()),
                Step::Clear => {
                    dict.clear().unwrap();
                    model.clear();
                }
            }
            prop_assert_eq!(ours.len(), model.len());
        }
        prop_assert_eq!(ours.items(), model.clone());
        for (key, value) in &model {
            prop_assert_eq!(theirs.get(key), Some(value.clone()));
        }
    }
}

#[test]
fn a_dict_grows_with_what_is_in_it_and_not_with_what_was() {
    let hall = Hall::create().unwrap();
    let dict = hall.dict(None).unwrap();
    for number in 0..20_000_u64 {
        dict.set(&number.to_le_bytes(), &[1; 20]).unwrap();
    }
    assert_eq!((dict.len(), dict.get(&7_u64.to_le_bytes())), (20_000, Some(vec![1; 20])));
    for _ in 0..100_000 {
        dict.set(b"one", &[2; 200]).unwrap();
    }
    let in_use = hall.usage().in_use;
    assert!(in_use < 10_000_000, "20 MB were written, {in_use} are in use");
    dict.set_many([(&b"two"[..], &b"2"[..]), (b"three", b"3")]).unwrap();
    assert!(dict.contains(b"two") && dict.keys().last().unwrap() == b"three");
    dict.clear().unwrap();
    assert!(dict.is_empty() && hall.usage().in_use < 100_000);
}
