"""Golden routers: every object of a namespace's router, without the text of modules that run in it.

``PYTHONPATH=operator:tests python -m golden.update`` writes the expected files anew; the diff is the review.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from costpolicy.manifests.router.configuration import configuration_name
from costpolicy.manifests.router.identity import ROUTER
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.router_objects import router_objects
from routers import full_router, router, secret

FOLDER: Final = Path(__file__).parent / "routers"


class _Readable(yaml.SafeDumper):
    """Writes text of several lines as such."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


@dataclass(frozen=True, slots=True)
class RouterCase:
    """A router with the file that its objects are expected to be."""

    name: str
    router: Router
    monitored: bool

    @property
    def expected(self) -> Path:
        """The file that holds the expected objects."""
        return FOLDER / f"{self.name}.yaml"

    def rendered(self) -> str:
        """Render the case as the file that ``kubectl apply`` would read.

        Modules are tested by running them; their text, and the hash that it changes, would hide what a reviewer looks for.
        """
        objects = router_objects(self.router, monitored=self.monitored)
        files = objects[0]["data"]
        objects[0]["data"] = {key: text for key, text in files.items() if not key.endswith(".py")}
        text = yaml.dump_all(objects, Dumper=_Readable, sort_keys=True, width=100)
        return text.replace(configuration_name(self.router), f"{ROUTER}-0000000000")


def router_cases() -> list[RouterCase]:
    """Return the smallest router with a database, and one in which everything is used."""
    return [
        RouterCase("database", router(database=secret("database", "url")), monitored=False),
        RouterCase("full", full_router(), monitored=True),
    ]
