"""Who asks a router in tests, what answers, and the routes between them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from answering import Answering, Reply, completion
from costpolicy.routing.coefficients import generic_coefficients
from router.folder import MASTER_KEY
from router.server import RunningRouter
from waiting import wait_until

SHOP, DESK, NOBODY = "sk-shop-5tWq3Zr8Lm", "sk-desk-9pXc2Vn7Kd", "sk-nobody-4hTb6Ys1Gf"
VARIABLES = {"LITELLM_MASTER_KEY": MASTER_KEY, "TENANT_SHOP": SHOP, "TENANT_DESK": DESK}
EASY = "hi there"
HARD = "Prove, As Gauss And Euler Did, That Every Prime Of The Form 4n + 1 Is A Sum Of Two Squares. " * 20
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\d+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
COEFFICIENTS = {"chat.json": json.dumps(generic_coefficients())}


@dataclass(frozen=True)
class Tiers:
    """Two tiers; what they answer lasts for a test."""

    small: Answering
    large: Answering

    def reset(self) -> None:
        """Answer by name again, and forget what was asked."""
        for tier, name in ((self.small, "small"), (self.large, "large")):
            tier.answer = _saying(f"from {name}")
            tier.asked.clear()


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

    def page(self) -> str:
        """What is counted once everything that was asked is counted: the router counts after it has answered."""
        wait_until(lambda: self.admitted == total(self._page(), "costpolicy_route_requests_total"))
        return self._page()

    def total(self, name: str, **labels: str) -> int:
        return total(self.page(), name, **labels)

    def _page(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False).text


def counted(page: str, name: str) -> dict[frozenset[tuple[str, str]], int]:
    """Samples of one series by their labels."""
    found = (match.groups() for line in page.splitlines() if (match := _SAMPLE.match(line)))
    return {frozenset(_LABEL.findall(told or "")): int(value) for series, told, value in found if series == name}


def total(page: str, name: str, **labels: str) -> int:
    """The sum of one series' samples that have some labels."""
    return sum(value for told, value in counted(page, name).items() if labels.items() <= dict(told).items())


def routes_document(metrics_port: int, samples: Path) -> dict[str, Any]:
    tiers = [{"name": "small", "policy": "llama-8b", "below": 0.3}, {"name": "large", "policy": ""}]
    return {
        "version": 1,
        "featureHeader": "x-costpolicy-feature",
        "metricsPort": metrics_port,
        "routes": {
            "chat": {
                "trusted": "large",
                "tiers": tiers,
                "coefficients": "chat.json",
                "features": ["search", "summary"],
                "caps": {"search": {"maxTokens": 300, "stop": ["\n\n"]}},
                "compression": {"minimum": 1000, "ratio": 0.5},
                "sampling": {"share": 1, "perDay": 3, "folder": str(samples), "retentionSeconds": 86400},
            },
            "notes": {"trusted": "large", "tiers": tiers},
        },
        "tenants": [
            {"name": "shop", "variable": "TENANT_SHOP", "routes": ["chat"]},
            {"name": "desk", "variable": "TENANT_DESK", "routes": ["notes"]},
        ],
    }


def models(tiers: Tiers) -> dict[str, str]:
    """What each of the router's models is answered by."""
    small, large = tiers.small.url, tiers.large.url
    return {"chat": large, "chat/small": small, "chat/large": large, "notes": large, "notes/small": small}
