"""`python -m accuracy fit|report` (PYTHONPATH=tests); see the package."""

import sys

import measurements
from accuracy.fitting import TARGET, fit, rewritten
from accuracy.page import PAGE, page


def main(arguments: list[str]) -> int:
    """Run one command; 2 if there is no such command."""
    match arguments:
        case ["fit"]:
            found = fit(measurements.published())
            TARGET.write_text(rewritten(TARGET.read_text(), found))
            print(found)
        case ["report"]:
            print("fitting about forty times on parts of the rows (half a minute)", flush=True)
            PAGE.write_text(page())
            print(f"wrote {PAGE}")
        case _:
            print("usage: python -m accuracy fit|report")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
