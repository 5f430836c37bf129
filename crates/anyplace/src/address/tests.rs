use super::*;
use proptest::prelude::*;

/// Text, layers, scheme, target, options, and how it prints.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// The grammar's table, row by row.
#[test]
fn the_grammar_reads_as_its_table_says() {
    let rows: &[Row] = &[
        ("threads:8", &[], "threads", "8", &[], "threads:8"),
        ("threads", &[], "threads", "", &[], "threads:"),
        ("Threads:8", &[], "threads", "8", &[], "threads:8"),
        ("inline:?seed=42", &[], "inline", "", &[("seed", "42")], "inline:?seed=42"),
        ("threads?seed=42", &[], "threads", "", &[("seed", "42")], "threads:?seed=42"),
        ("retry=3::threads:2", &["retry=3"], "threads", "2", &[], "retry=3::threads:2"),
        ("progress::threads:2", &["progress"], "threads", "2", &[], "progress::threads:2"),
        (
            "retry=3?backoff=1s::limit?rate=5::threads:",
            &["retry=3?backoff=1s", "limit?rate=5"],
            "threads",
            "",
            &[],
            "retry=3?backoff=1s::limit?rate=5::threads:",
        ),
        ("tcp://[::1]:7777", &[], "tcp", "//[::1]:7777", &[], "tcp://[::1]:7777"),
        ("retry=2::tcp://[::1]:7", &["retry=2"], "tcp", "//[::1]:7", &[], "retry=2::tcp://[::1]:7"),
        ("sqlite:a%3Fb.db", &[], "sqlite", "a?b.db", &[], "sqlite:a%3Fb.db"),
        ("x:?a=1&b", &[], "x", "", &[("a", "1"), ("b", "true")], "x:?a=1&b=true"),
        ("redis://u:p@h/0", &[], "redis", "//u:p@h/0", &[], "redis://u:***@h/0"),
        ("x:?api_token=abc", &[], "x", "", &[("api_token", "abc")], "x:?api_token=***"),
    ];
    for (text, layers, scheme, target, options, printed) in rows {
        let address: Address = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let names: Vec<String> = address.layers().iter().map(ToString::to_string).collect();
        assert_eq!(&names, layers, "{text}");
        assert_eq!(address.scheme(), *scheme, "{text}");
        assert_eq!(address.target(), *target, "{text}");
        assert_eq!(&address.options().iter().collect::<Vec<_>>(), options, "{text}");
        assert_eq!(address.to_string(), *printed, "{text}");
    }
}

#[test]
fn a_wrong_address_names_the_part() {
    for (text, part) in [
        ("", "empty"),
        (":8", "character 1"),
        ("8threads:", "character 1"),
        ("retry=3::", "character 10"),
        ("retry=3", "ends behind the layer `retry`"),
        ("threads:%zz", "hexadecimal"),
        ("threads:?=3", "no proper name"),
        ("threads:?a=1&a=2", "`a` stands twice"),
        ("threads:8 \u{7}", "control character"),
    ] {
        let error = text.parse::<Address>().expect_err(text);
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let error = "threads:many".parse::<Address>().and_then(|address| address.count()).unwrap_err();
    assert!(error.to_string().contains("`many` is not a number of workers"));
}

#[test]
fn secrets_are_in_no_text_but_revealed() {
    for text in
        ["redis://user:hunter2@host/0", "redis://user:hun/ter2@host/0", "x:?password=hunter2&api-key=hunter2"]
    {
        let address: Address = text.parse().unwrap();
        let seen = format!("{address} {address:?} {:?}", address.options());
        assert!(!seen.contains("hun"), "{seen}");
        assert_eq!(address.reveal().parse::<Address>().unwrap(), address);
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_.+-]{0,8}"
}

fn options() -> impl Strategy<Value = Options> {
    proptest::collection::btree_map(word(), "\\PC{0,12}", 0..3)
        .prop_map(|map| Options(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(
        layers in proptest::collection::vec((word(), proptest::option::of("\\PC{0,10}"), options()), 0..3),
        scheme in word(),
        target in "\\PC{0,20}",
        options in options(),
    ) {
        let layers = layers.into_iter().map(|(name, value, options)| LayerSpec { name, value, options }).collect();
        let address = Address { layers, scheme, target, options };
        let text = address.reveal();
        prop_assert_eq!(text.parse::<Address>().map_err(|e| TestCaseError::fail(e.to_string()))?, address, "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        drop(text.parse::<Address>());
    }
}
