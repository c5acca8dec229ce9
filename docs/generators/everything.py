"""Write every generated file of the repository below a folder; ``docs/generate.sh`` runs it."""

import sys
from pathlib import Path

import catalogue
import cli
import consoles
import constants
import dashboards
import kinds
import metrics
import routing
import settings

from costpolicy.api.crd import rendered
from costpolicy.api.reference import conditions_page
from costpolicy.observe import alerts, rules

ROOT = Path(__file__).parents[2]


def files() -> dict[str, str]:
    """Return the text of every generated file, by its path in the repository."""
    definitions = rendered()
    prices = ROOT / "operator" / "costpolicy" / "catalog" / "data" / "list_prices.yaml"
    return {
        **{f"crds/{name}": text for name, text in definitions.items()},
        **{f"charts/costpolicy-crds/files/{name}": text for name, text in definitions.items()},
        "charts/costpolicy-operator/files/list-prices.yaml": prices.read_text(encoding="utf-8"),
        "charts/costpolicy-operator/files/alert-rules.yaml": alerts.render(),
        "charts/costpolicy-operator/files/recording-rules.yaml": rules.render(),
        **dashboards.files(),
        "docs/reference/catalogue.md": catalogue.page(),
        "docs/reference/cli.md": cli.page(),
        "docs/reference/conditions.md": conditions_page(),
        "docs/reference/constants.md": constants.page(),
        "docs/reference/kinds.md": kinds.page(),
        "docs/reference/metrics.md": metrics.page(),
        "docs/reference/routing.md": routing.page(),
        "docs/reference/settings.md": settings.page(),
        **{str(page.relative_to(ROOT)): consoles.with_outputs(page, ROOT) for page in pages_with_commands()},
    }


def pages_with_commands() -> list[Path]:
    """Return the pages that show what a command answers."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if "```console\n" in page.read_text(encoding="utf-8")]


def main() -> None:
    """Write them."""
    folder = Path(sys.argv[1])
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
