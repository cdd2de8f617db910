"""What is said twice, for containers and for processes, is the same both times."""

import re
from pathlib import Path

from crm_servers.distributed.folder import DATABASES
from crm_servers.distributed.topology import CONTEXTS, VIEWS, migrations, roles

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text()
SERVICES = COMPOSE.partition("\nservices:\n")[2].partition("\nsecrets:\n")[0]
BLOCKS = dict(
    block.split(":\n", 1) for block in re.split(r"(?m)^  (?=[a-z]+(?:-[a-z]+)*:$)", SERVICES)[1:]
)


def test_compose_runs_the_roles_that_processes_run() -> None:
    others = {"kafka", "postgres", "gateway", "console"}
    assert set(BLOCKS) == {role.name for role in [*migrations(), *roles()]} | others


def test_each_role_is_started_with_the_same_word() -> None:
    for role in [*migrations(), *roles()]:
        assert f"command: [{role.action}]" in BLOCKS[role.name]


def test_only_relays_hold_the_key_that_signs() -> None:
    for role in roles():
        signs = "CRM_AUDIT_KEY_FILE: /run/secrets/audit-key " in BLOCKS[role.name]
        assert signs == (role.action == "relay"), role.name
        assert ("secrets: [master-key, audit-key]" in BLOCKS[role.name]) == signs


def test_only_projections_hold_the_token_that_reads_stores() -> None:
    for role in roles():
        reads = "<<: [*projections-settings, *stores]," in BLOCKS[role.name]
        assert reads == role.reads_stores == (role.action == "project"), role.name
        assert ("secrets: [master-key, audit-public, projections-token]" in BLOCKS[role.name]) == (
            reads
        )


def test_what_the_views_api_has_read_is_kept_for_the_next_process() -> None:
    place = "/var/lib/crm-columns"
    block = BLOCKS["projections-api"]
    assert f"CRM_COLUMNS_FOLDER: {place} " in block
    assert f'"columns:{place}"' in block
    assert f"-o crm -g crm /var/lib/crm {place}\n" in (DEPLOY / "service.Dockerfile").read_text()


def test_each_view_is_named_to_its_projection() -> None:
    for view in VIEWS:
        assert f"CRM_VIEWS: {view} " in BLOCKS[f"projections-{view}"]


def test_each_service_has_an_image_and_a_database() -> None:
    for name in (*CONTEXTS, "projections"):
        assert f"SERVICE: {name} " in BLOCKS[f"{name}-migrate"]
    for role in migrations():
        assert f"@postgres:5432/crm_{role.database}" in BLOCKS[role.name]


def test_each_database_is_made_and_has_its_password() -> None:
    script = (DEPLOY / "postgres" / "databases.sql").read_text()
    for name in DATABASES:
        assert f"'{name}'" in script
        assert f"ALTER ROLE crm_{name} PASSWORD :'{name}'" in script
        assert f"CRM_{name.upper()}_PASSWORD: " in BLOCKS["postgres"]


def test_every_folder_of_services_is_deployed() -> None:
    folders = {path.name for path in (DEPLOY.parent / "services").iterdir() if path.is_dir()}
    assert folders == {*CONTEXTS, "projections", "console"}
