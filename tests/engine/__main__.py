"""`python -m engine build` builds the environment, `model FOLDER` writes the tiny model, `catalogue` the flags."""

import argparse
import sys
from pathlib import Path

from engine.catalogue import write_catalogue
from engine.environment import engine_env
from engine.tiny_model import write_tiny_model


def main() -> None:
    parser = argparse.ArgumentParser(prog="engine", description="A real vLLM on this machine's CPU, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the engine's environment into the user's cache (once)")
    model = commands.add_parser("model", help="write the tiny model into a folder")
    model.add_argument("folder", type=Path)
    catalogue = commands.add_parser("catalogue", help="print engine_flags.json for descriptions of releases")
    catalogue.add_argument("description", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "build":
        print(engine_env())
    elif arguments.command == "model":
        print(write_tiny_model(arguments.folder))
    else:
        sys.stdout.write(write_catalogue(arguments.description))


if __name__ == "__main__":
    main()
