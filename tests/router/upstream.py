"""`python -m router.upstream PORT`: a tier that answers at a steady pace, as a process of its own that can be killed.

It speaks as much of OpenAI's API as a router asks for: chats, whole or streamed, each of exactly ``max_tokens`` words.
For load and for deaths; what real engines say is tested with real engines.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Any

WORD = "word "
DEFAULT_TOKENS = 8
NAME = "tiny"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"


class Tier:
    """Serves connections; ``pause`` are the seconds between two tokens."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after another until the client leaves."""
        try:
            while head := await _head(reader):
                length = int(head.get("content-length", 0))
                body = json.loads(await reader.readexactly(length)) if length else {}
                await (self._stream(body, writer) if body.get("stream") else self._whole(body, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _whole(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        tokens = body.get("max_tokens", DEFAULT_TOKENS)
        await asyncio.sleep(self._pause * tokens)
        message = {"role": "assistant", "content": WORD * tokens}
        choice = {"index": 0, "message": message, "finish_reason": "length"}
        content = json.dumps(_answer("chat.completion", [choice], tokens)).encode()
        writer.write(_HEAD % (b"application/json", b"Content-Length: %d" % len(content)) + content)
        await writer.drain()

    async def _stream(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        tokens = body.get("max_tokens", DEFAULT_TOKENS)
        writer.write(_HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked"))
        for event in _events(tokens):
            line = b"data: " + event + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await asyncio.sleep(self._pause)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _events(tokens: int) -> Iterator[bytes]:
    for number in range(tokens):
        choice = {
            "index": 0,
            "delta": {"content": WORD},
            "finish_reason": "length" if number == tokens - 1 else None,
        }
        chunk = _answer("chat.completion.chunk", [choice], tokens)
        del chunk["usage"]
        yield json.dumps(chunk).encode()
    yield json.dumps(_answer("chat.completion.chunk", [], tokens)).encode()
    yield b"[DONE]"


def _answer(kind: str, choices: list[dict[str, Any]], tokens: int) -> dict[str, Any]:
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    return {"id": "x", "object": kind, "created": 1, "model": NAME, "choices": choices, "usage": usage}


async def _head(reader: asyncio.StreamReader) -> dict[str, str] | None:
    """Return a request's headers; ``None``: the client has left."""
    if not await reader.readline():
        return None
    found: dict[str, str] = {}
    while (line := (await reader.readline()).strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        found[name.lower()] = value.strip()
    return found | {"": ""}


async def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="router.upstream", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two tokens")
    arguments = parser.parse_args()
    server = await asyncio.start_server(Tier(arguments.pause).serve, "127.0.0.1", arguments.port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
