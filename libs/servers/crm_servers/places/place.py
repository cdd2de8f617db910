from typing import Literal, Protocol

Source = Literal["environment", "docker", "wheel"]


class Place(Protocol):
    """One server's life, whatever carries it; address and data outlive `stop` and `kill`."""

    @property
    def source(self) -> Source: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Ends it in good order; `start` brings it back with the same address and data."""

    def kill(self) -> None:
        """Ends it at once as SIGKILL does; `start` brings it back."""

    def close(self) -> None:
        """Stops it and lets go of what only this object holds, such as a container."""

    def alive(self) -> bool: ...

    def last_words(self) -> str:
        """The end of its log, for an error message."""
