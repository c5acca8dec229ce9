"""How an engine's pod stops.

Covered: that the container has the program where both the hook and the engine look for it; whose search path wins.
Not covered: what the program does (tests/unit/drain), the real engine (tests/e2e/test_flags_rollout.py).
"""

from datetime import timedelta

from builders import policy, variant_inputs
from costpolicy.catalog.engines import supported_engines
from costpolicy.drain import program_source
from costpolicy.manifests.stopping import MIDDLEWARE_ARGUMENT, PROGRAM_ANNOTATION
from costpolicy.manifests.variant import render_variant


def rendered(**engine):
    inputs = variant_inputs(policy=policy(engine=engine), grace=timedelta(seconds=100))
    return render_variant(inputs).deployment["spec"]["template"]


def test_the_pod_carries_the_program_and_shows_it_to_the_engine():
    template = rendered()
    (container,) = template["spec"]["containers"]

    (volume,) = [each for each in template["spec"]["volumes"] if "downwardAPI" in each]
    (file,) = volume["downwardAPI"]["items"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == volume["name"]]
    assert f"metadata.annotations['{PROGRAM_ANNOTATION}']" == file["fieldRef"]["fieldPath"]
    assert program_source() == template["metadata"]["annotations"][PROGRAM_ANNOTATION]
    assert {"name": "PYTHONPATH", "value": mount["mountPath"]} in container["env"]
    assert MIDDLEWARE_ARGUMENT == f"--middleware={file['path'].removesuffix('.py')}.CloseConnections"
    assert MIDDLEWARE_ARGUMENT in container["args"]


def test_the_hook_waits_for_endpoints_and_then_for_clients_as_long_as_the_grace_period_allows():
    template = rendered()

    command = template["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert ["python3", "/etc/costpolicy/costpolicy_drain.py", "8000", "15", "70"] == command


def test_an_annotation_of_the_user_does_not_replace_the_program():
    template = rendered(pod={"annotations": {PROGRAM_ANNOTATION: "import this"}})

    assert program_source() == template["metadata"]["annotations"][PROGRAM_ANNOTATION]


def test_a_search_path_of_the_user_stays_in_front_and_in_its_place():
    template = rendered(env=[{"name": "MINE", "value": "/mine"}, {"name": "PYTHONPATH", "value": "$(MINE)"}])

    env = template["spec"]["containers"][0]["env"]
    assert [{"name": "MINE", "value": "/mine"}, {"name": "PYTHONPATH", "value": "$(MINE):/etc/costpolicy"}] == env[-2:]


def test_an_idle_connection_outlasts_the_clients_pools_unless_the_user_says_otherwise():
    def seconds(**engine):
        env = rendered(**engine)["spec"]["containers"][0]["env"]
        return [variable["value"] for variable in env if variable["name"] == "VLLM_HTTP_TIMEOUT_KEEP_ALIVE"]

    assert ["20"] == seconds()
    assert ["60"] == seconds(env=[{"name": "VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "value": "60"}])


def test_every_supported_release_takes_middleware():
    flag = MIDDLEWARE_ARGUMENT.partition("=")[0]

    assert [] == [engine.version for engine in supported_engines() if engine.flag(flag) is None]
