"""`python -m engine build` builds the environment, `python -m engine model FOLDER` writes the tiny model."""

import argparse
from pathlib import Path

from engine.environment import engine_env
from engine.tiny_model import write_tiny_model


def main() -> None:
    parser = argparse.ArgumentParser(prog="engine", description="A real vLLM on this machine's CPU, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the engine's environment into the user's cache (once)")
    model = commands.add_parser("model", help="write the tiny model into a folder")
    model.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "build":
        print(engine_env())
    else:
        print(write_tiny_model(arguments.folder))


if __name__ == "__main__":
    main()
