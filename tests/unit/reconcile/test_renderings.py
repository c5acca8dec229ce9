"""What was rendered of variants is remembered while nothing that it depends on changes.

Covered: the same again, an edit, a status, a version that is not rendered, how many are kept, a policy's own objects.
Not covered: what is rendered (tests/golden).
"""

from dataclasses import replace

from builders import policy
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.outlook import look_ahead
from costpolicy.reconcile.renderings import Renderings
from staging import Stage

BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}


def inputs_of(stage: Stage) -> tuple[str, VariantInputs]:
    stable = stage.snapshot().live.stable
    assert stable is not None
    assert stable.record is not None
    return stable.hash, stable.record.inputs(stage.policy)


def staged() -> Stage:
    stage = Stage(policy(traffic=BUSY))
    stage.settle()
    return stage


def test_what_did_not_change_is_not_rendered_again():
    stage, known = staged(), Renderings()
    hash_, inputs = inputs_of(stage)
    first = known.of(hash_, inputs)
    stage.step()
    metadata = stage.policy.metadata.model_copy(update={"resource_version": "99"})
    stored = stage.policy.model_copy(update={"metadata": metadata})

    assert first is not None
    assert first.hash == hash_
    assert first is known.of(hash_, replace(inputs, policy=stored))


def test_what_changed_is_rendered_again():
    stage, known = staged(), Renderings()
    hash_, inputs = inputs_of(stage)
    first = known.of(hash_, inputs)
    stage.edit(traffic=BUSY, engine={"env": [{"name": "SETTING", "value": "new"}]})
    edited, pinned = known.of(hash_, inputs_of(stage)[1]), known.of(hash_, replace(inputs, image="example.com/other:1"))

    assert first is not None
    assert edited is not None
    assert pinned is not None
    assert 3 == len({first.hash, edited.hash, pinned.hash})
    assert "SETTING" in str(edited.objects)


def test_what_a_policy_has_once_is_rendered_again_after_an_edit_or_for_another_question_only():
    stage, known = staged(), Renderings()
    first = known.of_policy(stage.policy, "0123456789", 2, monitored=False)
    stage.step()
    again = known.of_policy(stage.policy, "0123456789", 2, monitored=False)
    alone = known.of_policy(stage.policy, "0123456789", 1, monitored=False)
    watched = known.of_policy(stage.policy, "0123456789", 2, monitored=True)
    shared = known.of_policy(stage.policy, None, 2, monitored=False)
    stage.edit(traffic=BUSY, deletionPolicy="Orphan")
    kept = known.of_policy(stage.policy, None, 2, monitored=False)

    assert first is again
    assert ["Service", "PodDisruptionBudget"] == [each["kind"] for each in first]
    assert ["Service"] == [each["kind"] for each in alone]
    assert ["Service", "PodDisruptionBudget", "PodMonitor"] == [each["kind"] for each in watched]
    assert first[0]["spec"]["selector"] != shared[0]["spec"]["selector"]
    assert "ownerReferences" in shared[0]["metadata"]
    assert "ownerReferences" not in kept[0]["metadata"]


def test_what_cannot_be_rendered_is_not_tried_again_and_again():
    hash_, inputs = inputs_of(staged())

    assert Renderings().of(hash_, replace(inputs, template_revision=99)) is None


def test_a_better_plan_that_has_to_wait_is_rendered_once():
    stage = staged()
    snapshot = stage.snapshot()
    assert isinstance(snapshot.inputs, Inputs)
    first, second = (look_ahead(snapshot, snapshot.inputs, stage.now) for _ in range(2))
    assert first.plan.target is not None

    assert first.rendered(first.plan.target) is second.rendered(first.plan.target)


def test_only_the_last_few_are_kept():
    known = Renderings()
    hash_, inputs = inputs_of(staged())
    first = known.of(hash_, inputs)
    for other in range(6):
        known.of(str(other), inputs)

    assert first is not known.of(hash_, inputs)
    assert first == known.of(hash_, inputs)
