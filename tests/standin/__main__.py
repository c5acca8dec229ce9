"""``python -m standin [--address 0.0.0.0] [--port 8000]``."""

import argparse

from standin.server import StandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="standin", description="Plays the metrics of vLLM engines.")
    parser.add_argument("--address", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a pod
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    arguments = parser.parse_args()
    with StandIn((arguments.address, arguments.port)) as server:
        print(f"stand-in serves /metrics on port {server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped", flush=True)


if __name__ == "__main__":
    main()
