"""The engines of all policies, and the load on each policy, spread over its engines at random."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from standin.engine import Engine, Request, Speed
from standin.exposition import Meter, Shown, page

LONGEST_CATCH_UP = 60.0
"""Seconds that are played after a pause; what lies before is skipped, not invented."""


@dataclass
class Load:
    """What clients of one policy send: Poisson arrivals, all requests alike."""

    requests_per_second: float = 0.0
    prompt_tokens: int = 500
    output_tokens: int = 150
    shared_prefix_tokens: int = 0
    next_arrival: float | None = None


@dataclass
class Fleet:
    """All engines; time passes when :meth:`advance` is told so."""

    now: float
    seed: int = 1
    loads: dict[tuple[str, str], Load] = field(default_factory=dict)
    pods: dict[tuple[str, str], dict[tuple[str, str], Shown]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # a repeatable simulation, not a secret

    def set_load(self, namespace: str, policy: str, load: Load) -> None:
        """Change what clients send from now on."""
        self.loads[namespace, policy] = load

    def set_pods(
        self,
        namespace: str,
        policy: str,
        variant: str,
        pods: Iterable[str],
        model: str = "m",
        speed: Speed | None = None,
    ) -> None:
        """Say which pods of a variant are ready now: new ones start empty, others keep counting, the rest are
        gone."""
        mine = self.pods.setdefault((namespace, policy), {})
        wanted = set(pods)
        for key in [key for key in mine if key[0] == variant and key[1] not in wanted]:
            self._requeue(mine, mine.pop(key).engine)
        for pod in sorted(wanted):
            if (variant, pod) not in mine:
                meter = Meter()
                engine = Engine(speed or Speed(), meter, self.now)
                target = {"namespace": namespace, "pod": pod, "costpolicy": policy, "variant": variant}
                mine[variant, pod] = Shown(target, model, engine, meter)

    def _requeue(self, mine: Mapping[tuple[str, str], Shown], gone: Engine) -> None:
        """An engine that goes finishes what it has begun, unseen, as vLLM drains; who waits asks elsewhere."""
        for request in gone.waiting:
            self._offer(mine, Request(self.now, request.prompt_tokens, request.output_tokens, request.shared_tokens))

    def advance(self, now: float) -> None:
        """Let everything happen that happens until ``now``."""
        if now - self.now > LONGEST_CATCH_UP:
            self._skip(now - LONGEST_CATCH_UP)
        for policy, load in self.loads.items():
            self._arrive(self.pods.get(policy, {}), load, now)
        for engines in self.pods.values():
            for shown in engines.values():
                shown.engine.advance(now)
        self.now = now

    def _skip(self, begin: float) -> None:
        for load in self.loads.values():
            load.next_arrival = None
        for engines in self.pods.values():
            for shown in engines.values():
                shown.engine.now = max(shown.engine.now, begin)
        self.now = begin

    def _arrive(self, engines: Mapping[tuple[str, str], Shown], load: Load, until: float) -> None:
        if load.requests_per_second <= 0:
            return
        when = load.next_arrival or self.now + self._random.expovariate(load.requests_per_second)
        while when < until:
            self._offer(engines, Request(when, load.prompt_tokens, load.output_tokens, load.shared_prefix_tokens))
            when += self._random.expovariate(load.requests_per_second)
        load.next_arrival = when

    def _offer(self, engines: Mapping[tuple[str, str], Shown], request: Request) -> None:
        if engines:
            self._random.choice(list(engines.values())).engine.offer(request)

    def page(self) -> str:
        """Return the text of ``/metrics``."""
        return page(shown for engines in self.pods.values() for shown in engines.values())

    def state(self) -> list[dict[str, object]]:
        """Return what each engine is doing, for people."""
        return [
            {**shown.target, "running": len(shown.engine.running), "waiting": len(shown.engine.waiting)}
            for engines in self.pods.values()
            for shown in engines.values()
        ]
