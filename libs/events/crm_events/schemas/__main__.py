"""`python -m crm_events.schemas check|write`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crm_events.schemas import asyncapi
from crm_events.schemas.check import COMMITTED, Language, committed_in
from crm_events.schemas.generated import as_text, schemas_of
from crm_events.schemas.history import published
from crm_events.upcasting import UPCASTS


def main(arguments: list[str] | None = None) -> int:
    """0 where all is well; 1 after telling what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m crm_events.schemas", description=__doc__)
    parser.add_argument("what", choices=("check", "write"))
    parser.add_argument("--folder", type=Path, default=COMMITTED, help="where the schemas lie")
    given = parser.parse_args(arguments)
    return _run(given.what, given.folder)


def _run(what: str, folder: Path) -> int:
    language = Language(schemas_of(), committed_in(folder), published(folder), UPCASTS)
    wrong = language.refusals() if what == "write" else language.complaints()
    if what == "check" and folder == COMMITTED:
        wrong += asyncapi.out_of_step()
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        return 1
    if what == "write":
        _write(language, folder)
        if folder == COMMITTED:
            asyncapi.write()
    known = sum(len(texts) for texts in (language.published.texts or {}).values())
    print(
        f"{len(language.generated)} schemas read all {known} published: {language.published.since}"
    )
    return 0


def _write(language: Language, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in language.unpublished():
        (folder / f"{name}.json").unlink()
    for name, schema in language.generated.items():
        (folder / f"{name}.json").write_text(as_text(schema))


if __name__ == "__main__":
    sys.exit(main())
