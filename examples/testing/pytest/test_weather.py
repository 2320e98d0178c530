"""Run with pytest, after `turnwire emulate --port 4001` (or with EMULATOR naming another address)."""

import json
import os
import urllib.request

from weather import weather

EMULATOR = os.environ.get("EMULATOR", "http://127.0.0.1:4001")
SCRIPT = {
    "turns": [
        {"calls": [{"name": "look", "arguments": {"at": "sky"}}]},
        {"text": "It is {{ look }}."},
    ]
}


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{EMULATOR}/emulator{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_runs_the_tool_and_answers():
    os.environ["OPENAI_BASE_URL"] = f"{EMULATOR}/v1"
    os.environ["OPENAI_API_KEY"] = "any"
    control("PUT", "/script", SCRIPT)
    control("POST", "/clear")

    assert weather("Oslo", look=lambda at: f"grey at the {at}") == "It is grey at the sky."

    control("POST", "/settled")
    turns = control("GET", "/journal")["turns"]
    assert [turn["outcome"] for turn in turns] == ["completed", "completed"]
    assert control("GET", "/script")["unused_turns"] == []
