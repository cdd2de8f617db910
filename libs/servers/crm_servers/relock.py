"""Writes kafka.lock anew after KAFKA in jars.py was raised: `python -m crm_servers.relock`."""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import Artifact, MavenContext

from crm_servers.jars import KAFKA, LOCK, artifact_of

CLASS_PATH = {"compile", "runtime"}


def resolved(context: MavenContext) -> list[Artifact]:
    """Kafka's own tree, and the binding that its jars leave out and without which it logs nothing.

    The binding is taken alone: resolved together, its parent's versions would win over Kafka's.
    """
    wanted = context.create_dependency(f"org.apache.kafka:kafka_2.13:{KAFKA}")
    direct, further = context.resolver.resolve([wanted])
    needed = [*direct, *(found for found in further if found.scope in CLASS_PATH)]
    tree = [found.artifact for found in needed]
    log4j = next(found for found in tree if found.artifactId == "log4j-core")
    return [*tree, artifact_of(context, f"{log4j.groupId}:log4j-slf4j-impl:{log4j.version}")]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = sorted(map(_line, resolved(MavenContext(repo_cache=Path(folder)))))
    LOCK.write_text("".join(lines))


def _line(artifact: Artifact) -> str:
    digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
    return f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {digest}\n"


if __name__ == "__main__":
    main()
