"""A share of requests, written down for labels: redacted, capped, and never in the way of an answer.

Each sample is a file of its own: the next free number of the day is claimed by an empty file, which the finished one then
replaces.  So replicas that share a folder share the day's cap exactly, and whoever reads never sees half a line.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from queue import Full, Queue
from shutil import rmtree
from threading import Thread
from typing import Any, Final

from .compression import Limits, has_long
from .redaction import redact, redacted_messages, with_calls
from .routes import Sampling

WAITING: Final = 64
"""Samples that may wait to be written; what comes while as many wait is not sampled."""

Request = Mapping[str, Any]


def is_sampled(identity: str, share: float) -> bool:
    """Return whether a request belongs to a share, 0 to 1, by a hash of its id: every replica says the same."""
    return int.from_bytes(blake2b(identity.encode(errors="replace"), digest_size=8).digest()) < share * 2**64


def sample_of(request: Request, facts: Mapping[str, str | float], limits: Limits | None = None) -> dict[str, Any]:
    """Return what is kept of a request, in OpenAI's format: text alone, redacted, and what the router did with it.

    A conversation that ``limits`` would shorten keeps its calls of tools, redacted as well: models take results of tools only
    behind the calls that they answer.
    """
    kept = {name: request[name] for name in ("max_tokens", "max_completion_tokens", "temperature") if name in request}
    if isinstance(prompt := request.get("prompt"), str):
        return {**kept, "prompt": redact(prompt), "metadata": dict(facts)}
    messages = request.get("messages") or ()
    redacted = redacted_messages(messages)
    if limits is not None and has_long(redacted, limits):
        redacted = with_calls(redacted, messages)
    return {**kept, "messages": redacted, "metadata": dict(facts)}


class Samples:
    """Writes samples in a thread of its own.

    Args:
        now: the wall clock.
        failed: told of each sample that could not be written.
    """

    def __init__(self, now: Callable[[], datetime], failed: Callable[[Exception], None]) -> None:
        self._now = now
        self._failed = failed
        self._waiting: Queue[tuple[Sampling, Callable[[], Mapping[str, Any]]] | None] = Queue(maxsize=WAITING)
        self._thread = Thread(target=self._write_all, name="costpolicy-samples", daemon=True)
        self._thread.start()

    def offer(self, sampling: Sampling, sample: Callable[[], Mapping[str, Any]]) -> bool:
        """Hand over what makes a sample, which takes milliseconds for a long one; ``False``: too many wait, it is dropped."""
        try:
            self._waiting.put_nowait((sampling, sample))
        except Full:
            return False
        return True

    def close(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _write_all(self) -> None:
        while (one := self._waiting.get()) is not None:
            try:
                sampling, sample = one
                write(sampling, sample(), now=self._now())
            except Exception as error:  # noqa: BLE001 - the next sample may be written again
                self._failed(error)


def write(sampling: Sampling, sample: Mapping[str, Any], now: datetime) -> Path | None:
    """Write a sample as one line to a file of its own, and forget days that are too old.

    Returns the file; ``None``: the day has its number of samples.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder = Path(sampling.folder)
    day = folder / now.astimezone(UTC).date().isoformat()
    if not day.exists():
        _forget(folder, (now - timedelta(seconds=sampling.retention_seconds)).astimezone(UTC).date().isoformat())
        day.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in day.glob("*.jsonl"))
    if number >= sampling.per_day:
        return None
    target = _claimed(day, range(number, sampling.per_day))
    if target is not None:
        finished = target.with_suffix(".part")
        finished.write_text(json.dumps(sample, ensure_ascii=False) + "\n", encoding="utf-8")
        finished.replace(target)
    return target


def _claimed(day: Path, numbers: range) -> Path | None:
    """Create the first file that nobody has; every file system that pods share can say who was first."""
    for number in numbers:
        target = day / f"{number:06d}.jsonl"
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            continue
        return target
    return None


def _forget(folder: Path, before: str) -> None:
    """Delete days before one; a day's name is its date, so names sort as days do."""
    for day in folder.glob("????-??-??"):
        if day.name < before:
            rmtree(day, ignore_errors=True)
