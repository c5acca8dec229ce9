"""The reference of conditions, made from their enumerations: ``python -m costpolicy.api.reference``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from costpolicy.api.conditions import CONDITIONS
from costpolicy.api.reasons import REASONS

_HEAD = """\
# Conditions

<!-- Made by `python -m costpolicy.api.reference`; do not edit. -->

`kubectl get costpolicy NAME -o yaml` shows them in `status.conditions`;
`kubectl wait --for=condition=Ready costpolicy/NAME` waits for one. They follow [kstatus](https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).

| Condition | What it says |
|---|---|
"""
_REASONS = """
## Reasons

A reason is published: its name is never given another meaning.

| Reason | What it says, and what can be done |
|---|---|
"""


def conditions_page() -> str:
    """Return the page as Markdown."""
    conditions = "".join(f"| `{kind}` | {text} |\n" for kind, text in CONDITIONS.items())
    reasons = "".join(f"| `{reason}` | {text} |\n" for reason, text in REASONS.items())
    return _HEAD + conditions + _REASONS + reasons


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page, write it to a file, or check that a file holds it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m costpolicy.api.reference", description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--write", metavar="FILE", type=Path, help="write the page into this file")
    chosen.add_argument("--check", metavar="FILE", type=Path, help="exit 1 if this file does not hold it")
    options = parser.parse_args(arguments)
    page = conditions_page()
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(page, encoding="utf-8")
    elif options.check:
        if not options.check.exists() or options.check.read_text(encoding="utf-8") != page:
            sys.stderr.write(f"{options.check} is not what the enumerations say: make it anew\n")
            return 1
    else:
        sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
