"""The loop over the library aiohttp: aiohttp_client.py URL sse|id, an event stream with its whole history, or a WebSocket by id."""

import asyncio
import json
import sys

import aiohttp
from tool_loop import body, question, results, say

url, mode = sys.argv[1], sys.argv[2]
REASONING = {"store": False, "include": ["reasoning.encrypted_content"]}


def ended(event):
    if event["type"] in ("error", "response.failed", "response.incomplete"):
        sys.exit(json.dumps(event))
    return event["response"] if event["type"] == "response.completed" else None


async def post(session, items):
    async with session.post(f"{url}/responses", json=body(items, stream=True, **REASONING)) as answer:
        answer.raise_for_status()
        async for line in answer.content:
            response = ended(json.loads(line[6:])) if line.startswith(b"data: ") else None
            if response is not None:
                return response


async def ask(socket, items, before):
    await socket.send_json({"type": "response.create", **body(items, **REASONING, **before)})
    async for message in socket:
        response = ended(json.loads(message.data))
        if response is not None:
            return response
    sys.exit(f"closed with {socket.close_code}")


async def main():
    # 0.1 MB and more stand in one line of an event stream.
    async with aiohttp.ClientSession(headers={"authorization": "Bearer sk-of-a-test"}, read_bufsize=2**22) as session:
        if mode == "sse":
            items = question()
            while True:
                response = await post(session, items)
                called = results(response["output"])
                if not called:
                    return say(response["output"])
                items = items + response["output"] + called
        async with session.ws_connect(f"{url}/responses") as socket:
            items, before = question(), {}
            while True:
                response = await ask(socket, items, before)
                called = results(response["output"])
                if not called:
                    return say(response["output"])
                items, before = called, {"previous_response_id": response["id"]}


asyncio.run(main())
