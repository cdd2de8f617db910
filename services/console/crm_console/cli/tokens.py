"""`crm token`: who may come in from another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer
from crm_events.clock import utc_now

from crm_console.cli.failures import explained
from crm_console.cli.output import OutputOption, print_list, say, stdout

if TYPE_CHECKING:
    from crm_service.tokens import Right, TokenFile

# What tokens are made of is imported where a token is asked for, and spared the other commands.
DEFAULT: Final[tuple[Right, ...]] = ("read", "write")
tokens: Final = typer.Typer(
    help="Tokens for access from other machines, kept in the home.", no_args_is_help=True
)
_LONGEST_NAME: Final = 200
_COLUMNS: Final = {"id": "id", "name": "name", "rights": "rights", "created_at": "created"}


def _file(context: typer.Context) -> TokenFile:
    """The file that a server of this home reads. Raises SettingsRefused."""
    from crm_service.tokens import TokenFile  # noqa: PLC0415

    from crm_console.embedded.settings import embedded_settings  # noqa: PLC0415

    return TokenFile(embedded_settings().tokens_file or context.obj.home.tokens)


def _name(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_NAME or not text.isprintable():
        raise typer.BadParameter(f"a name takes 1 to {_LONGEST_NAME} printable characters")
    return text


def _rights(named: list[str] | None) -> tuple[Right, ...]:
    from crm_service.tokens import RIGHTS  # noqa: PLC0415

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
    rights = _rights(right)
    with explained():
        token, text = _file(context).create(_name(name), rights, utc_now())
        say(f"Token {token.id} for {name}. It is shown only now:")
        stdout.print(text, markup=False, highlight=False, soft_wrap=True)


@tokens.command("list")
def list_(context: typer.Context, output: OutputOption = None) -> None:
    """List the tokens, without their secrets.

    Example: crm token list
    """
    with explained():
        found = _file(context).read()
    rows = [token.model_dump(mode="json", exclude={"digest"}) for token in found]
    print_list(output, _COLUMNS, rows)


@tokens.command()
def revoke(
    context: typer.Context, token: Annotated[str, typer.Argument(help="The token's id")]
) -> None:
    """Revoke a token; running servers refuse it from their next request on.

    Example: crm token revoke 0f1e2d3c4b5a
    """
    with explained():
        revoked = _file(context).revoke(token)
        say(f"Token {revoked.id} of {revoked.name} is revoked.")
