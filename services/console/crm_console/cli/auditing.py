"""`crm audit`: seals the logs, checks them against what was sealed and left, proves one event."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from crm_console.cli.failures import FOUND_WRONG, explained
from crm_console.cli.output import OutputOption, print_list, print_record, progress, say
from crm_console.cli.session import opened
from crm_console.ids import id_of
from crm_console.interruption import interruptible
from crm_console.transport import ServerSaid, Transport

audit: Final = typer.Typer(
    help="History as evidence: seal the logs, find any change of them, prove one event.",
    no_args_is_help=True,
)
CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_BROKEN: Final = {"tree-broken": "Run `crm audit verify`.", "not-provable": ""}
_NOT_FOUND: Final = 404
ContextsArgument = Annotated[
    list[str] | None, typer.Argument(help=f"Of {', '.join(CONTEXTS)}; all without it")
]
KeyOption = Annotated[
    str | None, typer.Option(help="Public key: a file of PEM or lines, or a line name+id+key")
]
_STANDING: Final = {
    "context": "context",
    "sealed": "events sealed",
    "position": "up to position",
    "checkpoints": "checkpoints",
    "staying": "not left yet",
}
_VERDICT: Final = {
    "context": "context",
    "checked": "events checked",
    "checkpoints": "checkpoints",
    "compared": "compared",
    "unsealed": "not sealed yet",
    "result": "result",
    "first_bad_position": "first bad position",
    "detail": "what is wrong",
}


_ANEW: Final = "nothing is kept of it; with --state FILE the same command goes on where it got to."
_SEALED: Final = "what is sealed stays sealed; the same command goes on."
_FROM_STATE: Final = "the same command goes on where it got to."


def _chosen(contexts: list[str] | None) -> list[str]:
    unknown = [name for name in contexts or () if name not in CONTEXTS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no context; name one of {', '.join(CONTEXTS)}")
    return contexts or list(CONTEXTS)


@audit.command()
def seal(
    context: typer.Context, contexts: ContextsArgument = None, output: OutputOption = None
) -> None:
    """Seal everything that was written up to now, without waiting for the next time it is due.

    Example: crm audit seal
    """
    chosen = _chosen(contexts)
    with (
        explained(),
        interruptible(_SEALED),
        opened(context.obj) as transport,
        progress("sealing", 0) as bar,
    ):
        found = [_sealed(transport, name, bar) for name in chosen]
    print_list(output, _STANDING, found)


def _sealed(transport: Transport, name: str, bar: Progress) -> Mapping[str, Any]:
    """Up to what is stored now, part by part."""
    wanted: int | None = None
    while True:
        standing = _part_sealed(transport, name, wanted)
        wanted, position = standing["wanted"], standing["position"]
        bar.update(bar.task_ids[0], description=name, total=wanted, completed=position)
        if position >= wanted:
            return standing


def _part_sealed(transport: Transport, name: str, upto: int | None) -> Mapping[str, Any]:
    try:
        standing: Mapping[str, Any] = transport.send(
            "POST", f"/v1/{name}/audit:seal", query={"upto": upto}
        )
    except ServerSaid as said:
        _exit_if_broken(said)
        raise
    return standing


def _exit_if_broken(said: ServerSaid) -> None:
    """The service found the sealed rows changed. Exits with 3."""
    slug = str(said.problem.get("type", "")).rsplit("/", 1)[-1]
    if slug in _BROKEN:
        say(f"crm: {said} {_BROKEN[slug]}".rstrip())
        raise typer.Exit(FOUND_WRONG)


@audit.command()
def verify(
    context: typer.Context,
    contexts: ContextsArgument = None,
    against: Annotated[
        Path | None, typer.Option(help="Folder or file of checkpoints that left", exists=True)
    ] = None,
    key: KeyOption = None,
    state: Annotated[
        Path | None, typer.Option(help="Keep here how far it got, and go on from there")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Hash the whole log again and compare it with what was sealed. Ends with 3 and the first bad
    position where anything was changed.

    Example: crm audit verify pipeline --against /mnt/worm/checkpoints --key auditor.pub
    """
    from crm_console.auditing.verification import Verification  # noqa: PLC0415 (hashing is slow to import)

    chosen = _chosen(contexts)
    how = _ANEW if state is None else _FROM_STATE
    with (
        explained(),
        interruptible(how),
        opened(context.obj) as transport,
        progress("checking", 0) as bar,
    ):
        work = Verification(transport, chosen, against, key, state)
        verdicts = work.run(lambda part: _show(bar, part))
    print_list(output, _VERDICT, [verdict.row() for verdict in verdicts])
    if any(verdict.wrong for verdict in verdicts):
        raise typer.Exit(FOUND_WRONG)


