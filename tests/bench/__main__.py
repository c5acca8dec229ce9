"""``PYTHONPATH=tests python -m bench``: print every figure."""

from rich.console import Console
from rich.table import Table

from bench import planning, processes, reconciling


def main() -> None:
    """Measure and print, one line as soon as it is known."""
    console = Console()
    table = Table("what", "median", "aim", "of which", box=None)
    for measure in (planning, reconciling, processes):
        console.print(f"measuring {measure.__name__.rpartition('.')[2]} ...", style="dim")
        for figure in measure.figures():
            table.add_row(figure.name, figure.value, figure.aim, figure.spread)
    console.print(table)


if __name__ == "__main__":
    main()
