"""The program of `turnwire demo` in Python: a tool loop that knows HTTP and JSON, and nothing of turnwire.

It sends its whole history with each turn, to whatever base URL it is given. The demo runs its tools: a line of JSON asks for each.
"""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit


def say(**message):
    print(json.dumps(message), flush=True)


def hear():
    return json.loads(sys.stdin.readline())


given = hear()
base = urlsplit(given["url"])
connection = http.client.HTTPConnection(base.hostname, base.port)
headers = {"content-type": "application/json", "authorization": "Bearer none-needed"}
history = [{"role": "user", "content": given["question"]}]
begun = time.perf_counter()


def now():
    return (time.perf_counter() - begun) * 1000


calls = None
while calls is None or calls:
    began, first_event = now(), None
    body = json.dumps({**given["request"], "input": history, "stream": True, "store": False})
    connection.request("POST", base.path + "/responses", body, headers)
    answer = connection.getresponse()
    output = None
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        first_event = first_event or now()
        event = json.loads(line[len(b"data: ") :])
        if event["type"] == "response.completed":
            output = event["response"]["output"]
    if output is None:
        sys.exit(f"the turn did not complete: status {answer.status}")
    plan = answer.getheader("x-turnwire-plan")
    say(turn={"beganMs": began, "firstEventMs": first_event - began, "endedMs": now(), "plan": plan})
    history += output
    calls = [item for item in output if item["type"] == "function_call"]
    for call in calls:
        say(call=call)
        history.append({"type": "function_call_output", "call_id": call["call_id"], "output": hear()["output"]})
say(history=history)
