import asyncio

from crm_events.relay.topics import ensure_topics
from crm_servers import KafkaServer


async def test_processes_that_start_together_agree_on_the_topics(
    kafka: KafkaServer, namespace: str
) -> None:
    for number in range(2):
        starting = (
            ensure_topics(kafka.bootstrap, f"{namespace}{number}", "pipeline") for _ in range(6)
        )
        await asyncio.gather(*starting)
