"""PostgreSQL refuses to run as root, so root lends it the account `nobody`."""

import os
import pwd
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

SEARCH = stat.S_IXOTH
WHY = "PostgreSQL cannot run as root"
READ = stat.S_IRGRP | stat.S_IROTH


def server_account() -> pwd.struct_passwd | None:
    """The account a server process takes, None where the present one will do."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def open_way(path: Path) -> None:
    """Lets other accounts pass through (not list) the folders above `path`; root only.

    A checkout below /root and pytest's own folders are closed to others.
    """
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & SEARCH:
            folder.chmod(mode | SEARCH)
            if not folder.is_relative_to(tempfile.gettempdir()):
                print(f"opened {folder} for passing through (o+x): {WHY}", file=sys.stderr)


def open_programs(folder: Path, program: Path, account: pwd.struct_passwd) -> None:
    """Makes a wheel's files readable for `account` where they were installed for root alone."""
    open_way(folder)
    if _runs(program, account):
        return
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(mode | READ | (SEARCH if mode & stat.S_IXUSR else 0))


def _runs(program: Path, account: pwd.struct_passwd) -> bool:
    try:
        found = subprocess.run(
            [program, "--version"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return found.returncode == 0
