"""`python -m crm_events.schemas` over a repository of its own, whose events are changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any

import pytest
from crm_events.event import Event, LongText, Text
from crm_events.schemas.__main__ import main
from crm_events.schemas.check import COMMITTED, Language, committed_in
from crm_events.schemas.generated import as_text, schemas_of
from crm_events.schemas.history import published
from crm_events.upcasting import UPCASTS, Lift, Upcasts

from tests.events.codec import versions

TAGGED = "crm.contacts.LeadTagged.v1"
NEEDS_A_VERSION = "make a new version with an upcast"


class Repository:
    """A folder of schemas under git."""

    def __init__(self, folder: Path) -> None:
        self.schemas = folder / "schemas"
        self.schemas.mkdir()
        self._folder = folder
        self.git("init", "--quiet")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        subprocess.run(["git", *who, *words], cwd=self._folder, check=True)

    def commit(self) -> None:
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--message", "as it is")

    def put(self, *events: type[Event]) -> None:
        for kind in events:
            schema = schemas_of({kind.TYPE: kind})[kind.TYPE]
            (self.schemas / f"{kind.TYPE}.json").write_text(as_text(schema))

    def put_old(self) -> None:
        """The schemas of old versions, which no class makes any more."""
        for name in UPCASTS:
            shutil.copy(COMMITTED / f"{name}.json", self.schemas)

    def language(self, *events: type[Event], upcasts: Upcasts | None = None) -> Language:
        """What a program with these classes finds here."""
        return Language(
            schemas_of({kind.TYPE: kind for kind in events}),
            committed_in(self.schemas),
            published(self.schemas),
            upcasts or {},
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def edit(path: Path, **properties: Any) -> None:
    """Let a schema have been published with other fields; None takes one away."""
    schema = json.loads(path.read_text())
    schema["properties"] |= properties
    path.write_text(json.dumps(schema))


class NoteTaken(Event, context="ticketing"):
    """Version 1 with the note no longer personal."""

    customer_id: Annotated[str, "an id"]
    note: LongText | None = None
    mood: Text = "calm"
    author: Text | None = None


def test_write_then_check_is_content(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.put_old()
    folder = ["--folder", str(repository.schemas)]
    assert main(["write", *folder]) == 0
    assert main(["check", *folder]) == 0
    repository.commit()
    assert main(["check", *folder]) == 0
    assert "published: the beginning up to HEAD" in capsys.readouterr().out


def test_check_refuses_a_class_that_lost_a_field(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.put_old()
    folder = ["--folder", str(repository.schemas)]
    main(["write", *folder])
    edit(repository.schemas / f"{TAGGED}.json", colour={"type": "string"})
    repository.commit()
    for what in ("check", "write"):
        assert main([what, *folder]) == 1
        told = capsys.readouterr().err
        assert f"{TAGGED}: colour was removed; {NEEDS_A_VERSION}." in told
    assert "colour" in (repository.schemas / f"{TAGGED}.json").read_text()


def test_check_refuses_files_that_were_edited(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.put_old()
    folder = ["--folder", str(repository.schemas)]
    main(["write", *folder])
    repository.commit()
    edit(repository.schemas / f"{TAGGED}.json", colour={"type": "string"})
    assert main(["check", *folder]) == 1
    assert "run python -m crm_events.schemas write" in capsys.readouterr().err
    assert main(["write", *folder]) == 0
    assert main(["check", *folder]) == 0


def test_incompatible_file_committed_by_hand_is_found_later(repository: Repository) -> None:
    repository.put(versions.NoteTaken)
    repository.commit()
    repository.put(NoteTaken)
    repository.commit()
    told = repository.language(NoteTaken).complaints()
    assert (
        f"crm.ticketing.NoteTaken.v1: note changed its personal marking; {NEEDS_A_VERSION}." in told
    )


def test_removed_file_is_still_published(repository: Repository) -> None:
    repository.put(versions.NoteTaken)
    repository.commit()
    (repository.schemas / f"{versions.V1}.json").unlink()
    repository.commit()
    assert any("note changed" in each for each in repository.language(NoteTaken).refusals())


def test_event_without_class_and_upcast_is_refused(repository: Repository) -> None:
    repository.put(versions.NoteTaken)
    repository.commit()
    told = repository.language().complaints()
    assert told == [
        f"{versions.V1}: its events are stored and nothing reads them; {NEEDS_A_VERSION}."
    ]


def test_new_version_with_an_upcast_is_let_through(repository: Repository) -> None:
    repository.put(versions.NoteTaken, versions.NoteTakenV2)
    repository.commit()
    repository.put(versions.NoteTakenV3)
    language = repository.language(versions.NoteTakenV3, upcasts=versions.UPCASTS)
    assert language.complaints() == []


def test_old_schema_stays_beside_the_new(repository: Repository) -> None:
    repository.put(versions.NoteTaken, versions.NoteTakenV2)
    repository.commit()
    (repository.schemas / f"{versions.V1}.json").unlink()
    repository.put(versions.NoteTakenV3)
    told = repository.language(versions.NoteTakenV3, upcasts=versions.UPCASTS).refusals()
    assert f"{versions.V1}: its schema was removed; take it back from the history." in told


def test_upcast_that_forgets_a_personal_field_is_refused(repository: Repository) -> None:
    repository.put(versions.NoteTaken, versions.NoteTakenV2)
    repository.commit()
    forgetful = {**versions.UPCASTS, versions.V1: Lift(versions.V2, dict)}
    told = repository.language(versions.NoteTakenV3, upcasts=forgetful).refusals()
    assert told == [f"{versions.V1}: its upcast must name its personal fields: ['note']."]


def test_what_was_never_committed_may_still_change(repository: Repository) -> None:
    repository.put(versions.NoteTaken)
    (repository.schemas / "readme").touch()
    repository.git("add", "schemas/readme")
    repository.git("commit", "--quiet", "--message", "no schema yet")
    language = repository.language(NoteTaken)
    assert language.refusals() == []
    assert len(language.complaints()) == 1
    repository.put_old()
    assert main(["write", "--folder", str(repository.schemas)]) == 0
    assert not (repository.schemas / f"{versions.V1}.json").exists()


def test_release_decides_what_is_published(repository: Repository) -> None:
    repository.put(versions.NoteTaken)
    repository.commit()
    repository.git("tag", "v1.0")
    repository.put(versions.NoteTakenV2)
    repository.commit()
    since = published(repository.schemas)
    assert since.since == "the beginning up to v1.0"
    assert since.texts is not None
    assert since.texts.keys() == {f"{versions.V1}.json"}


def test_without_a_repository_committed_files_count(tmp_path: Path) -> None:
    assert published(tmp_path).texts is None
    Repository(tmp_path).put(versions.NoteTaken)
    language = Language(
        schemas_of({versions.V1: NoteTaken}),
        committed_in(tmp_path / "schemas"),
        published(Path("/")),
        {},
    )
    assert any(NEEDS_A_VERSION in each for each in language.refusals())


def test_history_survives_the_variables_of_a_hook(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.put(versions.NoteTaken)
    repository.commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert published(repository.schemas).texts
