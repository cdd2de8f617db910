"""Cuts from a lock what is wanted of it: `pins.py LOCK NAME...` prints those pins and hashes."""

import re
import sys
from pathlib import Path


def pins(lock: str, names: list[str]) -> str:
    """The lines of these packages, ready for `pip --require-hashes -r`. Raises KeyError."""
    stanzas = re.split(r"(?m)^(?=[^\s#])", lock)
    by_name = {re.split(r"[^\w.-]", stanza)[0]: stanza for stanza in stanzas}
    return "".join(by_name[name] for name in names)


if __name__ == "__main__":
    sys.stdout.write(pins(Path(sys.argv[1]).read_text(), sys.argv[2:]))
