"""Two turns over one WebSocket, the second a delta of the first: `python3 chain.py BASE_URL`. Prints what the model said."""
import asyncio
import json
import sys

import websockets


async def turn(socket, **create):
    await socket.send(json.dumps({"type": "response.create", "model": "any", "store": False, **create}))
    async for message in socket:
        event = json.loads(message)
        if event["type"] == "response.completed":
            return event["response"]
        if event["type"] in ("error", "response.failed"):
            raise SystemExit(message)


async def main(url):
    async with websockets.connect(url.replace("http", "ws") + "/responses", max_size=None) as socket:
        first = await turn(socket, input="one")
        second = await turn(socket, input="two", previous_response_id=first["id"])
        for response in (first, second):
            print(response["output"][0]["content"][0]["text"])


asyncio.run(main(sys.argv[1]))
