"""After all of the troubles, every view is what a rebuild from the log makes of it.

Named to run last: the deployments are shared, and this looks at everything that was done to them.
"""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Deployment
from tests.e2e.roles import Roles
from tests.e2e.stores import stores_of_home, stores_of_roles


def differences(deployment: Deployment) -> dict[str, list[str]]:
    """Once reactions and views have seen everything."""
    deployment.crm.view("funnel")
    if deployment.form == "embedded":
        with stores_of_home(deployment.folder) as stores:
            return stores.differences()
    with stores_of_roles(Roles(deployment.folder)) as stores:
        return stores.differences()


@pytest.mark.data
def test_rebuild_of_reference_data_equals_the_views(imported: Deployment) -> None:
    assert differences(imported) == {}


def test_rebuild_equals_the_views_of_one_process(embedded: Deployment) -> None:
    assert differences(embedded) == {}


def test_rebuild_equals_the_views_of_many_processes(distributed: Deployment) -> None:
    assert differences(distributed) == {}
