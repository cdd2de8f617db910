"""A contract type for import-linter: these modules import what is listed and nothing else.

A list of forbidden packages forgets the next one; a list of allowed ones cannot.
"""

from typing import cast

import grimp
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class OnlyImports(Contract):
    """Options: `modules` and `allowed`, each with all below it; `among` names the packages that
    the contract is about, imports of others pass (all, when it is left out)."""

    type_name = "only_imports"

    modules = fields.SetField(subfield=fields.ModuleExpressionField())
    allowed = fields.SetField(subfield=fields.StringField())
    among = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        strays = [
            (importer, imported)
            for importer in _members(graph, cast("set[ModuleExpression]", self.modules))
            for imported in graph.find_modules_directly_imported_by(importer)
            if self._stray(imported)
        ]
        return ContractCheck(kept=not strays, metadata={"strays": sorted(strays)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["strays"]:
            output.print_error(f"{importer} is not allowed to import {imported}", bold=False)
        output.new_line()

    def _stray(self, imported: str) -> bool:
        among = cast("set[str] | None", self.among)
        concerned = among is None or _within(imported, among)
        return concerned and not _within(imported, cast("set[str]", self.allowed))


def _members(graph: grimp.ImportGraph, expressions: set[ModuleExpression]) -> set[str]:
    named = {module.name for module in module_expressions_to_modules(graph, expressions)}
    below = {child for name in named for child in graph.find_descendants(name)}
    return named | below


def _within(module: str, packages: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)
