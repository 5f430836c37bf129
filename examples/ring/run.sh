#!/bin/bash
# Starts a name server and three servers, and sends a message round.
set -euo pipefail
here=$(dirname "$0")
folder=$(mktemp -d)
address="unix:$folder/names.sock"
started=()
trap 'kill "${started[@]}"; rm -rf "$folder"' EXIT

# Starts a server, and goes on when it is ready.
start() {
    local pipe="$folder/ready"
    mkfifo "$pipe"
    python "$@" > "$pipe" &
    started+=($!)
    read -r _ < "$pipe"
    rm "$pipe"
}

start "$here/ring_names.py" "$address"
start "$here/ring_server.py" A B "$address"
start "$here/ring_server.py" B C "$address"
start "$here/ring_server.py" C A "$address"
python "$here/ring_client.py" "$address"
