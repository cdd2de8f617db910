"""Which processes the distributed form is made of; deploy/compose.yaml names the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CONTEXTS = ("contacts", "pipeline", "ticketing", "campaigns")
VIEWS = ("funnel", "satisfaction", "retention", "names")
API = "api"


@dataclass(frozen=True)
class Role:
    """One kind of process: `python -m crm_<service> <action>`, in as many copies as one likes."""

    name: str
    service: str
    action: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return "views" if self.service == "projections" else self.service

    @property
    def path(self) -> str:
        """The part of an address under /v1 that an API of this service answers."""
        return self.database

    @property
    def is_api(self) -> bool:
        return self.action == "serve"

    @property
    def reads_stores(self) -> bool:
        """Whether it may be asked to fold the contexts' own logs, which it reads over their API."""
        return self.action == "project"


def migrations() -> list[Role]:
    """What has to have run before anything else starts."""
    return [Role(f"{name}-migrate", name, "migrate") for name in (*CONTEXTS, "projections")]


def roles() -> list[Role]:
    """Everything that stays up, save the servers and the gateway."""
    actions = {API: "serve", "relay": "relay", "react": "react"}
    ours = [
        Role(f"{context}-{name}", context, action)
        for context in CONTEXTS
        for name, action in actions.items()
    ]
    views = [
        Role(f"projections-{view}", "projections", "project", {"CRM_VIEWS": view}) for view in VIEWS
    ]
    return [*ours, Role("projections-api", "projections", "serve"), *views]
