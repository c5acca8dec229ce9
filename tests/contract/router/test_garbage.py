"""A real LiteLLM collects garbage between two steps of its event loop, where Python would do it in the midst of one.

Not covered: the crash itself, which needs a collection at one moment of many thousand requests.
"""

import sys
from pathlib import Path

import pytest

from router.clients import MASTER_KEY, Tiers, decided, serving
from waiting import wait_until

WITNESS = """
import gc, sys

def begins(phase, info):
    if phase == "start":
        with open({record!r}, "a") as record:
            record.write(sys._getframe(1).f_code.co_name + "\\n")

gc.callbacks.append(begins)
"""
"""Python imports a module of this name at its start: this one notes which function each collection begins in."""
REQUESTS = 200


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="from Python 3.12 on no collection begins in the midst of a step"
)
def test_no_collection_begins_in_the_midst_of_a_request(tiers: Tiers, tmp_path: Path):
    record = tmp_path / "collections"

    def witnessed(folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(WITNESS.format(record=str(record)))

    with serving(tmp_path / "folder", decided(tenants=False), tiers.addresses, witnessed) as client:
        client.ask(key=MASTER_KEY)
        before = len(record.read_text().splitlines())
        assert before > 0
        for _ in range(REQUESTS):
            assert 200 == client.ask(key=MASTER_KEY).status_code
        wait_until(lambda: len(record.read_text().splitlines()) > before)

        assert set(record.read_text().splitlines()[before:]) == {"_look"}
