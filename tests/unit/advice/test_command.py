"""What a container gives to vLLM: every form that manifests of the field have.

Not covered: what the words mean (``test_serving``); scripts that call the server from a function or a second file.
"""

import pytest

from costpolicy.advice.command import Form, engine_commands
from costpolicy.advice.environment import unknown
from foreign import container

SERVE = ["meta-llama/Llama-3.1-8B", "--tensor-parallel-size", "2"]
MODULE = "vllm.entrypoints.openai.api_server"


def words(*, image: str = "registry.example/engine:1", **fields: object) -> list[str] | None:
    found = engine_commands({"containers": [container([], image=image) | fields]})
    return list(found[0].words) if found else None


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (["vllm", "serve", *SERVE], []),
        (["vllm", "serve"], SERVE),
        (["vllm"], ["serve", *SERVE]),
        (["/usr/local/bin/vllm"], ["serve", *SERVE]),
        ([], ["vllm", "serve", *SERVE]),
        (["python3", "-m", MODULE], SERVE),
        (["python", "-u", "-m", MODULE, *SERVE], []),
        (["python3", "/opt/vllm/entrypoints/openai/api_server.py"], SERVE),
        (["tini", "--", "vllm", "serve"], SERVE),
        (["/opt/nvidia/nvidia_entrypoint.sh"], ["vllm", "serve", *SERVE]),
    ],
)
def test_a_command_line_is_read_from_the_marker_on_in_whichever_list_it_stands(command: list[str], args: list[str]):
    assert SERVE == words(command=command, args=args)


@pytest.mark.parametrize(
    "script",
    [
        "exec vllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2",
        "vllm serve meta-llama/Llama-3.1-8B \\\n  --tensor-parallel-size 2\n",
        "set -e; python3 -m vllm.entrypoints.openai.api_server meta-llama/Llama-3.1-8B --tensor-parallel-size 2",
        "# vllm serve other\nexport A=1\nvllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2 && echo done",
        "vllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2 | tee /tmp/log",
        "vllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2\nsleep infinity",
        "A=1 nohup vllm serve 'meta-llama/Llama-3.1-8B' --tensor-parallel-size \"2\" > /tmp/log",
        "vllm serve $NAME --tensor-parallel-size ${SIZE}",
        "vllm serve ${NAME} --tensor-parallel-size ${NOWHERE:-2}",
        "vllm serve $REST",
    ],
)
@pytest.mark.parametrize("shell", [["sh", "-c"], ["/bin/bash", "-ec"], ["bash", "-l", "-c"]])
def test_a_script_of_a_shell_is_read_up_to_the_end_of_its_command(shell: list[str], script: str):
    env = [
        {"name": "NAME", "value": "meta-llama/Llama-3.1-8B"},
        {"name": "SIZE", "value": "2"},
        {"name": "REST", "value": "$(NAME) --tensor-parallel-size $(SIZE)"},
    ]

    assert SERVE == words(command=shell, args=[script], env=env)
    assert SERVE == words(command=[*shell, script], args=[], env=env)


def test_parameters_of_a_script_stand_where_it_says():
    assert SERVE == words(command=["sh", "-c", 'exec vllm serve "$@"', "--"], args=SERVE)


def test_quotes_of_a_variable_s_value_mean_nothing_to_a_shell():
    env = [{"name": "JSON", "value": '{"method": "ngram"}'}]

    assert ["m", "--speculative-config", '{"method": "ngram"}'] == words(
        command=["sh", "-c"], args=['vllm serve m --speculative-config "$JSON"'], env=env
    )


def test_variables_are_replaced_as_the_kubelet_does():
    env = [
        {"name": "FAMILY", "value": "meta-llama"},
        {"name": "NAME", "value": "$(FAMILY)/Llama-3.1-8B"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
    ]
    args = ["$(NAME)", "--api-key=$(TOKEN)", "$$(NAME)", "$(NOWHERE)"]

    assert ["meta-llama/Llama-3.1-8B", f"--api-key={unknown('TOKEN')}", "$(NAME)", unknown("NOWHERE")] == words(
        command=["vllm", "serve"], args=args, env=env
    )


@pytest.mark.parametrize(
    ("image", "args"),
    [
        ("vllm/vllm-openai:v0.32.0", SERVE),
        ("docker.io/vllm/vllm-openai@sha256:0123", SERVE),
        ("registry.example:5000/team/vllm-openai-rocm:1", ["--model", "x"]),
        ("registry.example/vllm:1", ["--port=8000", "--model=x"]),
    ],
)
def test_an_image_whose_entrypoint_is_the_server_needs_no_command(image: str, args: list[str]):
    assert args == words(image=image, args=args)


@pytest.mark.parametrize(
    ("image", "command", "args"),
    [
        ("nginx", [], ["--model", "x"]),
        ("vllm/vllm-openai:v0.32.0", ["sleep"], ["infinity"]),
        ("ghcr.io/vllm-project/production-stack/router:1", [], ["--model", "x"]),
        ("registry.example/vllm-router:1", [], ["--served-model-name", "x"]),
        ("registry.example/vllm:1", [], ["--port=9"]),
        ("registry.example/vllm:1", ["sh", "-c"], ["echo vllm"]),
        ("registry.example/vllm:1", ["sh", "/start.sh"], []),
        ("registry.example/vllm:1", ["bash", "-c"], ['vllm "serve']),
        ("registry.example/engine:1", ["vllm", "bench"], ["serve"]),
    ],
)
def test_what_runs_no_server_is_no_engine(image: str, command: list[str], args: list[str]):
    assert words(image=image, command=command, args=args) is None


def test_a_sidecar_is_ignored_and_the_place_of_the_words_is_told():
    sidecar = {"name": "proxy", "image": "envoy", "args": ["--model", "x"]}
    pod = {"containers": [sidecar, container(["serve", "m", "--port=1"], command=["vllm"])]}
    [found] = engine_commands(pod)

    assert ("vllm", Form.ARGS, 1) == (found.container, found.form, found.offset)
    [found] = engine_commands({"containers": [container([], command=["vllm", "serve", "m"])]})
    assert (Form.COMMAND, 2) == (found.form, found.offset)
    [found] = engine_commands({"containers": [container(["vllm serve m"], command=["sh", "-c"])]})
    assert Form.SCRIPT is found.form
