from tests.projections.conftest import light_rig, sqlite

__all__ = ["light_rig", "sqlite"]
