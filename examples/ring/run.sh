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

start "$here/names.py" "$address"
start "$here/server.py" A B "$address"
start "$here/server.py" B C "$address"
start "$here/server.py" C A "$address"
python "$here/client.py" "$address"
