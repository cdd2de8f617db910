"""A server that somebody else runs and the environment names."""

from typing import NoReturn

from crm_servers.errors import ServerUnavailable
from crm_servers.places.place import Source


class NamedPlace:
    source: Source = "environment"

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def start(self) -> None:
        """It runs already; whether it answers is for the caller to see."""

    def stop(self) -> None:
        self._refuse("stopped")

    def kill(self) -> None:
        self._refuse("killed")

    def close(self) -> None:
        """It stays as it was found."""

    def alive(self) -> bool:
        return True

    def last_words(self) -> str:
        return f"{self._variable} names it; is it running and reachable from here?"

    def _refuse(self, verb: str) -> NoReturn:
        raise ServerUnavailable(
            f"the server that {self._variable} names is not ours and is not {verb}; "
            f"ask for one of your own with pick_...(folder, own=True)"
        )
