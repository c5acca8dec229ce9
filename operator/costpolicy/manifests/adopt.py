"""A policy for a vLLM Deployment that somebody else wrote: what its arguments and pods say, in the API's
words."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from costpolicy.manifests.arguments import OWNED_ARGUMENTS
from costpolicy.manifests.serialization import Object


class NotAnEngineError(ValueError):
    """The Deployment does not run ``vllm serve``, or it cannot be told which model."""


_SERVE: Final = ("vllm", "serve")
_MODULE: Final = "vllm.entrypoints.openai.api_server"
_SWITCHES: Final = frozenset({"--enable-prefix-caching", "--no-enable-prefix-caching", "--port", "--host"})
"""Arguments that become a technique of the policy, or that the operator's own manifests decide."""


def policy_for(deployment: Object, ttft_p95: str) -> dict[str, Any]:
    """Return a CostPolicy document (mode Recommend) for a Deployment.

    Raises:
        NotAnEngineError: it does not run vLLM, or does not say which model.
    """
    container, words = _engine(deployment)
    model, arguments = _model(words)
    options = {flag: value for flag, value in arguments if value is not None}
    name = deployment["metadata"]["name"]
    spec: dict[str, Any] = {
        "model": {
            "name": options.get("--served-model-name", model).split(" ")[0],
            "source": {"volume": {"claimName": _claim(deployment), "path": model}}
            if model.startswith("/")
            else {"huggingFace": {"repository": model}},
        },
        "objectives": {"ttft": {"p95": ttft_p95}},
        "scaling": {"minReplicas": 1, "maxReplicas": max(deployment["spec"].get("replicas", 1), 1) * 2},
        "rollout": {"mode": "Recommend"},
        "engine": {"image": container["image"]},
    }
    if (length := options.get("--max-model-len", "")).isdecimal():
        spec["model"]["contextLength"] = int(length)
    extra = [flag if value is None else f"{flag}={value}" for flag, value in arguments]
    kept = [argument for argument in extra if not _decided(argument)]
    if kept:
        spec["engine"]["extraArgs"] = kept
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {
            "name": name[:40].rstrip("-"),
            "namespace": deployment["metadata"].get("namespace", "default"),
        },
        "spec": spec,
    }


def _engine(deployment: Object) -> tuple[dict[str, Any], list[str]]:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        words = [*container.get("command", ()), *container.get("args", ())]
        words = [word for text in words for word in (text.split() if len(words) == 1 else [text])]
        served = any(tuple(words[place : place + 2]) == _SERVE for place in range(len(words)))
        if served or _MODULE in words or "vllm" in container.get("image", ""):
            return container, words
    raise NotAnEngineError("none of its containers runs vllm serve")


def _model(words: Sequence[str]) -> tuple[str, list[tuple[str, str | None]]]:
    start = next((place + 2 for place in range(len(words)) if tuple(words[place : place + 2]) == _SERVE), None)
    if start is None:
        start = words.index(_MODULE) + 1 if _MODULE in words else 0
    rest = list(words[start:])
    positional = rest.pop(0) if rest and not rest[0].startswith("-") else None
    arguments = list(_pairs(rest))
    model = positional or dict(arguments).get("--model")
    if not model:
        raise NotAnEngineError("its arguments do not say which model it serves")
    return model, arguments


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    flag: str | None = None
    values: list[str] = []
    for word in [*words, "--"]:
        if word.startswith("--"):
            if flag is not None:
                yield flag, " ".join(values) or None
            flag, _, value = word.partition("=")
            values = [value] if value else []
        else:
            values.append(word)


def _decided(argument: str) -> bool:
    """Return whether the operator decides this by its plan, so that it would be refused as an extra
    argument."""
    return argument.split("=", 1)[0] in OWNED_ARGUMENTS | _SWITCHES


def _claim(deployment: Object) -> str:
    for volume in deployment["spec"]["template"]["spec"].get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            claim: str = volume["persistentVolumeClaim"]["claimName"]
            return claim
    raise NotAnEngineError("it serves a path, but none of its volumes is a PersistentVolumeClaim")
