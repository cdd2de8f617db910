"""Files through the real application: what goes in, what stays out, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from crm_console.home import Home
from crm_console.importing import ImportOptions, RowError, open_table
from crm_console.sending.sender import BATCH, Sender, Sending, Summary
from crm_console.settling import settle
from crm_console.transport import ServerSaid, Transport

from tests.console.homes import Faltering, heads, opened

STAGES: dict[str, Any] = {"stages": ("New", "Talking"), "won": ("Won",), "lost": ("Lost",)}
PIPELINE = {"pipeline": "sales", "stages": ["New", "Talking"], "won": ["Won"], "lost": ["Lost"]}


@dataclass
class Import:
    """What one import left: its summary, its refusals, the lines and rows it told of."""

    summary: Summary
    refused: list[RowError] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    advanced: int = 0

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Read, accepted, unchanged, refused."""
        found = self.summary
        return found.read, found.accepted, found.unchanged, found.refused


@dataclass
class Sent:
    """Sends files written on the spot through one application."""

    transport: Transport
    folder: Path

    def __call__(
        self,
        kind: str,
        content: str,
        *,
        source: str = "file",
        told: dict[str, Any] | None = None,
        dry_run: bool = False,
        after_line: int = 0,
        through: Transport | None = None,
        **options: Any,
    ) -> Import:
        path = self.folder / f"{kind}.csv"
        path.write_text(content)
        file = open_table(path, kind, ImportOptions(**options))
        refused: list[RowError] = []
        sending = Sending(source, told or {}, dry_run, after_line)
        sender = Sender(through or self.transport, file, sending, refused.append, pause=0.01)
        done = Import(sender.summary, refused)

        def advance(count: int) -> None:
            done.advanced += count

        sender.send(advance, done.lines.append)
        return done

    def deals(self, content: str, **said: Any) -> Import:
        return self("deals", content, told=PIPELINE, **STAGES, **said)

    def heads(self) -> dict[str, int]:
        settle(self.transport)
        return heads(self.transport)


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transport]:
    with opened(Home(tmp_path_factory.mktemp("sending") / "home")) as found:
        yield found


@pytest.fixture
def sent(transport: Transport, tmp_path: Path) -> Sent:
    return Sent(transport, tmp_path)


def test_rows_are_counted_and_the_same_file_adds_nothing(sent: Sent) -> None:
    content = "Name,Manager,Region\nIda Holm,,North\nPer Lund,Ida Holm,North\n"
    first = sent("staff", content)
    assert first.counts == (2, 2, 0, 0)
    assert (first.advanced, first.lines) == (2, [3])
    before = sent.heads()
    assert sent("staff", content).counts == (2, 0, 2, 0)
    assert sent.heads() == before


def test_unknown_names_become_stubs_that_are_reported(sent: Sent) -> None:
    content = (
        "Key,Owner,Account,Product,Stage,Opened\n"
        "s1,Nils Dahl,Fjord AS,Chair,New,2026-01-05\n"
        "s2,Nils Dahl,Fjord AS,Chair,Talking,2026-01-06\n"
    )
    done = sent.deals(content)
    assert done.counts == (2, 2, 0, 0)
    assert done.summary.stubs == [
        "staff 'Nils Dahl'",
        "organisation 'Fjord AS'",
        "product 'Chair'",
    ]
    assert sent.deals(content, source="again").summary.stubs == []


def test_names_that_differ_in_form_are_matched_and_reported(sent: Sent) -> None:
    sent("staff", "Name\nÅsa Ek\n")
    done = sent.deals("Key,Owner,Stage,Opened\nf1,åsa  EK,New,2026-01-05\n")
    assert done.counts == (1, 1, 0, 0)
    assert done.summary.guessed == ["staff 'åsa EK' is 'Åsa Ek'"]
    assert done.summary.stubs == []


DRY = [
    ("staff", "Name,Manager\nDry One,Dry Boss\n"),
    ("organisations", "Name\nDry Works\n"),
    ("products", "Name\nDry Table\n"),
    ("leads", "Name,E-mail,Owner\nDry Lead,dry@example.com,Dry Owner\n"),
    ("tickets", "Key,Agent,Category,Opened\nd1,Dry Agent,Billing,2026-01-05\n"),
    ("orders", "Key,Customer,Date,Amount,Product\nd1,c1,2026-01-05,7.50,Dry Chair\n"),
]


