"""Covers finding and ending background processes by their mark, with real processes. Not covered: whole clusters."""

import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cluster.processes import Owner, end, wait_until
from cluster.progress import ClusterError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the local cluster's processes are found in /proc")

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]


@pytest.fixture
def owner(tmp_path):
    owner = Owner(tmp_path)
    yield owner
    end([process.pid for process in owner.living()], 0)


def started(owner: Owner, name: str, command: list[str]) -> int:
    owner.start(name, command)
    wait_until(name, 10, ("here" in owner.log(name).read_text() for _ in itertools.count()))
    return next(process.pid for process in owner.living() if process.name == name)


def test_finds_what_it_started_and_nothing_of_another_owner(owner, tmp_path):
    started(owner, "one", SLEEPER)

    assert [process.name for process in owner.living()] == ["one"]
    assert Owner(tmp_path / "other").living() == []


def test_an_owner_that_has_forgotten_everything_still_finds_its_processes(owner, tmp_path):
    pid = started(owner, "one", SLEEPER)

    assert [process.pid for process in Owner(tmp_path).living()] == [pid]


def test_a_process_started_by_a_process_of_ours_is_ours_after_its_parent_has_ended(owner):
    script = "import subprocess; print('here', subprocess.Popen(['sleep', '60']).pid, flush=True)"
    owner.start("parent", [sys.executable, "-c", script])
    wait_until("the child", 10, ("here" in owner.log("parent").read_text() for _ in itertools.count()))
    child = int(owner.log("parent").read_text().split()[1])
    wait_until("the parent's end", 10, (len(owner.living()) == 1 for _ in itertools.count()))

    assert [(process.pid, process.name) for process in owner.living()] == [(child, "parent")]


def test_ends_only_the_process_of_the_name(owner):
    started(owner, "one", SLEEPER)
    started(owner, "two", SLEEPER)

    owner.stop("one")

    assert [process.name for process in owner.living()] == ["two"]


def test_a_process_that_ignores_the_request_is_ended_all_the_same(owner):
    started(owner, "stubborn", STUBBORN)
    began = time.monotonic()

    owner.stop("stubborn", grace=0.3)

    assert owner.living() == []
    assert time.monotonic() - began < 5


def test_a_zombie_is_not_waited_for(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    wait_until("the zombie", 10, (") Z" in Path(f"/proc/{child.pid}/stat").read_text() for _ in itertools.count()))
    began = time.monotonic()

    end([child.pid], 5.0)

    assert time.monotonic() - began < 2
    assert child.wait() == 0


def test_a_process_id_that_is_gone_is_no_error():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()

    end([child.pid], 1.0)


def test_says_why_a_process_that_should_run_does_not(owner):
    owner.start("failing", [sys.executable, "-c", "import sys; sys.exit('no such bridge')"])
    wait_until(
        "its end", 10, (not owner.runs("failing") and owner.log("failing").read_text() != "" for _ in itertools.count())
    )

    with pytest.raises(ClusterError, match="no such bridge"):
        owner.require("failing", becoming=0.2)


def test_waiting_ends_with_the_name_of_what_was_not_ready():
    with pytest.raises(ClusterError, match="the node was not ready within 0 s"):
        wait_until("the node", 0, itertools.repeat(False))


def test_a_process_that_cannot_be_seen_yet_is_not_taken_for_one_that_ended(owner):
    starting = threading.Timer(0.5, owner.start, ("late", SLEEPER))
    starting.start()
    owner.require("late")

    assert [process.name for process in owner.living()] == ["late"]
    starting.join()
