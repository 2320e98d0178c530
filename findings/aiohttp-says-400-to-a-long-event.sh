#!/usr/bin/env bash
# aiohttp 3.8.4 (Debian 12): reading a stream of events line by line fails at a line of more than 128 KiB, with a status 400 that no server has sent.
#
# An event of the Responses API is one line, and the last of a turn repeats all of its output, instructions and tools: long turns reach that size. The
# loop `async for line in response.content` is in aiohttp's page on streams. It raises "400, Got more than 131072 bytes", after a 200 and all the
# deltas; the limit is the client's own read_bufsize, times two. googleapis/python-genai met it in pull request 2437.
#
# Seen (Python 3.11):
#   status 200
#   lines that were read: 2
#   LineTooLong 400: Got more than 131072 bytes when reading
#   with read_bufsize=2**22: status 200, lines that were read: 4
set -euo pipefail
python=/usr/bin/python3
version=$("$python" -c 'import aiohttp; print(aiohttp.__version__)' 2>/dev/null || true)
if [[ $version != 3.8.4 ]]; then
  echo "This needs Debian's python3-aiohttp 3.8.4, and finds ${version:-none}."
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >run.py <<'PY'
import asyncio
import json

from aiohttp import ClientSession, web


async def answer(request):
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    text = "word " * 40_000
    for event in ({"type": "response.output_text.delta", "delta": "word "}, {"type": "response.completed", "text": text}):
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    await response.write_eof()
    return response


async def read(port, say, **options):
    lines = 0
    async with ClientSession(**options) as session, session.get(f"http://127.0.0.1:{port}/") as response:
        say(f"status {response.status}")
        try:
            async for _ in response.content:
                lines += 1
        except Exception as error:
            return lines, f"{type(error).__name__} {error.code}: {error.message.split(':')[0]}"
    return lines, None


async def main():
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    lines, error = await read(port, print)
    print(f"lines that were read: {lines}")
    print(error)
    said = []
    lines, _ = await read(port, said.append, read_bufsize=2**22)
    print(f"with read_bufsize=2**22: {said[0]}, lines that were read: {lines}")
    await runner.cleanup()


asyncio.run(main())
PY
timeout 60 "$python" run.py | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
status 200
lines that were read: 2
LineTooLong 400: Got more than 131072 bytes when reading
with read_bufsize=2**22: status 200, lines that were read: 4
EOT
