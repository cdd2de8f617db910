"""`crm erase`: destroy what makes a person's data legible, and prove that nothing else changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from crm_events.clock import utc_now

from crm_console.cli.failures import SOME_REFUSED, WRONG_USE, explained
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, say, table
from crm_console.cli.session import opened
from crm_console.erasing.erasure import certify, erase, erasure_of
from crm_console.erasing.finding import Found, find
from crm_console.home import write_private
from crm_console.interruption import interruptible
from crm_console.transport import Transport

_GOES_ON: Final = "a key that was destroyed stays so; the same command completes the rest."
_COLUMNS: Final = ("context", "thing", "version", "event", "sealed", "plain")


class Reason(StrEnum):
    """The grounds of Article 17(1) GDPR."""

    REQUEST = "request"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OBJECTION = "objection"
    NO_LONGER_NEEDED = "no-longer-needed"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal-obligation"


def erase_subject(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Id of a person, lead, customer or staff")],
    reason: Annotated[Reason, typer.Option(help="Why; kept in plain, so a choice and no text")],
    reference: Annotated[
        str | None, typer.Option(help="A case number of yours; kept in plain, never a name")
    ] = None,
    related: Annotated[
        bool, typer.Option(help="Also other subjects that seem to be the same human")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Only show what would be erased")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the certificate to this file")] = None,
    output: OutputOption = None,
) -> None:
    """Erase a subject for good: destroy its key, blank its copies, keep every number.

    The id of a lead or of a thing leads to the one subject it is about. Another subject that the
    same lead names (a person known before, say) is shown, and erased too only with --related.
    People who share nothing but a name or an address are not found: erase each of their ids. It
    takes a token with the right admin. Ends with 3 when something besides the legible values
    changed, which the certificate shows; erased before, it says when and ends with 0.

    Example: crm erase 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e --reason request --reference DSR-17
    """
    grounds = {"reason": reason.value, "reference": reference}
    how = chosen(output)
    with explained(), interruptible(_GOES_ON), opened(context.obj) as transport:
        found = find(transport, subject)
        if dry_run:
            _show(found, how)
            return
        if not (yes or erasure_of(transport, found.subject)):
            _ask(found)
        certificates = [_erased(transport, each, grounds) for each in _all(found, related)]
    _tell(certificates, how, out)


def _all(found: Found, related: bool) -> list[str]:
    return [found.subject, *(found.related if related else ())]


def _erased(transport: Transport, subject: str, grounds: Mapping[str, Any]) -> Any:
    before = erasure_of(transport, subject)
    if before is None:
        return erase(transport, find(transport, subject), grounds, utc_now())
    say(f"{subject} was erased at {before['erased_at']} by {before['erased_by']}; nothing changed.")
    return certify(transport, subject, utc_now())


def _ask(found: Found) -> None:
    what = f"{found.sealed} sealed fields of {found.subject}"
    if not sys.stdin.isatty():
        say(f"crm: {what} would be lost for good; say --yes, or look with --dry-run first.")
        raise typer.Exit(WRONG_USE)
    typer.confirm(f"Destroy the key to {what} for good?", abort=True)


def _show(found: Found, how: Output) -> None:
    rows = [
        dict(zip(_COLUMNS, line, strict=True))
        for context, holding in found.holdings.items()
        for line in _lines(context, holding)
    ]
    if how is Output.CSV:
        print_csv(rows, _COLUMNS)
        return
    if how is Output.JSON:
        print_json({"asked": found.asked, "subject": found.subject, "related": found.related,
                    "sealed": found.sealed, "plain": found.plain, "events": rows})  # fmt: skip
        return
    table("", _COLUMNS, [list(row.values()) for row in rows])
    _remark(found)


def _lines(context: str, holding: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (context, stream["id"], event["version"], event["type"],
         ", ".join(event["sealed"]), ", ".join(event["plain"]))
        for stream in holding["streams"]
        for event in stream["events"]
    ]  # fmt: skip


def _remark(found: Found) -> None:
    if found.subject != found.asked:
        say(f"{found.asked} is about the subject {found.subject}: that is what is erased.")
    for other, thing in found.related.items():
        say(f"{other} seems to be the same human (by {thing}): erased too only with --related.")
    if found.plain:
        say(f"{found.plain} plain fields of old versions of events cannot be erased.")


def _tell(certificates: list[Any], how: Output, out: Path | None) -> None:
    document = certificates[0] if len(certificates) == 1 else certificates
    if out is not None:
        write_private(out, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    if how is Output.TABLE:
        for each in certificates:
            _summary(each)
    else:
        print_json(document)
    if not all(each["after"]["unchanged"] for each in certificates):
        say("crm: something besides the legible values changed; compare the certificate's parts.")
        raise typer.Exit(SOME_REFUSED)


def _summary(certificate: Mapping[str, Any]) -> None:
    said = certificate["statement"]
    events = [e for c in said["contexts"] for s in c["streams"] for e in s["events"]]
    plain = sum(len(event["plain"]) for event in events)
    rows = [
        ["subject", certificate["subject"]],
        ["erased", f"{certificate['erased_at']} by {certificate['erased_by']}"],
        ["reason", certificate["reason"]],
        ["sealed fields", sum(len(event["sealed"]) for event in events)],
        ["in events", len(events)],
        ["not erasable, stored plain by v1", plain],
        [
            "stored bytes and figures",
            "unchanged" if certificate["after"]["unchanged"] else "CHANGED",
        ],
        ["statement", certificate["statement_sha256"]],
    ]
    table("", ("erasure", ""), rows)
