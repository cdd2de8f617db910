"""`crm token`: who may come in from another machine."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from crm_events.clock import utc_now
from crm_service.tokens import RIGHTS, Right, TokenFile

from crm_console.cli.failures import explained
from crm_console.cli.output import Output, chosen, print_json, say, stdout, table

DEFAULT: Final[tuple[Right, ...]] = ("read", "write")
tokens: Final = typer.Typer(
    help="Tokens for access from other machines, kept in the home.", no_args_is_help=True
)


def _file(context: typer.Context) -> TokenFile:
    home = context.obj.home
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return TokenFile(home.tokens)


def _rights(named: list[str] | None) -> tuple[Right, ...]:
    known: dict[str, Right] = {right: right for right in RIGHTS}
    unknown = [name for name in named or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no right; there are: {', '.join(RIGHTS)}")
    return tuple(known[name] for name in named) if named else DEFAULT


@tokens.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Who it is for; stands as actor in every event")],
    right: Annotated[
        list[str] | None, typer.Option(help="read, write or admin; repeatable")
    ] = None,
) -> None:
    """Make a token and print it once; only its hash is kept.

    Example: crm token create reporting --right read
    """
    with explained():
        token, text = _file(context).create(name, _rights(right), utc_now())
        say(f"Token {token.id} for {name}. It is shown only now:")
        stdout.print(text, markup=False, highlight=False, soft_wrap=True)


@tokens.command("list")
def list_(
    context: typer.Context,
    output: Annotated[Output | None, typer.Option("-o", "--output")] = None,
) -> None:
    """List the tokens, without their secrets."""
    with explained():
        found = _file(context).read()
    if chosen(output) is Output.TABLE:
        rows = [(t.id, t.name, ", ".join(sorted(t.rights)), str(t.created_at)) for t in found]
        table("", ("id", "name", "rights", "created"), rows)
    else:
        print_json([t.model_dump(mode="json", exclude={"digest"}) for t in found])


@tokens.command()
def revoke(
    context: typer.Context, token: Annotated[str, typer.Argument(help="The token's id")]
) -> None:
    """Revoke a token; running servers refuse it from their next request on."""
    with explained():
        revoked = _file(context).revoke(token)
        say(f"Token {revoked.id} of {revoked.name} is revoked.")
