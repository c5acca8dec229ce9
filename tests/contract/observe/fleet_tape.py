"""A fleet for every case that the fleet queries must tell apart, as series of the hour before ``END``."""

from contract.observe.tapes import END, HOUR, Tape, ramp

H100 = "0.25.1-h100-bf16.txt"
TTFT = "vllm:time_to_first_token_seconds_count"
WAITING = "vllm:num_requests_waiting"
_HOUR_OF_LOAD = {
    "requests": 7200.0,
    "engines": 2.0,
    "prompt_tokens": 1000.0,
    "output_tokens": 250.0,
    "prefix_hit_ratio": 0.4,
    "ttft_seconds": 0.5,
    "inter_token_latency_seconds": 0.02,
}
_PROPOSED_IN_AN_HOUR = {"decode_steps": 100_000.0, "proposed_tokens": 300_000.0, "accepted_tokens": 120_000.0}


def target(namespace: str, pod: str = "chat-1", **more: str) -> dict[str, str]:
    """Labels of a pod that the operator's PodMonitor scrapes."""
    return {
        "namespace": namespace,
        "pod": pod,
        "job": "engines",
        "costpolicy": "chat",
        "variant": "aaa",
        **more,
    }


def bare(namespace: str, pod: str = "chat-1", **more: str) -> dict[str, str]:
    """Labels of a pod that somebody else's job scrapes."""
    return {"namespace": namespace, "pod": pod, "job": "pods", **more}


def load(tape: Tape, namespace: str, started: list[tuple[int, float]], waiting: list[tuple[int, float]]) -> None:
    engine = {**target(namespace), "engine": "0", "model_name": "m"}
    tape.add(TTFT, engine, started)
    tape.add(WAITING, engine, waiting)
    tape.add("vllm:num_requests_running", engine, ramp(256, 256))


def fleet_tape() -> Tape:
    """Return every engine and operator that the questions are put to, each kind in a namespace that names it."""
    tape = Tape()
    tape.engine(target("relabelled"), H100)
    tape.engine(bare("joined"), H100)
    owner = {"policy": "chat", "variant": "aaa"}
    tape.add("costpolicy_pod_info", {"namespace": "joined", "pod": "chat-1", **owner}, ramp(1, 1))
    tape.engine(bare("dishonoured"), H100)
    hidden = {
        "exported_namespace": "dishonoured",
        "exported_pod": "chat-1",
        "namespace": "ops",
        "pod": "operator-0",
    }
    tape.add("costpolicy_pod_info", {**hidden, **owner}, ramp(1, 1))
    tape.engine(target("twice"), H100)
    tape.engine(bare("twice"), H100)
    for operator in ("operator-0", "operator-1"):
        info = {"namespace": "twice", "pod": "chat-1", "instance": operator}
        tape.add("costpolicy_pod_info", {**info, "policy": "chat", "variant": "aaa"}, ramp(1, 1))
    tape.engine(bare("torn"), H100)
    for variant in ("aaa", "bbb"):
        info = {"namespace": "torn", "pod": "chat-1", "policy": "chat", "variant": variant}
        tape.add("costpolicy_pod_info", info, ramp(1, 1))
    tape.engine(target("parallel"), "0.32.0-cpu-dp2.txt")
    for rank, used in (("0", 0.2), ("1", 0.9)):
        tape.add("vllm:kv_cache_usage_perc", {**target("ranks"), "engine": rank}, ramp(used, used))
    tape.add("vllm:kv_cache_usage_perc", {**target("ranks", "chat-2"), "engine": "0"}, ramp(0.3, 0.3))
    tape.engine(target("two-pods", "chat-1"), H100)
    tape.engine(target("two-pods", "chat-2"), H100)
    tape.engine(target("two-variants"), H100)
    tape.engine(target("two-variants", "chat-2", variant="bbb"), "h200-qwen3-32b-bf16.txt")
    hung_up = {**target("abandoned"), "engine": "0", "model_name": "m"}
    tape.add("vllm:num_requests_running", hung_up, ramp(1, 1))
    tape.add("vllm:generation_tokens_total", hung_up, ramp(0, 1_000_000))
    tape.add("vllm:request_generation_tokens_sum", hung_up, ramp(0, 800_000))
    tape.add("vllm:request_generation_tokens_count", hung_up, ramp(0, 4_000))
    tape.add(TTFT, hung_up, ramp(0, 5_000))
    tape.engine(target("stale"), H100, last=END - 240)
    tape.engine(target("vanished"), H100, last=END - 900)
    tape.engine(target("same", cluster="a"), H100)
    tape.engine(target("same", cluster="b"), "0.32.0-cpu.txt")

    load(tape, "saturated", ramp(0, 2 * HOUR), ramp(0, 3 * HOUR))
    load(tape, "draining", ramp(0, 5 * HOUR), ramp(4 * HOUR, 0))
    before, after = ramp(0, 3450, last=END - 150), ramp(0, 135, first=END - 135)
    load(
        tape,
        "crashed",
        before + after,
        [(when, 1000.0) for when, _ in before] + [(when, 0.0) for when, _ in after],
    )
    load(tape, "refusing", ramp(0, 2 * HOUR), ramp(7, 7))
    for reason, rate in (("max_num_queued_reqs", 1), ("max_num_queued_tokens", 0.5)):
        rejected = {**target("refusing"), "model_name": "m", "reason": reason}
        tape.add("vllm:admission_rejections_total", rejected, ramp(0, rate * HOUR))
    load(tape, "idle", ramp(400, 400), ramp(0, 0))
    for bound, count in (("0.5", 380.0), ("1.0", 400.0), ("+Inf", 400.0)):
        bucket = {**target("idle"), "engine": "0", "le": bound}
        tape.add("vllm:time_to_first_token_seconds_bucket", bucket, ramp(count, count))
    load(tape, "slow", ramp(0, HOUR), ramp(0, 0))
    for bound, share in (("0.5", 0.25), ("2560.0", 0.5), ("+Inf", 1.0)):
        bucket = {**target("slow"), "engine": "0", "le": bound}
        tape.add("vllm:time_to_first_token_seconds_bucket", bucket, ramp(0, share * HOUR))
    load(tape, "nan", ramp(0, HOUR), ramp(0, 0))
    usage = {**target("nan"), "engine": "0"}
    tape.add("vllm:kv_cache_usage_perc", usage, [(when, float("nan")) for when, _ in ramp(0, 0)])

    held = {"namespace": "priced", "policy": "chat", "variant": "aaa", "accelerator": "nvidia-h100-80gb"}
    for operator in ("operator-0", "operator-1"):
        gpus = {**held, "capacity_type": "OnDemand", "instance": operator}
        tape.add("costpolicy_gpus", {**gpus, "state": "ready"}, ramp(4, 4))
        tape.add("costpolicy_gpus", {**gpus, "state": "starting"}, ramp(2, 2))
        tape.add("costpolicy_price_per_hour", {**gpus, "currency": "USD"}, ramp(2.49, 2.49))
    recorded = {"namespace": "history", "policy": "chat"}
    tape.add("costpolicy_policy:requests_offered:rate5m", recorded, ramp(0, 100, step=36))
    _record_costs(tape)
    _record_hours(tape)
    _record_saturation(tape)
    return tape


