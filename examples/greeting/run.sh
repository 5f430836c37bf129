#!/bin/bash
# Starts the server, lists its names, and runs the client, as two people in two terminals would.
set -euo pipefail
here=$(dirname "$0")
folder=$(mktemp -d)
address="unix:$folder/greeting.sock"

coproc server { exec python "$here/greeting_server.py" "$address"; }
pid=$server_PID
trap 'kill "$pid"; rm -rf "$folder"' EXIT
read -r _ <&"${server[0]}"

anyplace names "$address"
python "$here/greeting_client.py" "$address"
