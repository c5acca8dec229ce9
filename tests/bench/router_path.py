"""What the way through the router costs: a direct call, LiteLLM alone, and LiteLLM with our callback, by turns.

All answers come from one tier that answers at once, on this machine; the router is one process, so one core at most.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import yaml

from bench.figures import Figure
from bench.routing import TYPICAL
from costpolicy.manifests.router.litellm import CALLBACK
from engine.server import free_port
from router.clients import LARGE, MASTER_KEY, SMALL, decided, variables
from router.folder import write_folder
from router.load import tier
from router.server import CONFIGURATION, RunningRouter, serve_router

WARM_UP = 60
TURNS = 500
"""Requests one by one, each to all ways in turn: what the machine does else hits all alike."""
ROUNDS, AT_ONCE, CLIENTS = 4, 240, 8
HEADERS = {"Authorization": f"Bearer {MASTER_KEY}", "x-costpolicy-feature": "search"}
BODY = {"model": "chat", "max_tokens": 200, "messages": [{"role": "user", "content": TYPICAL}]}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the tier, and what was measured on it.

    Attributes:
        process_id: of the router; 0: there is none.
        latencies: seconds of requests that were asked one by one.
        rates: requests a second of several clients, and the router's CPU seconds of each request.
    """

    name: str
    url: str
    process_id: int
    latencies: list[float] = field(default_factory=list)
    rates: list[tuple[float, float]] = field(default_factory=list)


def figures() -> Iterator[Figure]:
    """Yield latency and rate of each way, and what the callback adds."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        ways = _ways(Path(folder), running)
        for way in ways:
            _ask(way, WARM_UP)
        _take_turns(ways)
        for number in range(ROUNDS):
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:  # whoever is first differs
                way.rates.append(_at_once(way))
    direct, alone, ours = ways
    yield from (_latency(way) for way in ways)
    yield _added("LiteLLM alone adds", direct, alone, "")
    yield _added("the callback adds", alone, ours, "2 ms")
    yield from (_rate(way) for way in ways)


def _ways(work: Path, running: ExitStack) -> list[Way]:
    port = free_port()
    running.enter_context(tier(port, work / "tier.log"))
    url = f"http://127.0.0.1:{port}"
    given = decided(tenants=False)
    ours = write_folder(work / "ours", given, {SMALL: url, LARGE: url}, free_port())
    alone = _without_callback(ours, work / "alone")
    routers = [running.enter_context(serve_router(folder, variables(folder, given))) for folder in (alone, ours)]
    return [
        Way("direct call", url, 0),
        _through("LiteLLM alone", routers[0]),
        _through("LiteLLM and callback", routers[1]),
    ]


def _through(name: str, router: RunningRouter) -> Way:
    return Way(name, router.url, router.process.pid)


def _without_callback(folder: Path, target: Path) -> Path:
    """Write the same configuration without anything of ours."""
    document: dict[str, Any] = yaml.safe_load((folder / CONFIGURATION).read_text())
    document["litellm_settings"]["callbacks"].remove(CALLBACK)
    target.mkdir()
    (target / CONFIGURATION).write_text(yaml.safe_dump(document))
    return target


def _take_turns(ways: list[Way]) -> None:
    with ExitStack() as running:
        clients = [(way, running.enter_context(_client(way))) for way in ways]
        for number in range(TURNS):
            for way, client in clients[number % len(ways) :] + clients[: number % len(ways)]:
                way.latencies.append(_seconds(client))


def _client(way: Way) -> httpx.Client:
    return httpx.Client(base_url=way.url, headers=HEADERS, trust_env=False, timeout=60)


def _ask(way: Way, count: int) -> None:
    with _client(way) as client:
        for _ in range(count):
            _seconds(client)


def _seconds(client: httpx.Client) -> float:
    before = time.perf_counter()
    client.post("/v1/chat/completions", json=BODY).raise_for_status()
    return time.perf_counter() - before


def _at_once(way: Way) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu_seconds(way.process_id)
    threads = [threading.Thread(target=_ask, args=(way, AT_ONCE // CLIENTS)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return AT_ONCE / (time.perf_counter() - wall), (_cpu_seconds(way.process_id) - cpu) / AT_ONCE


def _cpu_seconds(process_id: int) -> float:
    """Return a process' CPU seconds so far, of user and system (proc(5)); 0 where there is no process."""
    if not process_id:
        return 0.0
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _latency(way: Way) -> Figure:
    return Figure(
        name=f"chat through {way.name}, one by one, p50 / p99, wall",
        value=f"{median(way.latencies) * 1000:.1f} / {_p99(way.latencies) * 1000:.1f} ms",
        spread=f"{TURNS} requests by turns",
    )


def _added(name: str, without: Way, with_it: Way, aim: str) -> Figure:
    """Compare neighbours: what one turn took on the one way and on the other."""
    added = sorted(more - less for less, more in zip(without.latencies, with_it.latencies, strict=True))
    # The median's order statistics that hold it in 95 % of repeats (binomial, normal approximation).
    half = 0.98 * len(added) ** 0.5
    low, high = added[int(len(added) / 2 - half)], added[int(len(added) / 2 + half)]
    tail = _p99(with_it.latencies) - _p99(without.latencies)
    return Figure(
        name=f"chat: {name}, p50 / p99, wall",
        value=f"{median(added) * 1000:.1f} / {tail * 1000:.1f} ms",
        aim=aim,
        spread=f"p50 between {low * 1000:.1f} and {high * 1000:.1f} ms (95 %)",
    )


def _rate(way: Way) -> Figure:
    walls, cpu = zip(*way.rates, strict=True)
    spent = (
        f"; CPU of the router {median(cpu) * 1000:.1f} ms a request, {1 / median(cpu):.0f} a second and core"
        if any(cpu)
        else ""
    )
    return Figure(
        name=f"chat through {way.name}, {CLIENTS} clients at once",
        value=f"{median(walls):.0f} /s",
        spread=f"{min(walls):.0f} to {max(walls):.0f} /s in {ROUNDS} rounds{spent}",
    )


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[-1]
