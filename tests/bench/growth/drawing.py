"""Runs in build/peers, which has matplotlib: the measured curve as a picture.

Told where the measurements lie and where the picture goes. The same measurements give the same
bytes.
"""

import json
import sys
from collections.abc import Sequence
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

Sizes = Sequence[dict[str, Any]]
_PANELS = (
    ("events a second", (("append", "append_rate"), ("project, two views", "project_rate"))),
    (
        "answer, ms",
        (
            ("funnel, first", "funnel_first_ms"),
            ("funnel", "funnel_ms"),
            ("funnel, as of", "funnel_as_of_ms"),
            ("retention, first", "retention_first_ms"),
            ("retention", "retention_ms"),
            ("retention, as of", "retention_as_of_ms"),
        ),
    ),
    ("store, MiB", (("log", "log_mib"), ("views", "views_mib"))),
    ("memory of the process, MiB", (("resident", "resident_mib"), ("peak", "peak_mib"))),
)
_FROM_ZERO = ("events a second", "memory of the process, MiB")


def drawn(sizes: Sizes) -> Figure:
    mpl.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9})
    figure = Figure(figsize=(9, 6), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for label, name in lines:
            points = [(size["events"], size[name]) for size in sizes if size[name] is not None]
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
        axes.set_xscale("log")
        if title in _FROM_ZERO:
            axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.1)
        else:
            axes.set_yscale("log")
            _whole_decades(axes)
        _finished(axes, title)
    return figure


def _whole_decades(axes: Axes) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** floor(log10(low)), 10 ** ceil(log10(high)))


def _finished(axes: Axes, title: str) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("events in the log")
    axes.set_title(title, loc="left")
    axes.grid(visible=True, which="major", linewidth=0.4)
    axes.legend(frameon=False)


if __name__ == "__main__":
    measured, picture = sys.argv[1:]
    figure = drawn(json.loads(Path(measured).read_text()))
    figure.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})
