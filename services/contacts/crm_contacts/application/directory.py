"""What the decisions of contacts rest on: who is known, and by which name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar
from uuid import UUID

from crm_events.application import ContextApplication, NotFound, Outcome, Saving
from crm_events.codec import Codec
from crm_events.domain import Aggregate
from crm_events.event import Staff
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, EventRecorder
from crm_service.names import NameIndex
from crm_service.staff import StaffUnknown

from crm_contacts.domain.erasure import SubjectIsErased
from crm_contacts.domain.organisation import Organisation, OrganisationUnknown
from crm_contacts.domain.person import Person, PersonUnknown
from crm_contacts.domain.staff import StaffMember

A = TypeVar("A", bound=Aggregate)
N = TypeVar("N", StaffMember, Organisation, Person)
STAFF: Final = "staff"
ORGANISATION: Final = "organisation"
PERSON: Final = "person"
ERASED: Final = "erased"
"""Kind of the register of erasures, which lies apart from the keys."""
_KINDS: Final[Mapping[type[Aggregate], str]] = {
    StaffMember: STAFF,
    Organisation: ORGANISATION,
    Person: PERSON,
}


class Directory(ContextApplication):
    """Finds staff, organisations and people, and indexes their names."""

    context = "contacts"

    def __init__(self, recorder: EventRecorder, codec: Codec, secret: bytes) -> None:
        super().__init__(recorder, codec)
        self.secret = secret
        self.names = NameIndex(recorder, secret)

    def staff(self, id: UUID) -> Staff:
        """The member of staff as of now. Raises StaffUnknown."""
        try:
            return self.load(StaffMember, id).as_of_now()
        except NotFound:
            raise StaffUnknown(id) from None

    def refuse_unknown_staff(self, id: UUID | None) -> None:
        """Raises StaffUnknown where one is named who is not known."""
        if id is not None:
            self.staff(id)

    def staff_among(self, ids: Iterable[UUID]) -> dict[UUID, Staff]:
        """Those of these members of staff who are known, as of now."""
        found = self.load_all(StaffMember, list(ids))
        return {id_: member.as_of_now() for id_, member in found.items()}

    def organisation(self, id: UUID | None) -> Organisation | None:
        """The organisation, where one is named. Raises OrganisationUnknown."""
        if id is None:
            return None
        try:
            return self.load(Organisation, id)
        except NotFound:
            raise OrganisationUnknown(id) from None

    def person(self, id: UUID) -> Person:
        """Raises PersonUnknown."""
        try:
            return self.load(Person, id)
        except NotFound:
            raise PersonUnknown(id) from None

    def refuse_erased(self, subject: UUID) -> None:
        """Also where the subject never had a record of its own. Raises SubjectIsErased."""
        if self.recorder.directory(ERASED, [subject]):
            raise SubjectIsErased(subject)

    def named(self, thing: N) -> Saving:
        """The thing with the entry that lets it be found by its name."""
        entry = self.names.entry(_KINDS[type(thing)], thing.id, thing.facts.name)
        return Saving((thing,), beside=Beside(directory=(entry,)))

    def change(
        self,
        cause: Cause,
        kind: type[A],
        id: UUID,
        decide: Callable[[A], Saving | None],
        expected: int | None,
        *,
        commutes: bool = False,
    ) -> Outcome:
        """Load one thing, decide, and save it, or what the decision answers."""

        def change() -> Saving:
            thing = self.load(kind, id, expected=expected)
            return decide(thing) or Saving((thing,))

        return self.execute(cause, change, expected=expected, commutes=commutes)
