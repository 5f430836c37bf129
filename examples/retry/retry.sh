# A job that fails at first and succeeds when it is tried again; the layer stands in the address.
marks=$(mktemp -d)
trap 'rm -r "$marks"' EXIT
flaky='test -e "$MARKS"/{} || { touch "$MARKS"/{}; exit 1; }; echo {} arrived'
MARKS=$marks anyplace map -k --retries 2 "$flaky" ::: one two three
