"""Who asks a router in tests, what answers, and the routes between them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx

from answering import Answering, Reply, completion
from costpolicy.manifests.router.inputs import Cap, Compression, Router, Sampling, Tenant
from costpolicy.manifests.router.pod import VARIABLES
from costpolicy.manifests.router.secrets import secret_variables
from costpolicy.routing.coefficients import generic_coefficients
from engine.server import SERVED_NAME as NAME
from engine.server import free_port
from router.folder import variables_of, write_folder
from router.server import RunningRouter, serve_router
from routers import hosted, route, router, secret, tier
from waiting import wait_until

SHOP, DESK, NOBODY = "sk-shop-5tWq3Zr8Lm", "sk-desk-9pXc2Vn7Kd", "sk-nobody-4hTb6Ys1Gf"
MASTER_KEY = "sk-administrator-7Hq2Wd9Zr"
KEYS = {"costpolicy-router": MASTER_KEY, "shop": SHOP, "desk": DESK, "provider": "sk-provider-9Lm4Tx6Yb"}
"""What lies in the Secrets, by their names."""
SMALL, LARGE = "llama-8b", "llama-70b"
"""Policies, whose Services would be asked."""
EASY = "hi there"
HARD = "Prove, As Gauss And Euler Did, That Every Prime Of The Form 4n + 1 Is A Sum Of Two Squares. " * 20
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\d+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Tiers:
    """Two tiers; what they answer lasts for a test."""

    small: Answering
    large: Answering

    @property
    def addresses(self) -> dict[str, str]:
        """Where each policy's Service would be."""
        return {SMALL: self.small.url, LARGE: self.large.url}

    def reset(self) -> None:
        """Answer by name again, and forget what was asked."""
        for server, name in ((self.small, "small"), (self.large, "large")):
            server.answer = _saying(f"from {name}")
            server.asked.clear()


def _saying(text: str) -> Callable[[dict[str, Any]], Reply]:
    return lambda _: completion(text)


@dataclass
class Client:
    """Asks one router, as one who holds a key, and knows what must be counted."""

    router: RunningRouter
    metrics_port: int
    samples: Path
    http: httpx.Client = field(repr=False)
    admitted: int = 0
    """Requests that were neither 401 nor 403."""

    def ask(self, text: str = EASY, key: str = SHOP, path: str = "/v1/chat/completions", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | more.pop("headers", {})
        asked = {"prompt": text} if path == "/v1/completions" else {"messages": [{"role": "user", "content": text}]}
        body = {"model": "chat"} | asked | more
        answer = self.http.post(path, headers=headers, json=body)
        self.admitted += answer.status_code not in {401, 403}
        return answer

    def until_small_answers(self) -> None:
        """Wait until the router asks a tier again that has failed too often."""
        wait_until(lambda: "from small" in self.ask().text)

    def page(self) -> str:
        """What is counted once everything that was asked is counted: the router counts after it has answered."""
        wait_until(lambda: self.admitted == total(self.page_now(), "costpolicy_route_requests_total"))
        return self.page_now()

    def total(self, name: str, **labels: str) -> int:
        return total(self.page(), name, **labels)

    def page_now(self) -> str:
        """What is counted so far."""
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False).text


def counted(page: str, name: str) -> dict[frozenset[tuple[str, str]], int]:
    """Samples of one series by their labels."""
    found = (match.groups() for line in page.splitlines() if (match := _SAMPLE.match(line)))
    return {frozenset(_LABEL.findall(told or "")): int(value) for series, told, value in found if series == name}


def total(page: str, name: str, **labels: str) -> int:
    """The sum of one series' samples that have some labels."""
    return sum(value for told, value in counted(page, name).items() if labels.items() <= dict(told).items())


def decided(*, below: Fraction | None = Fraction(3, 10), tenants: bool = True) -> Router:
    """What the operator has decided: a route with everything, and one on which nothing is proven."""
    tiers = (tier("small", hosted(SMALL, NAME), below=below), tier("large", hosted(LARGE, NAME)))
    chat = route(
        tiers=tiers,
        coefficients=json.dumps(generic_coefficients()),
        features=("search", "summary"),
        caps={"search": Cap(max_tokens=300, stop=("\n\n",))},
        compression=Compression(minimum=1000, ratio=Fraction(1, 2)),
        sampling=Sampling(share=Fraction(1), per_day=3, claim="traffic", retention=timedelta(days=1)),
    )
    notes = route("notes", tiers=(tier("small", hosted(SMALL, NAME)), tiers[1]))
    keyed = (
        Tenant(name="shop", key=secret("shop"), routes=("chat",)),
        Tenant(name="desk", key=secret("desk"), routes=("notes",)),
    )
    return router(chat, notes, tenants=keyed if tenants else ())


@contextmanager
def serving(
    folder: Path, given: Router, addresses: Mapping[str, str], spoil: Callable[[Path], object] = lambda _: None
) -> Iterator["Client"]:
    """Run a router as it is decided until the block ends; ``spoil`` breaks its folder first."""
    port = free_port()
    spoil(write_folder(folder, given, addresses, port))
    with (
        serve_router(folder, variables(folder, given)) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=60) as http,
    ):
        yield Client(running, port, folder.parent / "samples", http)


def variables(folder: Path, given: Router) -> dict[str, str]:
    """Return a pod's variables: those that are rendered, and what lies in Secrets."""
    keys = {name: KEYS[reference.name] for name, reference in secret_variables(given).items()}
    return {**VARIABLES, **keys, **variables_of(folder)}
