"""What structlog does while tests run, until the product configures it."""

import logging

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback


def pytest_configure() -> None:
    plain()


def plain() -> None:
    """As structlog does by itself, but for tracebacks in colours: to draw one takes a tenth of a
    second, and a test that fails on purpose draws hundreds."""
    structlog.reset_defaults()
    processors = structlog.get_config()["processors"][:-1]
    lines = ConsoleRenderer(colors=False, exception_formatter=plain_traceback)
    structlog.configure(processors=[*processors, lines])


def silent() -> None:
    """Where what a command prints is looked at."""
    plain()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
