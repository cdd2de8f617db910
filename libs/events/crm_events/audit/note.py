"""Checkpoints as C2SP writes them (tlog-checkpoint in a signed-note), which other tools read too.

crm/contacts
1042
<root hash, base64>

— crm/contacts <key id and Ed25519 signature, base64>
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crm_events.audit.tree import HASH_BYTES

ED25519: Final = b"\x01"
_ID_BYTES: Final = 4
_NAME: Final = re.compile(r"[^\s+]{1,200}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_VERIFIER: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", re.ASCII)


class BrokenNote(ValueError):
    """It is no checkpoint, or nobody who is trusted signed it; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That a log had so many events, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Whose signature is believed: a public key under a name, as signed-note has it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        key = b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    def accepts(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def read_verifier(text: str) -> Verifier:
    """From `name+id+key`. Raises BrokenNote."""
    found = _VERIFIER.fullmatch(text.strip())
    key = _decoded(found[3]) if found else None
    if found is None or key is None or key[:1] != ED25519 or len(key) != 1 + HASH_BYTES:
        raise BrokenNote("This is no public key of checkpoints: give name+id+key in one line.")
    verifier = Verifier(found[1], key[1:])
    if verifier.id.hex() != found[2]:
        raise BrokenNote("The public key and its id do not belong together; copy the line anew.")
    return verifier


def good_name(origin: str) -> bool:
    """Whether a log may be called so."""
    return _NAME.fullmatch(origin) is not None


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def signed(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The note, signed under the log's own name."""
    text = checkpoint.text()
    verifier = Verifier(checkpoint.origin, public_bytes(key))
    signature = b64encode(verifier.id + key.sign(text.encode())).decode()
    return f"{text}\n— {checkpoint.origin} {signature}\n"


def read_checkpoint(note: str) -> Checkpoint:
    """What a note says, whoever signed it. Raises BrokenNote."""
    lines = _parts(note)[0].split("\n")
    root = _decoded(lines[2]) if len(lines) > 2 else None
    if root is None or len(root) != HASH_BYTES or not _SIZE.fullmatch(lines[1]) or not lines[0]:
        raise BrokenNote("This is no checkpoint: it names no log, size and root hash.")
    return Checkpoint(lines[0], int(lines[1]), root)


def opened_note(note: str, trusted: Iterable[Verifier]) -> Checkpoint:
    """What a note says that one of the trusted keys signed. Raises BrokenNote."""
    text, signatures = _parts(note)
    checkpoint = read_checkpoint(note)
    for verifier in trusted:
        for line in signatures:
            name, _, said = line.removeprefix("— ").rpartition(" ")
            sealed = _decoded(said) or b""
            if (name, sealed[:_ID_BYTES]) != (verifier.name, verifier.id):
                continue
            if verifier.accepts(text, sealed[_ID_BYTES:]):
                return checkpoint
            raise BrokenNote(
                f"The signature of {name} under checkpoint {checkpoint.size} is wrong."
            )
    raise BrokenNote(f"No key that is trusted signed checkpoint {checkpoint.size}.")


def _parts(note: str) -> tuple[str, list[str]]:
    """The signed text, and the lines of signatures. Raises BrokenNote."""
    text, found, rest = note.rpartition("\n\n")
    lines = rest.removesuffix("\n").split("\n")
    if not found or not rest.endswith("\n") or not all(line.startswith("— ") for line in lines):
        raise BrokenNote("This is no signed note.")
    return f"{text}\n", lines


def _decoded(text: str) -> bytes | None:
    """Only from the one way there is to write these bytes."""
    try:
        data = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None
    return data if b64encode(data).decode() == text else None
