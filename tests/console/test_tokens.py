"""`crm token`: who may come in, and who may no longer."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from crm_console.home import Home

from tests.console.homes import Crm, Office, serving, settings


@pytest.fixture
def crm(tmp_path: Path) -> Crm:
    return Crm.on(Home(tmp_path / "home"))


def created(crm: Crm, name: str, *options: str) -> str:
    done = crm("token", "create", name, *options)
    assert done.code == 0, done.err
    return done.out.strip()


def test_only_the_token_is_on_standard_output(crm: Crm) -> None:
    done = crm("token", "create", "reporting", "--right", "read")
    text = done.out.strip()
    assert text.startswith("crm_")
    assert done.out == f"{text}\n"
    assert "It is shown only now" in done.err


def test_tokens_are_listed_without_their_secrets(crm: Crm) -> None:
    texts = [created(crm, "reporting", "--right", "read"), created(crm, "夜间 job")]
    listed = crm("token", "list", "-o", "json")
    assert [(t["name"], t["rights"]) for t in listed.json] == [
        ("reporting", ["read"]),
        ("夜间 job", ["read", "write"]),
    ]
    in_csv = list(csv.DictReader(crm("token", "list", "-o", "csv").out.splitlines()))
    assert [row["name"] for row in in_csv] == ["reporting", "夜间 job"]
    for how in ("json", "csv", "table"):
        shown = crm("token", "list", "-o", how).out
        assert "reporting" in shown
        for text in texts:
            assert text.split("_", 2)[2] not in shown


def test_the_tokens_file_is_for_its_owner_alone(tmp_path: Path, crm: Crm) -> None:
    secret = created(crm, "reporting").rpartition("_")[2]
    path = tmp_path / "home" / "tokens.json"
    assert path.stat().st_mode & 0o077 == 0
    assert secret not in path.read_text()


def test_a_file_named_by_the_environment_is_used(tmp_path: Path) -> None:
    crm = Crm.on(Home(tmp_path / "home"), CRM_TOKENS_FILE=str(tmp_path / "named.json"))
    created(crm, "reporting")
    assert "reporting" in (tmp_path / "named.json").read_text()
    assert not (tmp_path / "home").exists()


WRONG = [
    (("create", "x", "--right", "fly"), "'fly' is no right; there are: read, write, admin"),
    (("create", " "), "a name takes 1 to 200 printable characters"),
    (("create", "a\x1b[31m"), "a name takes 1 to 200 printable characters"),
    (("create", "x" * 201), "a name takes 1 to 200 printable characters"),
    (("revoke", "0f1e2d3c4b5a"), "There is no token 0f1e2d3c4b5a; `crm token list` shows them."),
]


@pytest.mark.parametrize(("words", "why"), WRONG, ids=["right", "blank", "escape", "long", "id"])
def test_wrong_use_ends_with_2_and_makes_nothing(
    crm: Crm, words: tuple[str, ...], why: str
) -> None:
    done = crm("token", *words)
    assert (done.code, done.out) == (2, "")
    assert why in " ".join(done.err.split())
    assert crm("token", "list", "-o", "json").json == []


def test_a_file_that_holds_something_else_lets_nobody_in(tmp_path: Path, crm: Crm) -> None:
    created(crm, "reporting")
    (tmp_path / "home" / "tokens.json").write_text("[]")
    done = crm("token", "list")
    assert (done.code, done.out) == (1, "")
    assert "tokens.json cannot be read: it holds something else." in done.err


# --- at a server ---


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A home that is served to whoever has a token."""
    home = Home(tmp_path_factory.mktemp("guarded") / "home")
    created(Crm.on(home), "the first")
    told = settings(require_token=True, tokens_file=home.tokens)
    with serving(home, told) as address:
        yield Office(home, address)


def asked(office: Office, token: str | None) -> Crm:
    """The command from elsewhere, with a token or without."""
    told = {"CRM_SERVER": office.address} | ({"CRM_TOKEN": token} if token else {})
    return Crm((), told)


def test_a_token_made_while_serving_lets_in_until_revoked(guarded: Office) -> None:
    crm = Crm.on(guarded.home)
    token = created(crm, "visitor")
    assert asked(guarded, token).view("funnel")["totals"]["units"] == 0
    revoked = crm("token", "revoke", token.split("_")[1])
    assert (revoked.code, revoked.out) == (0, "")
    assert "of visitor is revoked" in revoked.err
    done = asked(guarded, token)("view", "funnel")
    assert (done.code, done.out) == (2, "")
    assert done.err == "crm: The token is not known, or revoked; ask for a new one.\n"


def test_nobody_comes_in_without_a_token(guarded: Office) -> None:
    done = asked(guarded, None)("view", "funnel")
    assert (done.code, done.err) == (2, "crm: This address asks for a bearer token.\n")
    assert httpx.get(f"{guarded.address}/readyz").status_code == 200


def test_who_may_read_may_not_write(guarded: Office, tmp_path: Path) -> None:
    token = created(Crm.on(guarded.home), "reader", "--right", "read")
    file = tmp_path / "staff.csv"
    file.write_text("Name\nNobody\n")
    assert asked(guarded, token).view("funnel")["totals"]["units"] == 0
    done = asked(guarded, token)("import", "staff", file)
    assert done.code == 2
    assert "The token of reader lacks the right `write`." in done.err
