"""Which of the two was changed where log and sealed rows differ: the next checkpoint tells."""

from __future__ import annotations

from crm_events.audit.finding import Wrong, wrong
from crm_events.audit.note import Checkpoint
from crm_events.audit.sealed import Leaves
from crm_events.audit.tree import Peaks


def diagnose(
    tree: Peaks, there: Leaves, sealed: Leaves, vouched: Checkpoint | None, before: int
) -> Wrong:
    """What is wrong with the first leaf behind a tree whose leaves are right.

    `there` and `sealed` are the leaves behind it up to the next checkpoint, which is `vouched`;
    None where there is no such checkpoint. `before` is the position of the
    tree's last leaf.
    """
    if not sealed.hashes or _says(vouched, tree, there):
        return wrong("sealed", there.positions[0] if there.positions else before + 1)
    if vouched is not None and not _says(vouched, tree, sealed):
        last = max([before + 1, *sealed.positions[-1:]])
        return wrong("rewritten", before + 1, "log and sealed rows were both changed", last)
    return _event(there, sealed)


def _says(vouched: Checkpoint | None, tree: Peaks, leaves: Leaves) -> bool:
    """Whether a checkpoint is signed over these leaves behind the tree."""
    missing = -1 if vouched is None else vouched.size - tree.size
    if vouched is None or len(leaves.hashes) < missing:
        return False
    return tree.copy().extended(leaves.hashes[:missing]).root() == vouched.root


def _event(there: Leaves, sealed: Leaves) -> Wrong:
    position = sealed.positions[0]
    if not there.positions or there.positions[0] > position:
        return wrong("missing", position)
    if there.positions[0] < position:
        return wrong("inserted", there.positions[0])
    return wrong("altered", position)
