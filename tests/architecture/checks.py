"""What no off-the-shelf tool checks: sizes, names and words. `make lint` runs it as a program.

Each check takes files and answers complaints, one line each, so that a test can hand it a bad one.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES = 250
TEST_FILE_LINES = 350
FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 8
NINE_OF_TEN_LINES = 20

# They name nothing: every one of them could hold anything, so in time it does.
EMPTY_NAMES = {
    "base", "dto", "handler", "handlers", "helper", "helpers", "impl", "manager", "managers",
    "util", "utils",
}  # fmt: skip

# Where the word is one of the business: a member of staff has a manager.
BUSINESS_NAMES = {"OwnManager"}

# Brackets keep a pattern from matching itself.
FORBIDDEN_WORDS = {
    r"py[p]i\.org|python[h]osted\.org|repo1?\.mave[n]|mave[n]\.org|registry\.np[m]js": (
        "a package registry's host: whoever installs chooses where from"
    ),
    r"(?<![\w.$}])/(work|root)/[\w.]": "a path that exists on one machine only",
    r"\.\./share[d]\b|/share[d]/(data|tools|\w+\.md)": "a folder outside the repository",
    r"\bTO[D]O\b|\bFIX[M]E\b": "work left undone: finish it or leave it out",
    r"(?i)\bissue #?[0-9]+": "a tracker's number: say the reason itself",
}
# The one place that may say where the reference data lies beside a checkout.
ALLOWED_WORDS = {(".ci/run", r"\.\./share[d]\b|/share[d]/(data|tools|\w+\.md)")}


@dataclass(frozen=True)
class Function:
    path: Path
    name: str
    line: int
    lines: int


def complaints(root: Path, files: Iterable[Path]) -> list[str]:
    """All checks over these files, which lie under `root`."""
    readable = {path: text for path in files if (text := _text(path)) is not None}
    python = {path: text for path, text in readable.items() if path.suffix == ".py"}
    found = [*long_files(python), *long_functions(python), *empty_names(python)]
    found += [*usual_functions(python), *forbidden_words(root, readable)]
    return [complaint.replace(f"{root}/", "") for complaint in found]


def long_files(files: dict[Path, str]) -> Iterator[str]:
    for path, text in files.items():
        allowed = TEST_FILE_LINES if "tests" in path.parts else FILE_LINES
        if (lines := text.count("\n")) > allowed:
            yield f"{path}: {lines} lines, {allowed} at most: split it by what changes together"


def long_functions(files: dict[Path, str]) -> Iterator[str]:
    for function in functions(files):
        if function.lines > FUNCTION_LINES:
            yield (
                f"{function.path}:{function.line}: {function.name} has {function.lines} lines, "
                f"{FUNCTION_LINES} at most"
            )


def usual_functions(files: dict[Path, str]) -> Iterator[str]:
    """The limits above stop the worst; these two keep the usual function short."""
    lengths = [f.lines for f in functions(files) if "tests" not in f.path.parts]
    if len(lengths) < 10:
        return
    if (median := statistics.median(lengths)) > MEDIAN_FUNCTION_LINES:
        yield f"the median function has {median} lines, {MEDIAN_FUNCTION_LINES} at most"
    if (ninth := statistics.quantiles(lengths, n=10)[-1]) >= NINE_OF_TEN_LINES:
        yield f"9 of 10 functions have up to {ninth:.0f} lines, under {NINE_OF_TEN_LINES} wanted"


def functions(files: dict[Path, str]) -> Iterator[Function]:
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield Function(path, node.name, node.lineno, lines)


def empty_names(files: dict[Path, str]) -> Iterator[str]:
    for path, text in files.items():
        if EMPTY_NAMES & set(path.stem.lower().split("_")):
            yield f"{path}: the module's name says nothing about what is in it"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and _empty(node.name):
                yield f"{path}:{node.lineno}: {node.name} says nothing about what it is"


def forbidden_words(root: Path, files: dict[Path, str]) -> Iterator[str]:
    for path, text in files.items():
        for pattern, reason in FORBIDDEN_WORDS.items():
            if (path.relative_to(root).as_posix(), pattern) in ALLOWED_WORDS:
                continue
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: '{match.group()}' is {reason}"


def committed(root: Path) -> list[Path]:
    """What git tracks or would track: a new file is checked before it is added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    names = {name for name in listed.stdout.split("\0") if name}
    return sorted(path for name in names if (path := root / name).is_file())


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None


def _empty(name: str) -> bool:
    parts = {part.lower() for part in re.findall(r"[A-Z][a-z0-9]*", name)}
    return name not in BUSINESS_NAMES and bool(EMPTY_NAMES & parts)


def main() -> None:
    found = complaints(ROOT, committed(ROOT))
    print("\n".join(found) if found else "sizes, names and words: all good")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
