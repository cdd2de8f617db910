"""How far an import came outlives the process that ran it."""

from pathlib import Path

from crm_console.sending.progress import Reached, progress_of

NOTHING = Reached()
SOME = Reached(line=1_001, refused=3, error_bytes=240)


def test_nothing_was_sent_at_first(tmp_path: Path) -> None:
    assert progress_of(tmp_path, "digest", "deals").read() == NOTHING


def test_another_process_finds_how_far_it_came(tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    progress_of(folder, "digest", "deals").keep(Reached(line=7))
    progress_of(folder, "digest", "deals").keep(SOME)
    assert progress_of(folder, "digest", "deals").read() == SOME


def test_other_files_kinds_and_servers_have_their_own(tmp_path: Path) -> None:
    progress_of(tmp_path, "digest", "deals", "import", "a").keep(SOME)
    for other in (("other", "deals"), ("digest", "leads"), ("digest", "deals", "import", "b")):
        assert progress_of(tmp_path, *other).read() == NOTHING
    assert progress_of(tmp_path, "digestdeals", "importa").read() == NOTHING


def test_what_is_done_leaves_nothing(tmp_path: Path) -> None:
    progress = progress_of(tmp_path, "digest", "deals")
    progress.keep(SOME)
    progress.done()
    progress.done()
    assert progress.read() == NOTHING
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_begins_anew(tmp_path: Path) -> None:
    progress = progress_of(tmp_path, "digest", "deals")
    progress.keep(SOME)
    for damaged in ("", "{}", '{"line": null}', '{"lines": 7}', "[1]"):
        progress.path.write_text(damaged)
        assert progress.read() == NOTHING
