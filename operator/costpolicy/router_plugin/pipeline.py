"""What happens to a request on its way to a tier, step by step; no step that fails is in the way of another.

It knows nothing of the router that it runs in: ``callback.py`` hands requests over and tells how they ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from .choosing import tier_for
from .compression import shortened
from .features import look
from .removal import Removal, removal
from .request import STEERING, UNATTRIBUTED, asked_tokens, capped, feature_of, prompt_of, stops_with
from .routes import Cap, Route, Routing, Tier
from .sampling import Samples, is_sampled, sample_of
from .score import Scorer
from .series import Series

ATTRIBUTION: Final = "costpolicy"
"""Where a request's metadata says what it was counted as."""
AS_MANY: Final = 0.9999
"""A score of 1 belongs to the last tenth."""


class Attribution(NamedTuple):
    """What a request is counted as.

    A type of its own: nothing that a client sends becomes one.
    """

    route: str
    feature: str
    removal: Removal | None = None
    """What was taken out of it."""


@dataclass(slots=True)
class Call:
    """A request under way.

    Attributes:
        data: the body, which steps change.
        headers: by lower-case name.
        tags: of the body and the router's.
        identity: the request's id.
        tier: what is to answer, and ``score``, if it was scored: by the route's coefficients, else by the first tier's.
        removal: what compression took out.
    """

    data: dict[str, Any]
    headers: Mapping[str, str]
    tags: Sequence[object]
    identity: str
    route: Route
    tier: Tier
    feature: str = UNATTRIBUTED
    score: float | None = None
    removal: Removal | None = None

    @property
    def is_chat(self) -> bool:
        """Whether it is a conversation, and not a text to be continued."""
        return "messages" in self.data

    @property
    def cap(self) -> Cap | None:
        """The cap of its feature, or of all that have none."""
        return self.route.caps.get(self.feature) or self.route.caps.get("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request was answered, in tokens; ``cached`` are among those of the prompt, ``None``: the tier does not say."""

    prompt: int
    cached: int | None
    output: int
    was_cut: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps.

    Attributes:
        scorers: by the name of their coefficients' file; one that could not be read is missing, and its tiers get nothing.
        failed: told of each step that failed, with its name.
    """

    routing: Routing
    scorers: Mapping[str, Scorer]
    series: Series
    samples: Samples
    failed: Callable[[str, Exception], None]

    def prepare(self, call: Call) -> Attribution:
        """Change a request's body as its route says, its model first of all; return what it is counted as."""
        for name, step in _STEPS:
            try:
                step(self, call)
            except Exception as error:  # noqa: BLE001 - a request without this step is better than none
                self.failed(name, error)
        return Attribution(call.route.name, call.feature, call.removal)

    def answered(self, attribution: Attribution, model: str, answer: Answer) -> None:
        """Count an answer; ``model`` is the router's name for the tier that gave it."""
        route, feature = self.routing.routes[attribution.route], attribution.feature
        labels = self._labels(attribution, model)
        with self.series.lock:
            self.series.requests.add(*labels, "answered")
            for kind, tokens in (("prompt", answer.prompt), ("cached", answer.cached or 0), ("output", answer.output)):
                self.series.tokens.add(*labels, kind, amount=tokens)
            self.series.generated.observe(route.name, feature, tokens=answer.output)
            if answer.was_cut:
                self.series.cut.add(route.name, feature)
            if attribution.removal is not None:
                removed = attribution.removal.tokens(answer.prompt, answer.cached)
                for cache, tokens in removed._asdict().items():
                    self.series.removed.add(route.name, cache, amount=tokens)

    def ended(self, attribution: Attribution, model: str, outcome: str) -> None:
        """Count a request that was not answered; ``outcome`` is ``failed`` or ``refused``."""
        with self.series.lock:
            self.series.requests.add(*self._labels(attribution, model), outcome)

    def _labels(self, attribution: Attribution, model: str) -> tuple[str, str, str, str]:
        route = self.routing.routes[attribution.route]
        tier = route.tier_of(model)
        return route.name, tier.name, tier.policy, attribution.feature

    def attribute(self, call: Call) -> None:
        """Say what of the application asks."""
        header = call.headers.get(self.routing.feature_header)
        call.feature = feature_of(call.data, header, call.tags, call.route.features)

    def bound(self, call: Call) -> None:
        """Take away what would steer the router."""
        for name in STEERING:
            call.data.pop(name, None)

    def choose(self, call: Call) -> None:
        """Score the prompt and choose the tier."""
        scorers = {name: found for name in call.route.scores if (found := self.scorers.get(name)) is not None}
        if not scorers:
            return
        prompt = look(prompt_of(call.data))
        scores = {name: scorer.share(scorer.raw(prompt)) for name, scorer in scorers.items()}
        call.score = next(iter(scores.values()))
        with self.series.lock:
            self.series.scores.add(call.route.name, str(int(min(call.score, AS_MANY) * 10)))
        call.tier = tier_for(call.route, scores.get)
        call.data["model"] = call.route.model_of(call.tier)

    def sample(self, call: Call) -> None:
        """Hand a share of requests over to be written down, as they were sent."""
        sampling = call.route.sampling
        if sampling is None or not is_sampled(call.identity, sampling.share):
            return
        facts: dict[str, str | float] = {"feature": call.feature, "tier": call.tier.name}
        if call.score is not None:
            facts["score"] = round(call.score, 4)
        # The body as it is now: steps that follow replace its fields, and change nothing in them.
        if self.samples.offer(sampling, partial(sample_of, dict(call.data), facts, sampling.compression)):
            with self.series.lock:
                self.series.sampled.add(call.route.name)

    def limit(self, call: Call) -> None:
        """Count the limit that is asked for, and lower it to the cap."""
        asked = asked_tokens(call.data)
        if asked is not None:
            with self.series.lock:
                self.series.asked.observe(call.route.name, call.feature, tokens=asked)
        cap = call.cap
        if cap is not None and cap.max_tokens is not None:
            call.data.update(capped(call.data, cap.max_tokens, call.is_chat))

    def stop(self, call: Call) -> None:
        """Add the feature's stop sequences."""
        cap = call.cap
        stops = stops_with(call.data, cap.stop) if cap is not None and cap.stop else None
        if stops is not None:
            call.data["stop"] = stops

    def compress(self, call: Call) -> None:
        """Shorten long messages of what the trusted tier answers: of its answers alone it is proven that this does no harm."""
        limits = call.route.compression
        if limits is None or not call.is_chat or call.tier is not call.route.trusted:
            return
        before = call.data["messages"]
        after = shortened(before, limits)
        found = removal(before, after, call.data.get("tools"))
        if found is not None:
            call.data["messages"], call.removal = after, found
            with self.series.lock:
                self.series.compressed.add(call.route.name, amount=_characters(before) - _characters(after))


_STEPS: Final[tuple[tuple[str, Callable[[Pipeline, Call], None]], ...]] = (
    ("bound", Pipeline.bound),
    ("attribute", Pipeline.attribute),
    ("choose", Pipeline.choose),
    ("sample", Pipeline.sample),
    ("limit", Pipeline.limit),
    ("stop", Pipeline.stop),
    ("compress", Pipeline.compress),
)
"""In their order; the names stand in the label ``step``."""


def _characters(messages: Sequence[Mapping[str, Any]]) -> int:
    contents = (message.get("content") for message in messages)
    return sum(len(content) for content in contents if isinstance(content, str))
