from uuid import UUID

import pytest
from crm_contacts.domain.customer import PHASES, AnyCustomer, Customer, PhaseNotAhead
from crm_contacts.domain.organisation import Organisation
from crm_contacts.domain.person import Person
from crm_events.contracts.contacts import (
    LeadCaptured,
    LifecyclePhase,
    LifecyclePhaseEntered,
    OrganisationRegistered,
    PersonRegistered,
)
from crm_events.domain import Change
from crm_events.event import Event

from tests.support.decisions import ID, NOW, Scenario, given

ACME = OrganisationRegistered(name="Acme")
DEAL, ORDER, OTHER = UUID(int=11), UUID(int=12), UUID(int=13)


def entered(
    phase: LifecyclePhase, previous: LifecyclePhase | None = None, by: UUID | None = None
) -> LifecyclePhaseEntered:
    return LifecyclePhaseEntered(
        customer_kind="organisation", phase=phase, previous=previous, purchase_id=by
    )


def acme(*events: Event) -> Scenario[AnyCustomer]:
    return given(AnyCustomer, ACME, *events)


def test_phases_are_entered_forward_and_over_others() -> None:
    acme().when(lambda it: it.enter_phase("prospect", at=NOW)).then(entered("prospect")).at(NOW)
    acme(entered("prospect")).when(lambda it: it.enter_phase("end_user", at=NOW)).then(
        entered("end_user", "prospect")
    )


@pytest.mark.parametrize("now", PHASES)
@pytest.mark.parametrize("to", PHASES)
def test_phase_is_entered_only_ahead_of_now(now: LifecyclePhase, to: LifecyclePhase) -> None:
    decision = acme(entered(now)).when(lambda it: it.enter_phase(to, at=NOW))
    if PHASES.index(to) > PHASES.index(now):
        decision.then(entered(to, now))
    else:
        decision.then(PhaseNotAhead)


def test_only_who_has_no_phase_becomes_prospect() -> None:
    acme().when(lambda it: it.become_prospect(at=NOW)).then(entered("prospect"))
    acme(entered("signed")).when(lambda it: it.become_prospect(at=NOW)).then()


def test_first_won_deal_signs() -> None:
    acme().when(lambda it: it.sign(DEAL, at=NOW)).then(entered("signed", by=DEAL))
    acme(entered("prospect")).when(lambda it: it.sign(DEAL, at=NOW)).then(
        entered("signed", "prospect", DEAL)
    )


def test_second_won_deal_makes_repeat() -> None:
    acme(entered("signed", by=DEAL)).when(lambda it: it.sign(OTHER, at=NOW)).then(
        entered("repeat", "signed", OTHER)
    )


def test_first_order_makes_end_user() -> None:
    acme().when(lambda it: it.take_delivery(ORDER, at=NOW)).then(entered("end_user", by=ORDER))
    acme(entered("signed", by=DEAL)).when(lambda it: it.take_delivery(DEAL, at=NOW)).then(
        entered("end_user", "signed", DEAL)
    )


def test_later_order_makes_repeat() -> None:
    acme(entered("end_user", by=ORDER)).when(lambda it: it.take_delivery(OTHER, at=NOW)).then(
        entered("repeat", "end_user", OTHER)
    )


def test_deal_and_its_orders_are_one_purchase_in_any_order() -> None:
    acme(entered("end_user", by=DEAL)).when(lambda it: it.sign(DEAL, at=NOW)).then()
    acme(entered("end_user", by=DEAL)).when(lambda it: it.take_delivery(DEAL, at=NOW)).then()
    acme(entered("signed", by=DEAL)).when(lambda it: it.sign(DEAL, at=NOW)).then()


def test_repeat_customer_stays_one() -> None:
    customer = acme(entered("repeat", by=DEAL))
    customer.when(lambda it: it.sign(OTHER, at=NOW)).then()
    customer.when(lambda it: it.take_delivery(OTHER, at=NOW)).then()


@pytest.mark.parametrize(
    ("kind", "begun"),
    [(Person, PersonRegistered(name="Li Na")), (Organisation, ACME)],
    ids=["person", "organisation"],
)
def test_customer_is_found_by_id_whatever_the_kind(kind: type[Customer], begun: Event) -> None:
    by_kind = given(kind, begun).aggregate()
    by_id = given(AnyCustomer, begun).aggregate()
    assert by_kind.customer_kind == by_id.customer_kind


def test_stream_of_another_kind_is_no_customer() -> None:
    lead = LeadCaptured(person_id=ID, name="Li Na", source="fair")
    assert not AnyCustomer.begins_with(Change(ID, 1, lead))
    assert not Person.begins_with(Change(ID, 1, ACME))
    assert AnyCustomer.begins_with(Change(ID, 1, ACME))
