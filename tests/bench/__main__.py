"""``PYTHONPATH=tests python -m bench``: print every figure, each as soon as it is known."""

from bench import allocating, planning, processes, reconciling, reporting, router_path, routing, simulating


def main() -> None:
    """Measure and print."""
    print(f"{'':<78} {'median':>9}  aim")
    for measure in (planning, allocating, reconciling, reporting, routing, router_path, processes, simulating):
        for figure in measure.figures():
            print(f"{figure.name:<78} {figure.value:>9}  {figure.aim:<8} {figure.spread}", flush=True)


if __name__ == "__main__":
    main()