def _record_saturation(tape: Tape) -> None:
    full = {"namespace": "full", "policy": "chat", "kernels": "nvidia-l40s/1x1/bf16/auto"}
    for variant, first, last, step, served in (("aaa", 2, 4, 60, 4.0), ("bbb", 1, 3, 120, 5.0)):
        of = {**full, "variant": variant}
        # A quarter of the minutes are of an engine that crawled.
        minutes = ramp(0, 0, first=END - last * HOUR, last=END - first * HOUR, step=step)
        slow = len(minutes) // 4
        points = [(when, 0.5 if index < slow else served) for index, (when, _) in enumerate(minutes)]
        tape.add("costpolicy_variant:saturated_requests:rate5m", of, points)
        for figure, value in (("prompt_tokens", 1000.0), ("output_tokens", 250.0), ("prefix_hit_ratio", 0.4)):
            shape = [(when, value) for when, _ in minutes]
            tape.add("costpolicy_variant:saturated_shape:mean5m", {**of, "figure": figure}, shape)
    kernels = {"namespace": "full", "policy": "other", "kernels": "incomplete", "variant": "aaa"}
    tape.add("costpolicy_variant:saturated_requests:rate5m", kernels, ramp(4.0, 4.0))


def _record_hours(tape: Tape) -> None:
    hours = {"namespace": "hours", "policy": "chat"}
    for figure, value in _HOUR_OF_LOAD.items():
        points = ramp(value, value, first=END - 23 * HOUR, step=120)
        tape.add("costpolicy_variant:load_and_latency:mean1h", {**hours, "variant": "aaa", "figure": figure}, points)
        if figure != "ttft_seconds":
            incomplete = {**hours, "variant": "bbb", "figure": figure}
            tape.add("costpolicy_variant:load_and_latency:mean1h", incomplete, points)
        speculating = {**hours, "variant": "ccc", "figure": figure}
        tape.add("costpolicy_variant:load_and_latency:mean1h", speculating, points)
    for figure, value in _PROPOSED_IN_AN_HOUR.items():
        points = ramp(value, value, first=END - 23 * HOUR, step=120)
        proposed = {**hours, "variant": "ccc", "figure": figure, "proposer": "eagle:3:example/head"}
        tape.add("costpolicy_variant:load_and_latency:mean1h", proposed, points)


def _record_costs(tape: Tape) -> None:
    spent = {"namespace": "spent", "policy": "chat"}
    for currency, cost, namespace in (
        ("USD", 3.72, "spent"),
        ("USD", 1.0, "torn-currency"),
        ("EUR", 2.0, "torn-currency"),
    ):
        labels = {**spent, "namespace": namespace, "currency": currency}
        tape.add("costpolicy_policy:cost_per_hour:sum", labels, ramp(cost, cost, first=END - 7 * HOUR, step=120))
    tape.add("costpolicy:operators:count", {}, ramp(1, 1, first=END - 23 * HOUR, step=120))
