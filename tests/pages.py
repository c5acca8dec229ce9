"""Commands of documentation pages, as a reader would type them."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

BLOCKS: Final = re.compile(r"```(?:sh|shell|bash|console)\n(.*?)```", re.DOTALL)


def command_lines(page: str) -> Iterator[list[str]]:
    """The words of each command in shell blocks, without variables before it; of a pipe only its beginning.

    In a block with prompts, only lines with a prompt are commands.
    """
    for block in BLOCKS.findall(page):
        lines = block.replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        for line in prompted or lines:
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words:
                yield words[: words.index("|")] if "|" in words else words
