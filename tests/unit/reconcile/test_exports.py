"""What the operator exports of a variant: who proposes, which kernels.  Not covered: the other gauges (tests/integration/operator)."""

from dataclasses import replace

from builders import configuration, policy
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.observe.exported import PROPOSER_INFO, VARIANT_INFO
from costpolicy.planning.configuration import Proposer
from costpolicy.reconcile.exports import RunningVariant, fleet_series
from costpolicy.reconcile.fleet import Fleet
from staging import NO_METRICS, Stage


def test_who_proposes_is_exported_once_a_variant_and_only_where_somebody_does():
    for mode, label in (("Enabled", "eagle:3:example/head"), ("Disabled", None)):
        technique = {"mode": mode, "method": "eagle", "model": "example/head"}
        stage = Stage(policy(techniques={"speculativeDecoding": technique}, scaling={"minReplicas": 2}))
        stage.settle()
        snapshot = stage.snapshot()
        stable = snapshot.live.stable
        assert stable is not None
        running = RunningVariant(
            namespace="default", policy="chat", hash=stable.hash, configuration=stable.configuration, selected=True
        )
        fleet = Fleet(
            at=stage.now, policies=(), prices=snapshot.prices, capacity=snapshot.capacity, observations=NO_METRICS
        )
        expected = {} if label is None else {("default", "chat", stable.hash, label): 1.0}

        assert 2 == len(snapshot.capacity.pods)
        assert expected == fleet_series([running], fleet)[PROPOSER_INFO]
        kernels = stable.configuration.kernels if stable.configuration else ""
        assert {("default", "chat", stable.hash, kernels): 1.0} == fleet_series([running], fleet)[VARIANT_INFO]


def test_variants_that_differ_in_settings_alone_have_the_same_kernels():
    one = configuration(max_num_batched_tokens=4096, max_num_seqs=64, gpu_memory_utilization=0.9)
    other = replace(one, max_num_batched_tokens=8192, max_num_seqs=None, gpu_memory_utilization=None)
    different = [
        replace(one, tensor_parallel_size=2),
        replace(one, data_parallel_size=2),
        replace(one, weights=WeightFormat.FP8),
        replace(one, kv_cache_dtype=KvCacheDtype.FP8),
        replace(one, accelerator="nvidia-h200"),
        replace(one, proposer=Proposer(method="ngram", tokens=3)),
    ]

    assert one.kernels == other.kernels
    assert 7 == len({one.kernels, *(each.kernels for each in different)})


def test_the_label_of_a_proposer_names_all_that_makes_it():
    proposers = [
        Proposer(method="ngram", tokens=3),
        Proposer(method="ngram", tokens=4),
        Proposer(method="eagle", tokens=3, model="example/head"),
        Proposer(method="eagle3", tokens=3, model="example/head"),
    ]

    assert 4 == len({one.label for one in proposers})
    assert "ngram:3" == proposers[0].label
