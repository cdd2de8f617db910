"""`python -m crm_servers kafka|postgres|warm|up|down`: servers for development, on loopback."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from crm_servers.distributed.commands import down, up
from crm_servers.errors import ServerUnavailable
from crm_servers.jars import jar_folder
from crm_servers.kafka import wheel_kafka
from crm_servers.postgres import wheel_postgres
from crm_servers.servers import Server

GLANCE = 0.5


def main() -> int:
    wanted = _parser().parse_args()
    try:
        return _run(wanted)
    except ServerUnavailable as error:
        print(f"crm_servers: {error}", file=sys.stderr)
        return 1


def _run(wanted: argparse.Namespace) -> int:
    if wanted.command == "warm":
        print(f"Kafka's jars are in {jar_folder()}")
        return 0
    if wanted.command == "up":
        up(wanted.scale)
        return 0
    if wanted.command == "down":
        down(with_data=wanted.data)
        return 0
    server = wheel_kafka if wanted.command == "kafka" else wheel_postgres
    return _foreground(server(wanted.folder, wanted.port))


def _foreground(server: Server) -> int:
    """Serves until SIGTERM or SIGINT, then stops it; 1 when it ended by itself."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    server.start()
    print(f"{server.name} answers on {server.address}", flush=True)
    while not told.wait(GLANCE):
        if not server.alive():
            print(f"{server.name} ended by itself; see the log in its folder", file=sys.stderr)
            return 1
    server.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crm_servers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("kafka", "postgres"):
        server = commands.add_parser(name, help=f"run {name} from wheels until SIGTERM")
        server.add_argument("--folder", type=Path, required=True, help="its data and log")
        server.add_argument("--port", type=int, help="on loopback; a free one by default")
    commands.add_parser("warm", help="download what is not in the wheels, once per user")
    starting = commands.add_parser("up", help="start the distributed form on this machine")
    starting.add_argument(
        "--scale", action="append", default=[], metavar="ROLE=COPIES", help="such as contacts-api=2"
    )
    stopping = commands.add_parser("down", help="stop what up started")
    stopping.add_argument("--data", action="store_true", help="and remove its data for good")
    return parser


if __name__ == "__main__":
    sys.exit(main())
