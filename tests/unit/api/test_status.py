"""The status stays within 16 KiB whatever is put into it, and survives other operators' versions."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.api.conditions import ConditionType, Reason, condition, merge_conditions
from costpolicy.api.status import (
    STATUS_LIMIT,
    CalibrationStatus,
    CostPolicyStatus,
    Infeasible,
    Interval,
    LatencyFigures,
    MeasurementStatus,
    ObservedTraffic,
    PlaybookRow,
    Prediction,
    Receipt,
    RolloutStatus,
    ScalingStatus,
    SpeculationStatus,
    TargetStatus,
    VariantStatus,
    WindowFigures,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOST = "999999999999.999999"


def target() -> TargetStatus:
    latency = LatencyFigures(mean=1 / 3, p50=1 / 3, p95=2 / 3)
    return TargetStatus(
        accelerator="a" * 64,
        capacity_type="Reserved",
        accelerators_per_replica=8,
        replicas=1000,
        tensor_parallel_size=8,
        data_parallel_size=2**53,
        weights="nvfp4",
        kv_cache_dtype="auto",
        max_num_seqs=10**9,
        max_num_batched_tokens=10**9,
        cost_per_hour=MOST,
        marginal_cost_per_hour=MOST,
        cost_per_million_tokens=MOST,
        currency="USD",
        assumed_traffic=True,
        predicted=Prediction(
            ttft_seconds=latency,
            inter_token_latency_seconds=latency,
            output_tokens_per_second=10000 / 3,
            kv_cache_tokens=2**53,
            weights_bytes=2**53,
        ),
    )


def fullest(text: str) -> CostPolicyStatus:
    """The largest status that the operator could ever try to write."""
    long = text * 600
    window = WindowFigures(
        since=NOW, until=NOW, total_cost=MOST, requests=2**53, prompt_tokens=2**53, output_tokens=2**53
    )
    conditions = [condition(kind, False, Reason.CANARY_UNSCHEDULABLE, long) for kind in ConditionType]
    return CostPolicyStatus(
        observed_generation=2**53,
        conditions=merge_conditions((), conditions, NOW),
        target=target(),
        recommended=target(),
        uncapped_target=target(),
        infeasible=Infeasible(reason="DoesNotFit", message=long),
        why_not_cheaper=long,
        variants=tuple(
            VariantStatus(hash=f"{n:010x}", template_revision=1, image="i" * 256, role="Stable") for n in range(3)
        ),
        rollout=RolloutStatus(phase=long, message=long, started_at=NOW, phase_since=NOW),
        scaling=ScalingStatus(pending_replicas=1000, pending_since=NOW),
        observed=ObservedTraffic(at=NOW, requests_per_second=1 / 3),
        calibration=CalibrationStatus(
            windows=2**53,
            confidence=1 / 3,
            ttft_factor=1 / 3,
            inter_token_factor=1 / 3,
            ttft_margin=1 / 3,
            inter_token_margin=1 / 3,
            kv_cache_factor=1 / 3,
        ),
        speculation=SpeculationStatus(
            proposer=long,
            accepted_share=1 / 3,
            tokens_per_step=1 / 3,
            counted_tokens_per_step=1 / 3,
            steps=1 / 3,
            hours=2**53,
        ),
        measurement=MeasurementStatus(
            baseline=window,
            current=window,
            interval=Interval(low=-1 / 3, high=1 / 3, level=0.95),
            reason=long,
        ),
        playbook=tuple(
            PlaybookRow(technique=f"t{n}", effort="medium", state="NotApplicable", saves_per_month=MOST, reason=long)
            for n in range(16)
        ),
        playbook_saves_per_month=MOST,
        history=tuple(Receipt(at=NOW, change=long, before=long, after=long, proof=long, undo=long) for _ in range(10)),
    )


@given(st.text(min_size=1, max_size=3))
def test_even_the_fullest_status_fits(text: str):
    fitting = fullest(text).within_limit()

    assert fitting.size() <= STATUS_LIMIT
    assert len(ConditionType) == len(fitting.conditions)


def test_an_ordinary_status_is_left_as_it_is():
    status = CostPolicyStatus(observed_generation=1, target=target())

    assert status == status.within_limit()


def test_copies_are_clipped_before_they_are_written():
    rollout = RolloutStatus(phase="Surging").model_copy(update={"message": "x" * 9000})

    written = CostPolicyStatus(rollout=rollout).within_limit().to_json()

    assert len(written["rollout"]["message"].encode()) == 400


def test_the_status_as_json_has_no_nulls_and_times_in_whole_seconds():
    rollout = RolloutStatus(phase="Steady", started_at=NOW + timedelta(microseconds=123456))

    written = CostPolicyStatus(rollout=rollout).to_json()

    assert written["rollout"]["startedAt"] == "2026-11-22T12:00:00Z"
    assert "lastChangeAt" not in written["rollout"]
    assert "target" not in written


def test_what_was_written_is_read_back_the_same_and_unknown_fields_are_ignored():
    status = fullest("x").within_limit()

    assert status == CostPolicyStatus.model_validate(status.to_json() | {"fieldOfANewerVersion": 1})
