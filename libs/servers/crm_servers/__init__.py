"""A real Apache Kafka and a real PostgreSQL for development and tests.

Taken from what CRM_KAFKA and CRM_POSTGRES name, else from Docker where an engine answers, else
from wheels (a Java, a Maven client, PostgreSQL's programs), so that a machine needs only Python.
"""

from crm_servers.errors import ServerUnavailable
from crm_servers.picking import choice, pick_kafka, pick_postgres
from crm_servers.servers import KafkaServer, PostgresServer

__all__ = [
    "KafkaServer",
    "PostgresServer",
    "ServerUnavailable",
    "choice",
    "pick_kafka",
    "pick_postgres",
]