def _show(bar: Progress, part: Mapping[str, Any]) -> None:
    task = bar.task_ids[0]
    bar.update(task, description=part["context"], total=part["total"], completed=part["checked"])


@audit.command()
def prove(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="Id of an event; with --between one context")],
    between: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Events of an earlier and of a later checkpoint of a context"),
    ] = None,
) -> None:
    """Print a proof that one event is in the log, for somebody who has neither log nor server. It
    holds the event as it is stored: personal values are ciphertext.

    With --between: that the log of the later checkpoint is that of the earlier one with more behind
    it, for somebody who kept the earlier one. Ends with 3 where it is not.

    Example: crm audit prove 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e > proof.json; crm audit prove
    pipeline --between 1200 5000 > grew.json
    """
    with explained(), opened(context.obj) as transport:
        proof = (
            _proof(transport, id_of(what)) if between is None else _growth(transport, what, between)
        )
    sys.stdout.write(json.dumps(proof, indent=2) + "\n")


def _growth(transport: Transport, name: str, between: tuple[int, int]) -> Mapping[str, Any]:
    query = dict(zip(("old", "new"), between, strict=True))
    try:
        proof: Mapping[str, Any] = transport.send(
            "GET", f"/v1/{_chosen([name])[0]}/audit/growth", query=query
        )
    except ServerSaid as said:
        _exit_if_broken(said)
        raise
    return proof


def _proof(transport: Transport, event: str) -> Mapping[str, Any]:
    """From whichever context has the event. Raises ServerSaid."""
    missing: ServerSaid | None = None
    for name in CONTEXTS:
        try:
            proof: Mapping[str, Any] = transport.send("GET", f"/v1/{name}/audit/proofs/{event}")
        except ServerSaid as said:
            if said.status != _NOT_FOUND:
                raise
            missing = said
        else:
            return proof
    raise missing or LookupError(event)


@audit.command("check-proof")
def check_proof(
    file: Annotated[Path, typer.Argument(help="A proof from crm audit prove", dir_okay=False)],
    key: KeyOption = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Of --between: the earlier checkpoint as it was kept", exists=True),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Check a proof, with nothing but the proof and a public key. Ends with 3 where it proves
    nothing.

    Example: crm audit check-proof proof.json --key auditor.pub; crm audit check-proof grew.json
    --key auditor.pub --against kept.txt
    """
    from crm_console.auditing.proofs import checked  # noqa: PLC0415 (hashing is slow to import)

    with explained():
        found = checked(file, key, against)
    if found.reason is not None:
        say(f"crm: {found.reason}")
        raise typer.Exit(FOUND_WRONG)
    if key is None:
        say("crm: signed by the key that the proof itself names; give the key you know with --key.")
    print_record(output, found.row)


@audit.command("key")
def show_key(
    context: typer.Context,
    pem: Annotated[bool, typer.Option("--pem", help="As OpenSSL reads it")] = False,
) -> None:
    """Print the public keys that checkpoints are checked with, a line for each log.

    Example: crm audit key > auditor.pub
    """
    with explained(), opened(context.obj) as transport:
        standings = [transport.send("GET", f"/v1/{name}/audit") for name in CONTEXTS]
    lines = [key for standing in standings for key in standing["pem" if pem else "keys"]]
    for line in dict.fromkeys(lines):
        sys.stdout.write(line.rstrip("\n") + "\n")
