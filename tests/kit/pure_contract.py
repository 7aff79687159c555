"""The import contract of pure modules, for import-linter.

A pure module is a function of its arguments: it may import other pure modules, a few named third parties, and the
standard library except what reads clocks, files, sockets or chance. The built-in `forbidden` contract cannot say "every
third party but these", nor take modules that do not exist yet; this one says both.
"""

import sys
from collections.abc import Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """Options: modules (patterns, `x.**` also means x itself), allowed_third_parties, forbidden_standard."""

    type_name = "pure"

    modules = fields.SetField(subfield=fields.StringField())
    allowed_third_parties = fields.SetField(subfield=fields.StringField())
    forbidden_standard = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Kept when no pure module imports anything impure directly; so no chain of pure modules can either."""
        pure = pure_modules(graph, cast("set[str]", self.modules))
        broken = sorted(
            {
                (importer, imported)
                for importer in pure
                for imported in graph.find_modules_directly_imported_by(importer)
                if imported not in pure and not self._is_allowed(graph, imported)
            }
        )
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line per import that has to go."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} is pure and must not import {imported}", bold=False)
            output.new_line()

    def _is_allowed(self, graph: ImportGraph, module: str) -> bool:
        if not graph.is_module_squashed(module):  # one of ours, and not pure
            return False
        root = module.partition(".")[0]
        if root in sys.stdlib_module_names:
            return root not in cast("set[str]", self.forbidden_standard)
        return root in cast("set[str]", self.allowed_third_parties)


def pure_modules(graph: ImportGraph, patterns: set[str]) -> set[str]:
    """Every module of the graph that one of the patterns names; a trailing `.**` includes the package itself."""
    return {module for pattern in patterns for module in _matches(graph, pattern)}


def _matches(graph: ImportGraph, pattern: str) -> Iterator[str]:
    package = pattern.removesuffix(".**")
    if package in graph.modules:
        yield package
    if "*" in pattern:
        yield from graph.find_matching_modules(pattern)
