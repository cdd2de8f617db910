"""`crm sample`: a made-up company to look around in."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from crm_events.clock import utc_now

from crm_console.cli.failures import explained
from crm_console.cli.output import progress, say
from crm_console.cli.session import opened
from crm_console.home import Home
from crm_console.sample.plot import Plot, Size
from crm_console.sample.story import Story
from crm_console.transport import Transport

SEED: Final = 20_26


def sample(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story")] = SEED,
) -> None:
    """Load a made-up company: months of leads, deals, tickets, surveys and orders.

    Example: crm --home ./try sample
    """
    with explained(), opened(context.obj) as transport:
        tell(transport, context.obj.home, seed)


def _currency(transport: Transport) -> str:
    """The one that the deployment reports in."""
    return str(transport.send("GET", "/v1/views/funnel")["parameters"]["currency"])


def tell(transport: Transport, home: Home, seed: int = SEED, size: Size = Size()) -> None:
    """Tell the sample with its progress on standard error; what was told before adds nothing."""
    plot = Plot(seed, home.sample_told_on(utc_now()), size.days, _currency(transport))
    with progress("sample", size.steps) as bar:
        task = bar.tasks[0].id
        Story(transport, plot, size, lambda count: bar.advance(task, count)).tell()
    home.sample_is_told()
    say("The sample is loaded.")
