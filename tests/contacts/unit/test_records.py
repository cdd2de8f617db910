"""Staff, organisations and people: whole records, stubs and consent."""

from decimal import Decimal
from uuid import UUID

from crm_contacts.domain.organisation import (
    Organisation,
    OrganisationExists,
    OrganisationFacts,
)
from crm_contacts.domain.person import Permission, Person, PersonExists, PersonFacts
from crm_contacts.domain.staff import OwnManager, StaffExists, StaffFacts, StaffMember
from crm_events.contracts.contacts import (
    ConsentGiven,
    ConsentWithdrawn,
    OrganisationChanged,
    OrganisationRegistered,
    PersonChanged,
    PersonRegistered,
    StaffChanged,
    StaffRegistered,
)
from crm_events.event import Money, Staff

from tests.support.decisions import ID, NOW, given

BOSS = UUID(int=7)
MAIL = Permission("email", "offers")


def test_staff_register_once() -> None:
    facts = StaffFacts("Mei", "North", BOSS, "Central")
    registered = StaffRegistered(name="Mei", team="North", manager_id=BOSS, region="Central")
    given(StaffMember).when(lambda it: it.register(facts, at=NOW)).then(registered)
    given(StaffMember, registered).when(lambda it: it.register(facts, at=NOW)).then(StaffExists)


def test_staff_change_is_whole_record_and_only_when_new() -> None:
    mei = given(StaffMember, StaffRegistered(name="Mei", team="North"))
    mei.when(lambda it: it.change(StaffFacts("Mei", "North"), at=NOW)).then()
    mei.when(lambda it: it.change(StaffFacts("Mei", "South"), at=NOW)).then(
        StaffChanged(name="Mei", team="South")
    )


def test_stub_is_filled_even_by_same_facts() -> None:
    given(StaffMember, StaffRegistered(name="Mei", stub=True)).when(
        lambda it: it.change(StaffFacts("Mei"), at=NOW)
    ).then(StaffChanged(name="Mei"))
    given(Organisation, OrganisationRegistered(name="Acme", stub=True)).when(
        lambda it: it.change(OrganisationFacts("Acme"), at=NOW)
    ).then(OrganisationChanged(name="Acme"))


def test_nobody_is_their_own_manager() -> None:
    given(StaffMember).when(lambda it: it.register(StaffFacts("Mei", None, ID), at=NOW)).then(
        OwnManager
    )
    given(StaffMember, StaffRegistered(name="Mei")).when(
        lambda it: it.change(StaffFacts("Mei", None, ID), at=NOW)
    ).then(OwnManager)


def test_staff_as_events_name_them() -> None:
    mei = given(StaffMember, StaffRegistered(name="Mei", team="North", manager_id=BOSS))
    assert mei.aggregate().as_of_now() == Staff(id=ID, team="North", manager_id=BOSS)


def test_organisation_registers_once_and_changes_when_new() -> None:
    revenue = Money(amount=Decimal(5), currency="EUR")
    facts = OrganisationFacts("Acme", "tools", "North", "50", revenue, "Holding")
    registered = OrganisationRegistered(
        name="Acme",
        sector="tools",
        region="North",
        size="50",
        revenue=revenue,
        parent_name="Holding",
    )
    acme = given(Organisation, registered)
    given(Organisation).when(lambda it: it.register(facts, at=NOW)).then(registered)
    acme.when(lambda it: it.register(facts, at=NOW)).then(OrganisationExists)
    acme.when(lambda it: it.change(facts, at=NOW)).then()
    acme.when(lambda it: it.change(OrganisationFacts("Acme"), at=NOW)).then(
        OrganisationChanged(name="Acme")
    )


def test_person_registers_once_and_changes_when_new() -> None:
    facts = PersonFacts("Li Na", "li@example.org", "+86 10", ID, "North", "vip")
    registered = PersonRegistered(
        name="Li Na",
        email="li@example.org",
        phone="+86 10",
        organisation_id=ID,
        region="North",
        segment="vip",
    )
    lina = given(Person, registered)
    given(Person).when(lambda it: it.register(facts, at=NOW)).then(registered)
    lina.when(lambda it: it.register(facts, at=NOW)).then(PersonExists)
    lina.when(lambda it: it.change(facts, at=NOW)).then()
    lina.when(lambda it: it.change(PersonFacts("Li Na"), at=NOW)).then(PersonChanged(name="Li Na"))


def test_consent_is_given_renewed_and_withdrawn() -> None:
    begun = PersonRegistered(name="Li Na")
    given_once = ConsentGiven(channel="email", purpose="offers", evidence="form 7")
    withdrawn = ConsentWithdrawn(channel="email", purpose="offers", reason="enough")
    lina = given(Person, begun, given_once)
    given(Person, begun).when(lambda it: it.give_consent(MAIL, "form 7", at=NOW)).then(given_once)
    lina.when(lambda it: it.give_consent(MAIL, "form 7", at=NOW)).then()
    lina.when(lambda it: it.give_consent(MAIL, "form 8", at=NOW)).then(
        ConsentGiven(channel="email", purpose="offers", evidence="form 8")
    )
    lina.when(lambda it: it.withdraw_consent(MAIL, "enough", at=NOW)).then(withdrawn)
    given(Person, begun, given_once, withdrawn).when(
        lambda it: it.give_consent(MAIL, "form 7", at=NOW)
    ).then(given_once)


def test_objection_without_consent_is_kept_once() -> None:
    begun, objected = (
        PersonRegistered(name="Li Na"),
        ConsentWithdrawn(channel="email", purpose="offers"),
    )
    given(Person, begun).when(lambda it: it.withdraw_consent(MAIL, at=NOW)).then(objected)
    given(Person, begun, objected).when(lambda it: it.withdraw_consent(MAIL, at=NOW)).then()


def test_consent_whose_evidence_was_erased_can_be_withdrawn() -> None:
    begun = PersonRegistered(name=None)
    erased = ConsentGiven(channel="email", purpose="offers", evidence=None)
    lina = given(Person, begun, erased)
    lina.when(lambda it: it.withdraw_consent(MAIL, at=NOW)).then(
        ConsentWithdrawn(channel="email", purpose="offers")
    )
    lina.when(lambda it: it.give_consent(MAIL, "form 7", at=NOW)).then(
        ConsentGiven(channel="email", purpose="offers", evidence="form 7")
    )
