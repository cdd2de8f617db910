"""The sum over event ids tells a set of events from every other that is likely."""

from itertools import pairwise
from uuid import UUID

from crm_projections.engine.digest import digest_of, from_text, to_text

IDS = [UUID(int=number) for number in range(1, 40)]


def test_order_does_not_matter() -> None:
    assert digest_of(IDS) == digest_of(reversed(IDS))


def test_parts_add_up_to_the_whole() -> None:
    assert digest_of(IDS[20:], digest_of(IDS[:20])) == digest_of(IDS)


def test_a_missing_or_doubled_event_shows() -> None:
    assert digest_of(IDS[1:]) != digest_of(IDS)
    assert digest_of([*IDS, IDS[0]]) != digest_of(IDS)


def test_two_events_doubled_do_not_cancel_out() -> None:
    assert digest_of([*IDS, IDS[0], IDS[0]]) != digest_of(IDS)


def test_neighbouring_ids_swapped_for_others_show() -> None:
    """A plain sum of ids could not tell 1 + 4 from 2 + 3."""
    sums = {digest_of([one, other]) for one, other in pairwise(IDS)}
    assert len(sums) == len(IDS) - 1
    assert digest_of([IDS[0], IDS[3]]) != digest_of([IDS[1], IDS[2]])


def test_the_stored_text_has_a_fixed_length() -> None:
    assert to_text(0) == "0" * 32
    assert from_text(to_text(digest_of(IDS))) == digest_of(IDS)
    assert len(to_text(digest_of(IDS))) == 32