@pytest.mark.parametrize(("kind", "content"), DRY, ids=[kind for kind, _ in DRY])
def test_dry_run_decides_and_keeps_nothing(sent: Sent, kind: str, content: str) -> None:
    """Names that nobody knows would become stubs, so that rows with them are taken."""
    before = sent.heads()
    done = sent(kind, content, dry_run=True, currency="EUR" if kind == "orders" else None)
    assert done.refused == []
    assert done.counts == (1, 1, 0, 0)
    assert done.lines == []
    assert sent.heads() == before


def test_dry_run_of_deals_names_the_stubs_it_would_make(sent: Sent) -> None:
    before = sent.heads()
    done = sent.deals(
        "Key,Owner,Account,Product,Stage,Opened,Closed\n"
        "d1,Dry Seller,Dry Buyer,Dry Sofa,Won,2026-01-05,2026-02-05\n"
        "d2,Dry Seller,Dry Buyer,Dry Sofa,New,2026-01-05,\n",
        dry_run=True,
    )
    assert done.counts == (2, 2, 0, 0)
    assert len(done.summary.stubs) == 3
    assert sent.heads() == before


def test_dry_run_refuses_what_the_real_run_would(sent: Sent) -> None:
    content = "Key,Customer,Date,Amount\no1,c1,2199-01-05,7.50\n"
    dry = sent("orders", content, dry_run=True, currency="EUR")
    real = sent("orders", content, currency="EUR")
    assert dry.counts == real.counts == (1, 0, 0, 1)
    assert [error.reason for error in dry.refused] == [error.reason for error in real.refused]


def test_refusals_speak_of_the_files_own_columns_and_cells(sent: Sent) -> None:
    """One row is refused by the importer, one by the sender, one by the context."""
    done = sent.deals(
        "No,Seller,Deal stage,Began,Origin\n"
        "r1,Ida Holm,New,soon,\n"
        "r2,Ida Holm,New,2026-01-05,Fair of nowhere\n"
        "r3,Ida Holm,New,2199-01-05,\n"
        "r4,Ida Holm,New,2026-01-05,\n",
        maps=("key=No", "owner=Seller", "stage=Deal stage", "opened_at=Began", "campaign=Origin"),
    )
    assert done.counts == (4, 1, 0, 3)
    found = {error.line: (error.column, error.value, error.cells[0]) for error in done.refused}
    assert found == {
        2: ("Began", "soon", "r1"),
        3: ("Origin", "Fair of nowhere", "r2"),
        4: ("Began", "2199-01-05", "r3"),
    }
    assert "make it first" in done.refused[1].reason


def test_a_closed_tickets_agent_is_refused_under_the_files_column(sent: Sent) -> None:
    head = "Key,Handled by,Category,Opened,Closed,Resolved\n"
    row = "t1,{},Billing,2026-01-05,2026-01-06,yes\n"
    maps = ("agent=Handled by",)
    assert sent("tickets", head + row.format("Ida Holm"), maps=maps).counts == (1, 1, 0, 0)
    done = sent("tickets", head + row.format("Per Lund"), maps=maps)
    assert [(error.column, error.value) for error in done.refused] == [("Handled by", "Per Lund")]


def test_resuming_leaves_out_what_was_answered(sent: Sent) -> None:
    content = "Name\nRe One\nRe Two\nRe Three\n"
    done = sent("organisations", content, after_line=3)
    assert done.counts == (1, 1, 0, 0)
    assert done.summary.resumed_after_line == 3
    assert sent("organisations", content).counts == (3, 2, 1, 0)


def test_every_batch_tells_how_far_it_came(sent: Sent) -> None:
    rows = "".join(f"b{n},c{n},2026-01-05,1\n" for n in range(BATCH + 1))
    done = sent("orders", "Key,Customer,Date,Amount\n" + rows, currency="EUR")
    assert done.counts == (BATCH + 1, BATCH + 1, 0, 0)
    assert done.lines == [BATCH + 1, BATCH + 2]
    assert done.advanced == BATCH + 1


def test_a_server_out_of_breath_is_asked_again(sent: Sent, transport: Transport) -> None:
    failures = iter([ServerSaid(503, {}), ServerSaid(503, {})])
    done = sent(
        "products", "Name\nLamp\n", through=Faltering(transport, lambda _: next(failures, None))
    )
    assert done.counts == (1, 1, 0, 0)


def test_a_server_that_stays_away_ends_the_import(sent: Sent, transport: Transport) -> None:
    def away(path: str) -> Exception | None:
        return ServerSaid(503, {"detail": "away"}) if "imports" in path else None

    with pytest.raises(ServerSaid, match="away"):
        sent("products", "Name\nLamp\n", through=Faltering(transport, away))
