"""What has to stay the same from one `up` to the next: passwords, the master key, the tokens."""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from crm_servers.errors import ServerUnavailable

DATABASES = ("contacts", "pipeline", "ticketing", "campaigns", "views", "keys")
NAME = ".crm-up"
TOKEN = re.compile(r"crm_[0-9a-f]{12}_[\w-]+")


class Folder:
    """A folder for one form, closed to everybody else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in (path.parent, path, self.secrets, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def environment(self) -> Path:
        """Lines of NAME=value, as Docker Compose reads them."""
        return self.path / "environment"

    @property
    def token(self) -> Path:
        """The text of the first token."""
        return self.path / "token"

    @property
    def projections_token(self) -> Path:
        """The text of the token that projections read the contexts' stores with."""
        return self.secrets / "projections-token"

    @property
    def tokens(self) -> Path:
        """The hashed tokens that every service reads, where services are processes of ours."""
        return self.path / "tokens.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    def passwords(self) -> dict[str, str]:
        """CRM_<DATABASE>_PASSWORD of every database, made once."""
        names = [f"CRM_{name.upper()}_PASSWORD" for name in ("postgres", *DATABASES)]
        if not self.environment.exists():
            lines = [f"{name}={secrets.token_hex(16)}\n" for name in names]
            _write(self.environment, "".join(lines), 0o600)
        lines = self.environment.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def ensure_master_key(self) -> Path:
        """Readable for all inside a folder that is not: a container's user is another one."""
        path = self.secrets / "master-key"
        if not path.exists():
            _write(path, b64encode(secrets.token_bytes(32)).decode() + "\n", 0o444)
        return path

    def ensure_audit_keys(self) -> tuple[Path, Path]:
        """The key that signs checkpoints, for relays alone, and its public half for the others."""
        private, public = self.secrets / "audit-key", self.secrets / "audit-public"
        if not public.exists():
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _write(private, pem.decode(), 0o444)
            told = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            _write(public, told.decode(), 0o444)
        return private, public

    def ensure_tokens(self, create: Callable[[Sequence[str]], str]) -> None:
        """Keeps the texts of the tokens that `crm token create` prints, each made once: one for who
        called `up`, and one for projections, which may read and nothing else."""
        self._ensure_token(self.token, create, "make-up", ("read", "write", "admin"), 0o600)
        self._ensure_token(self.projections_token, create, "projections", ("read",), 0o444)

    def _ensure_token(
        self,
        path: Path,
        create: Callable[[Sequence[str]], str],
        name: str,
        rights: Sequence[str],
        mode: int,
    ) -> None:
        if path.exists():
            return
        printed = create(["token", "create", name, *(f"--right={right}" for right in rights)])
        found = TOKEN.search(printed)
        if found is None:
            raise ServerUnavailable(f"`crm token create` printed no token but: {printed}")
        _write(path, found.group(), mode)


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: half a password file would lock its owner out."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)
