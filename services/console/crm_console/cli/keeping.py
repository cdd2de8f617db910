"""`crm keys`: erased subjects stay erased, whatever a restore brings back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from crm_events.clock import utc_now

from crm_console.cli.failures import WRONG_USE, explained
from crm_console.cli.output import OutputOption, print_list, say
from crm_console.cli.session import opened
from crm_console.erasing.erasure import certify, erase_again, erasure_of

keys: Final = typer.Typer(
    help="Keys of subjects: which were destroyed, and after a restore destroyed again.",
    no_args_is_help=True,
)
_COLUMNS: Final = {
    "subject": "subject",
    "erased_at": "erased at",
    "erased_by": "by",
    "reason": "reason",
    "reference": "reference",
}


@keys.command("erased")
def erased(context: typer.Context, output: OutputOption = None) -> None:
    """List every erasure, the first one first; JSON has the certificates.

    Example: crm keys erased -o json
    """
    with explained(), opened(context.obj) as transport:
        found = transport.send("GET", "/v1/contacts/erasures")["erasures"]
    print_list(output, _COLUMNS, found)


@keys.command("reapply")
def reapply(
    context: typer.Context,
    certificates: Annotated[
        list[Path] | None, typer.Argument(help="Files that crm erase --out wrote")
    ] = None,
) -> None:
    """Destroy again the keys of all erased subjects that a restore brought back.

    Every start does so by itself, and every half minute from then on. Certificates are needed
    only where the store of contacts was restored too, to a time before the erasure: what they
    name is erased again.

    Example: crm keys reapply certificates/*.json
    """
    with explained(), opened(context.obj) as transport:
        told = [each for path in certificates or [] for each in _read(path)]
        for each in told:
            if erasure_of(transport, each["subject"]) is None:
                erase_again(transport, each)
                certify(transport, each["subject"], utc_now())
                say(f"{each['subject']}: erased again")
        found = transport.send("POST", "/v1/contacts/keys:reapply", body={})
    for subject in found["subjects"]:
        say(f"{subject}: its key was there again, and is destroyed")
    say(f"{found['erased']} subjects are erased; no key of theirs is left.")


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    """The certificates in a file. Ends with 2 for another file."""
    try:
        document = json.loads(path.read_text())
        for each in document if isinstance(document, list) else [document]:
            yield {name: each[name] for name in ("subject", "reason", "reference", "statement")}
    except (ValueError, KeyError, TypeError):
        say(f"crm: {path} is no certificate of an erasure.")
        raise typer.Exit(WRONG_USE) from None
