"""`python3 -m callers URL MODEL`: ask until ended, and print the counts so far as one line of JSON a second."""

import argparse
import asyncio
import json

from callers.asking import Question, whole_answer_or_fault
from callers.tally import Tally
from callers.ways import KEPT, WAYS, Way

TOKENS = 16
LONG_TOKENS = 1500
"""Of an answer that is still under way when everything else has left a stopping engine."""
PAUSE_SECONDS = 0.4
"""Between two requests of one caller: far below the seconds after which an engine hangs up on an idle connection."""


async def call(way: Way, question: Question, server: tuple[str, str], tally: Tally) -> None:
    """Ask the same of a server, an address and a key, again and again with a client of one's own."""
    async with way.client(*server) as client:
        while True:
            tally.add(way.name, await whole_answer_or_fault(client, question))
            await asyncio.sleep(PAUSE_SECONDS)


async def report(tally: Tally) -> None:
    """Print the counts once a second."""
    while True:
        print(json.dumps(tally.counts()), flush=True)
        await asyncio.sleep(1)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="callers", description=__doc__)
    parser.add_argument("url", help="base address, with /v1")
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="tokens of most answers")
    parser.add_argument("--long-tokens", type=int, default=LONG_TOKENS, help="tokens of one caller's answers")
    parser.add_argument("--key", default="none", help="the API's key")
    arguments = parser.parse_args()
    tally = Tally()
    at_once = Question(model=arguments.model, tokens=arguments.tokens, stream=False)
    streamed = Question(model=arguments.model, tokens=arguments.tokens, stream=True)
    long = Question(model=arguments.model, tokens=arguments.long_tokens, stream=True)
    asked = [(way, question) for way in WAYS for question in (at_once, streamed)]
    callers = [call(way, question, (arguments.url, arguments.key), tally) for way, question in [*asked, (KEPT, long)]]
    await asyncio.gather(report(tally), *callers)


if __name__ == "__main__":
    asyncio.run(main())
