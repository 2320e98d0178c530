"""The loop over http.client of the standard library: http_client.py URL json|sse, with its whole history in each request."""

import http.client
import json
import sys
from urllib.parse import urlsplit

from tool_loop import body, question, results, say

url, mode = urlsplit(sys.argv[1]), sys.argv[2]
connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
headers = {"authorization": "Bearer sk-of-a-test", "content-type": "application/json"}


def ask(items):
    if mode == "json":
        connection.request("POST", f"{url.path}/responses", json.dumps(body(items)), headers)
        return json.loads(answer().read())["output"]
    asked = body(items, stream=True, store=False, include=["reasoning.encrypted_content"])
    # A body of unknown length goes in chunks.
    pieces = json.JSONEncoder().iterencode(asked)
    connection.request("POST", f"{url.path}/responses", (piece.encode() for piece in pieces), headers, encode_chunked=True)
    output = None
    for line in answer():
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if event["type"] == "response.completed":
                output = event["response"]["output"]
    return output


def answer():
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"{response.status}: {response.read().decode()}")
    return response


history = question()
while True:
    output = ask(history)
    called = results(output)
    if not called:
        break
    history += output + called
say(output)
