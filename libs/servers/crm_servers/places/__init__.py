"""Where a server lives: a process of ours, a container, or somewhere the environment names."""

from crm_servers.places.place import Place, Source

__all__ = ["Place", "Source"]
