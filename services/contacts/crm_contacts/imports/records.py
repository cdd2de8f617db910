"""Rows that are the whole record of something with a name, and that fill the stub of that name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from crm_events.names import folded
from crm_events.store.port import DirectoryEntry
from crm_service.importing.options import Options, options_of
from crm_service.importing.protocol import ImportIn, ImportKind
from pydantic import BaseModel

from crm_contacts.application import ContactsApplication
from crm_contacts.domain.organisation import Organisation
from crm_contacts.domain.staff import StaffMember

T = TypeVar("T", StaffMember, Organisation)
V = TypeVar("V", bound=BaseModel)


class RecordImport(ImportKind[T, V]):
    """A row takes up the stub of its name, each stub once; other things of that name stay apart."""

    adopts = True
    named: ClassVar[str]
    """The kind under which names are indexed."""

    def __init__(self, app: ContactsApplication, request: ImportIn) -> None:
        options_of(Options, request)
        self.app = app
        self.request = request

    def adopt(self, rows: Mapping[UUID, V]) -> Mapping[UUID, UUID]:
        names = {row_id: self.name_of(row) for row_id, row in rows.items()}
        found = self.app.names.find(self.named, names.values())
        things = self.app.load_all(self.aggregate, list(found.values()))
        stubs = {id_ for id_, thing in things.items() if thing.stub}
        adopted: dict[UUID, UUID] = {}
        for row_id, name in names.items():
            thing_id = found.get(folded(name))
            if thing_id in stubs:
                stubs.discard(thing_id)
                adopted[row_id] = thing_id
        return adopted

    @abstractmethod
    def name_of(self, row: V) -> str:
        """The name by which the row is found."""

    def entries(self, thing: T) -> Iterable[DirectoryEntry]:
        """How the thing is found by its name from now on."""
        return self.app.named(thing).beside.directory


def said(row: BaseModel) -> dict[str, Any]:
    """What the row says: columns that are not there leave what is known as it is."""
    return {name: getattr(row, name) for name in row.model_fields_set}
