#!/usr/bin/env bash
# opencode-ai 1.18.33: `opencode run` works in the folder that the variable PWD names, not in the one that its process was started in.
#
# A program that starts another one in a folder (Node's `spawn({ cwd })`, Python's `subprocess(cwd=…)`) leaves PWD as it was. opencode then reads the
# configuration of that other folder, and runs its tools there. A provider of the right folder's opencode.json is unknown, which it
# reports as "Unexpected server error".
#
# Seen (Linux x64):
#   PWD elsewhere: Unexpected server error
#   PWD the folder: Cannot connect to API
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error opencode-ai@1.18.33 >/dev/null
mkdir project elsewhere
# Nothing listens there: whoever knows the provider says that it cannot be reached.
cat >project/opencode.json <<'JSON'
{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "house": {
      "npm": "@ai-sdk/openai",
      "options": { "baseURL": "http://127.0.0.1:9/v1", "apiKey": "any" },
      "models": { "m": { "name": "m" } }
    }
  }
}
JSON
export HOME=$folder XDG_CONFIG_HOME=$folder/config XDG_DATA_HOME=$folder/data XDG_CACHE_HOME=$folder/cache XDG_STATE_HOME=$folder/state
export OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_MODELS_FETCH=1

# Started in project/ both times. It retries what it cannot reach, so its time is bounded.
# `cd` sets PWD, so `env` gives the other one to the program alone.
ask() {
  (cd project && env PWD="$1" timeout 40 "$folder/node_modules/.bin/opencode" run --print-logs --model house/m Hello </dev/null 2>&1 || true) |
    grep -o 'Unexpected server error\|Cannot connect to API' | sort | uniq | head -1
}
seen="PWD elsewhere: $(ask "$folder/elsewhere")
PWD the folder: $(ask "$folder/project")"
echo "$seen"
[ "$seen" = 'PWD elsewhere: Unexpected server error
PWD the folder: Cannot connect to API' ]
