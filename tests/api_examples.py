"""For every rule of the API a document that keeps it and one that breaks it, and what is said of the latter.

The unit ring asks the models, the integration ring asks a real API server; both must answer the same.
"""

from typing import Any

from example import Example
from plain_documents import ADVISED, ARCHITECTURE, OFFERING, SOURCE, SPEC, Document, book, policy, with_path
from route_examples import ROUTE_RULES, ROUTE_VALUES


def _policy(name: str, path: str, accepted: Any, rejected: Any, says: str) -> Example:
    return Example(
        name=name,
        accepted=with_path(policy(), path, accepted),
        rejected=with_path(policy(), path, rejected),
        says=says,
    )


def _book(name: str, accepted: Document, rejected: Document, says: str) -> Example:
    return Example(name=name, accepted=book(offerings=[accepted]), rejected=book(offerings=[rejected]), says=says)


def _pod(name: str, path: str, accepted: Any, rejected: Any, says: str) -> Example:
    return _policy(name, f"engine.pod.{path}", accepted, rejected, says)


def _judged(judge: Document) -> Document:
    return {"prompts": {"claimName": "prompts", "judge": judge}}


_JUDGE_MODEL = {"baseURL": "https://judge.example/v1", "model": "judge"}

RULES: tuple[Example, ...] = (
    Example(
        name="name within 40 characters",
        accepted=policy(name="a" * 40),
        rejected=policy(name="a" * 41),
        says="the name must not exceed 40 characters",
    ),
    Example(
        name="name fit for a Service",
        accepted=policy(name="chat-8b"),
        rejected=policy(name="8b.chat"),
        says="the name must begin with a letter",
    ),
    Example(
        name="model or targetRef",
        accepted=policy(ADVISED),
        rejected=policy(SPEC | ADVISED),
        says="a policy needs exactly one of model and targetRef",
    ),
    Example(
        name="a model has an objective",
        accepted=policy({**SPEC, "objectives": {"interTokenLatency": {"p95": "50ms"}}}),
        rejected=policy({**SPEC, "objectives": {"availability": {"minReadyReplicas": 2}}}),
        says="a model needs an objective",
    ),
    Example(
        name="targetRef is only advised on",
        accepted=policy({**ADVISED, "rollout": {"mode": "Recommend"}}),
        rejected=policy({**ADVISED, "rollout": {"mode": "Initial"}}),
        says="with targetRef the operator only advises",
    ),
    _policy(
        "one source",
        "model.source",
        {"volume": {"claimName": "weights"}},
        SOURCE | {"volume": {"claimName": "weights"}},
        "a source needs exactly one of huggingFace, volume and image",
    ),
    _policy(
        "a checkpoint has one source",
        "model.checkpoints",
        [{"format": "awq", "source": {"image": {"reference": "weights:awq"}}}],
        [{"format": "awq", "source": {}}],
        "a source needs exactly one of huggingFace, volume and image",
    ),
    _policy(
        "experts per token within experts",
        "model.architecture",
        ARCHITECTURE | {"experts": 8, "expertsPerToken": 2, "expertIntermediateSize": 64},
        ARCHITECTURE | {"experts": 1, "expertsPerToken": 2, "expertIntermediateSize": 64},
        "expertsPerToken must not exceed experts",
    ),
    _policy(
        "experts have sizes",
        "model.architecture",
        ARCHITECTURE,
        ARCHITECTURE | {"experts": 8},
        "a model with experts needs expertsPerToken and expertIntermediateSize",
    ),
    _policy(
        "KV heads within heads",
        "model.architecture",
        ARCHITECTURE | {"kvHeads": 4},
        ARCHITECTURE | {"kvHeads": 5},
        "kvHeads must not exceed attentionHeads",
    ),
    _policy("a latency is more than zero", "objectives.ttft.p95", "1ms", "0ms", "must be more than zero"),
    _policy("a budget is more than zero", "budget.hourly", "0.01", "0.00", "must be more than zero"),
    _policy("a canary step is more than zero", "rollout.canary.step", "100%", "0%", "must be more than zero"),
    _policy("a window is more than zero", "measurement.window", "24h", "0h", "must be more than zero"),
    _policy("a budget has an amount", "budget", {"monthly": "900"}, {"currency": "USD"}, "a budget needs hourly"),
    _policy(
        "the shared prefix is part of the prompt",
        "traffic",
        {"promptTokens": 500, "sharedPrefixTokens": 500},
        {"promptTokens": 500, "sharedPrefixTokens": 501},
        "sharedPrefixTokens must not exceed promptTokens",
    ),
    _policy(
        "replica bounds are in order",
        "scaling",
        {"minReplicas": 3, "maxReplicas": 3},
        {"minReplicas": 11},
        "minReplicas must not exceed maxReplicas",
    ),
    _policy(
        "a schedule's bounds are in order",
        "scaling.schedules",
        [{"schedule": "0 22 * * *", "minReplicas": 0, "maxReplicas": 0}],
        [{"schedule": "0 22 * * *", "minReplicas": 2, "maxReplicas": 1}],
        "minReplicas must not exceed maxReplicas",
    ),
    _policy(
        "a schedule has a bound",
        "scaling.schedules",
        [{"schedule": "0 22 * * *", "maxReplicas": 0}],
        [{"schedule": "0 22 * * *"}],
        "a schedule needs minReplicas or maxReplicas",
    ),
    _policy(
        "a judge of type Model has a model",
        "quality.evaluation",
        _judged({"type": "Model", "model": _JUDGE_MODEL}),
        _judged({"type": "Exact", "model": _JUDGE_MODEL}),
        "a judge of type Model needs model",
    ),
    _policy(
        "prompts have one origin",
        "quality.evaluation",
        {"prompts": {"configMapRef": {"name": "prompts"}}},
        {"prompts": {"configMapRef": {"name": "prompts"}, "claimName": "prompts"}},
        "prompts needs exactly one of configMapRef and claimName",
    ),
    _policy(
        "one evaluation",
        "quality.evaluation",
        {"lmEval": {"tasks": ["gsm8k"]}},
        {"lmEval": {"tasks": ["gsm8k"]}, "prompts": {"claimName": "prompts"}},
        "an evaluation needs exactly one of prompts and lmEval",
    ),
    _policy(
        "an environment variable has one value",
        "engine.env",
        [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        [{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "an environment variable has value or valueFrom, not both",
    ),
    _policy(
        "valueFrom has one source",
        "engine.env",
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        [{"name": "A", "valueFrom": {}}],
        "valueFrom needs exactly one of",
    ),
    _pod(
        "a volume has one source",
        "volumes",
        [{"name": "v", "emptyDir": {}}],
        [{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}],
        "a volume needs exactly one of",
    ),
    _book(
        "reserved capacity has a count",
        OFFERING | {"capacityType": "Reserved", "count": 8},
        OFFERING | {"capacityType": "Reserved"},
        "Reserved capacity needs count",
    ),
    *ROUTE_RULES,
)
"""At least one for every CEL rule; a test holds this table complete."""

VALUES: tuple[Example, ...] = (
    _policy("money is not negative", "budget.hourly", "12.50", "-1", "hourly"),
    _policy("money is text", "budget.hourly", "12.50", 12.5, "hourly"),
    _policy("money has six decimals at most", "budget.hourly", "0.000001", "0.0000001", "hourly"),
    _policy("a duration has a unit", "objectives.ttft.p95", "1h30m", "800", "p95"),
    _policy("a duration is not negative", "objectives.ttft.p95", "1s", "-1s", "p95"),
    _policy("a duration fits", "objectives.ttft.p95", "9999999h", "10000000h", "p95"),
    _policy("a share is at most one", "quality.maxLoss", "1", "101%", "maxLoss"),
    _policy(
        "a currency has three letters",
        "budget",
        {"hourly": "1", "currency": "EUR"},
        {"hourly": "1", "currency": "euro"},
        "currency",
    ),
    _policy(
        "an accelerator's name is lower case",
        "hardware.accelerators",
        ["nvidia-l4"],
        ["NVIDIA L4"],
        "accelerators",
    ),
    _policy("a capacity type is known", "hardware.capacityTypes", ["Spot"], ["Preemptible"], "capacityTypes"),
    _policy("a mode is known", "rollout.mode", "Auto", "Always", "mode"),
    _policy("a rate may be fractional", "traffic.requestsPerSecond", 0.2, -0.2, "requestsPerSecond"),
    _policy("a count is whole", "traffic.promptTokens", 500, 500.5, "promptTokens"),
    _policy("a count is no text", "traffic.promptTokens", 500, "500", "promptTokens"),
    _policy("a truth value is no number", "hardware.allowMixed", True, 1, "allowMixed"),
    _policy("maxReplicas is at least one", "scaling.maxReplicas", 1, 0, "maxReplicas"),
    _policy(
        "cron has five fields",
        "rollout.maintenanceWindows",
        [{"schedule": "0 2 * * 6", "duration": "4h"}],
        [{"schedule": "@daily", "duration": "4h"}],
        "schedule",
    ),
    _policy("a field exists", "engine.version", "0.32.0", {"is": "an object"}, "version"),
    _policy(
        "a checkpoint's format occurs once",
        "model.checkpoints",
        [{"format": "awq", "source": SOURCE}, {"format": "int8", "source": SOURCE}],
        [{"format": "awq", "source": SOURCE}, {"format": "awq", "source": SOURCE}],
        "uplicate",
    ),
    _policy(
        "a variable occurs once",
        "engine.env",
        [{"name": "A"}, {"name": "B"}],
        [{"name": "A"}, {"name": "A"}],
        "uplicate",
    ),
    _pod(
        "a volume's name occurs once",
        "volumes",
        [{"name": "v", "emptyDir": {}}],
        [{"name": "v", "emptyDir": {}}] * 2,
        "uplicate",
    ),
    _pod(
        "a quantity is one",
        "resources",
        {"limits": {"cpu": 8, "memory": "16Gi"}},
        {"limits": {"memory": "lots"}},
        "memory",
    ),
    _book("a price is text", OFFERING, OFFERING | {"hourly": 0.8}, "hourly"),
    _book(
        "a date is one",
        OFFERING | {"effectiveFrom": "2026-01-31"},
        OFFERING | {"effectiveFrom": "January"},
        "effectiveFrom",
    ),
    Example(
        name="an offering occurs once",
        accepted=book(offerings=[OFFERING, OFFERING | {"effectiveFrom": "2026-01-01"}]),
        rejected=book(offerings=[OFFERING, OFFERING | {"hourly": "0.70"}]),
        says="uplicate",
    ),
    Example(name="a book has a currency", accepted=book(), rejected=book(currency="usd"), says="currency"),
    *ROUTE_VALUES,
)
"""Values that the schema itself refuses."""

EXAMPLES = RULES + VALUES
