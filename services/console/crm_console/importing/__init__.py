"""Turns any table file into typed rows for the import commands; knows no HTTP and no store."""

from crm_console.importing.error_file import ErrorFile
from crm_console.importing.errors import FileRefused
from crm_console.importing.fields.catalogue import KINDS, FieldDescription, describe
from crm_console.importing.file import ImportFile, open_table
from crm_console.importing.options import ImportOptions, with_mapping_file
from crm_console.importing.result import Counts, ImportRow, Note, Problem, RowError

__all__ = [
    "KINDS",
    "Counts",
    "ErrorFile",
    "FieldDescription",
    "FileRefused",
    "ImportFile",
    "ImportOptions",
    "ImportRow",
    "Note",
    "Problem",
    "RowError",
    "describe",
    "open_table",
    "with_mapping_file",
]
