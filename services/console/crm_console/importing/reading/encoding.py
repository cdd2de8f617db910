"""Which encoding a file is in, proven by decoding all of it once, so that no name is garbled."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from crm_console.importing.errors import FileRefused

_CHUNK: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES: Final = (
    (b"PK\x03\x04", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF"),
)
_DOUBLE_BYTE: Final = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")
_NUL_SHARE: Final = 20
"""One byte in so many NUL: no stray one, but every other byte of Western UTF-16."""
_SAY_WHICH: Final = (
    "Save it as UTF-8, or name its encoding, such as --encoding cp1252 (Western Windows), "
    "--encoding gb18030 or --encoding utf-16-le."
)


def detect_encoding(stream: BinaryIO) -> str:
    """UTF-8, or UTF-16/32 by its mark, or GB18030; anything else is refused with the remedy."""
    head = stream.read(4096)
    for magic, what in _OTHER_FILES:
        if head.startswith(magic):
            raise FileRefused(f"The file is {what}, not a table of text.", "Save it as CSV UTF-8.")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return checked_encoding(stream, encoding)
    if head.count(0) * _NUL_SHARE > len(head):
        raise FileRefused("The file is binary, or UTF-16 without its mark.", _SAY_WHICH)
    damaged_line = _undecodable_line(stream, "utf-8")
    return "utf-8" if damaged_line is None else _not_utf8(stream, damaged_line)


def checked_encoding(stream: BinaryIO, encoding: str) -> str:
    """The named encoding, once the whole file has been decoded with it."""
    try:
        "x".encode(encoding)  # bytes-to-bytes codecs such as hex refuse text
        codecs.getincrementaldecoder(encoding)
    except (LookupError, ValueError):
        raise FileRefused(f"There is no text encoding {encoding!r}.", _SAY_WHICH) from None
    line = _undecodable_line(stream, encoding)
    if line is not None:
        raise FileRefused(f"Line {line} is not valid {encoding.upper()}.", _SAY_WHICH)
    return encoding


def _not_utf8(stream: BinaryIO, damaged_line: int) -> str:
    if _mostly_utf8(stream):
        raise FileRefused(f"The file is UTF-8 but damaged on line {damaged_line}.", _SAY_WHICH)
    if _undecodable_line(stream, "gb18030") is None and _looks_chinese(stream):
        return "gb18030"
    raise FileRefused(
        f"Line {damaged_line} is not UTF-8, and the file does not read as Chinese GB18030 text.",
        _SAY_WHICH,
    )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    return iter(lambda: stream.read(_CHUNK), b"")


def _undecodable_line(stream: BinaryIO, encoding: str) -> int | None:
    """The line, counted from 1, on which decoding fails."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for chunk in _chunks(stream):
            line += decoder.decode(chunk).count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        read_before: bytes = error.object[: error.start]
        return line + read_before.count(b"\n")
    except UnicodeError:
        return line
    return None


def _mostly_utf8(stream: BinaryIO) -> bool:
    """More sequences of several bytes decode than fail: a damaged file, not another encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoded = failed = 0
    for chunk in _chunks(stream):
        text = decoder.decode(chunk)
        bad = text.count("\ufffd")
        failed += bad
        decoded += sum(1 for char in text if char > "\x7f") - bad
    return decoded > failed


def _looks_chinese(stream: BinaryIO) -> bool:
    """Western letters decode as Chinese too, but are followed by ASCII; Chinese text seldom is."""
    high = low = 0
    for chunk in _chunks(stream):
        for trail in _DOUBLE_BYTE.findall(chunk):
            high += trail >= b"\x80"
            low += trail < b"\x80"
    return high > low
