"""A tool loop as a Python program runs it: what it asks, and what its tool says."""

import json
import sys

TOOL = {
    "type": "function",
    "name": "file_count",
    "description": "Counts the files of a folder.",
    "parameters": {
        "type": "object",
        "properties": {"folder": {"type": "string"}, "depth": {"type": "number"}},
        "required": ["folder", "depth"],
        "additionalProperties": False,
    },
    "strict": True,
}


def question():
    # json.dumps escapes what is not ASCII, and puts spaces behind commas and colons: JavaScript does neither.
    return [{"role": "user", "content": "Combien de fichiers « créés » ? \U0001f4c1"}]


def body(items, **more):
    return {"model": "gpt-5.4", "tools": [TOOL], "input": items, **more}


def results(output):
    """The items that answer the calls of an output; none at the end of the loop."""
    found = []
    for item in output:
        if item["type"] == "function_call":
            args = json.loads(item["arguments"])
            text = f"{len(args['folder']) * args['depth']} files"
            found.append({"type": "function_call_output", "call_id": item["call_id"], "output": text})
    return found


def say(output):
    """Hands the last words to the test."""
    for item in output:
        if item["type"] == "message":
            sys.stdout.write("".join(part["text"] for part in item["content"]))
