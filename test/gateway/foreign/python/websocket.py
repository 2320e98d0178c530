"""The loop over the library websockets: websocket.py URL history|id, with its whole history or with the id of the response before."""

import asyncio
import json
import sys

import websockets
from tool_loop import body, question, results, say

url, mode = sys.argv[1].replace("http", "ws", 1), sys.argv[2]
# The name of this argument changed with version 14.
name = "additional_headers" if int(websockets.__version__.split(".")[0]) >= 14 else "extra_headers"


async def ask(socket, asked):
    await socket.send(json.dumps({"type": "response.create", **asked}))
    while True:
        event = json.loads(await socket.recv())
        if event["type"] == "response.completed":
            return event["response"]
        if event["type"] in ("error", "response.failed", "response.incomplete"):
            sys.exit(json.dumps(event))


async def main():
    async with websockets.connect(f"{url}/responses", **{name: {"authorization": "Bearer sk-of-a-test"}}) as socket:
        items, before = question(), {}
        while True:
            response = await ask(socket, body(items, store=False, include=["reasoning.encrypted_content"], **before))
            called = results(response["output"])
            if not called:
                return say(response["output"])
            if mode == "id":
                items, before = called, {"previous_response_id": response["id"]}
            else:
                items = items + response["output"] + called


asyncio.run(main())
