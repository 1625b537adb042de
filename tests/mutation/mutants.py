"""Mutants of a module: its source with one operator, number or name changed, by Cosmic Ray.

Left out are changes that cannot change a result: inside messages, annotations, decorators and
``raise`` statements, and those that do not compile.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import parso.python.tree
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

_OPPOSITES = [
    ("max", "min"), ("maximum", "minimum"), ("fmax", "fmin"), ("argmax", "argmin"),
    ("any", "all"), ("floor", "ceil"), ("BUY", "SELL"), ("CALL", "PUT"),
]  # fmt: skip
_SWAPS = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}

Place = tuple[int, int]


class ReplaceNameWithOpposite(Operator):
    """Replaces a name with its opposite, as ``max`` with ``min``; Cosmic Ray has none for names."""

    def mutation_positions(self, node):
        """Positions of names that have an opposite."""
        if isinstance(node, parso.python.tree.Name) and node.value in _SWAPS:
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):  # noqa: ARG002
        """Put the opposite in the place of the name."""
        node.value = _SWAPS[node.value]
        return node

    @classmethod
    def examples(cls):
        """None: they are for the tests of Cosmic Ray itself."""
        return ()


@dataclass(frozen=True)
class Mutant:
    """One changed source of a module."""

    module: str
    line: int
    change: str
    original: str
    source: str

    @cached_property
    def key(self) -> str:
        """Digest of module and changed source."""
        return hashlib.sha256(f"{self.module}\n{self.source}".encode()).hexdigest()[:16]

    @property
    def shown(self) -> str:
        """The first line that differs, before and after."""
        pairs = zip(self.original.splitlines(), self.source.splitlines(), strict=False)
        before, after = next((a, b) for a, b in pairs if a != b)
        return f"{before.strip()}  ->  {after.strip()}"


def mutants(path: Path, module: str, operators: Sequence[str]) -> list[Mutant]:
    """Mutants of a file in the order of its lines.

    Parameters
    ----------
    operators : sequence of str
        Patterns of the names of Cosmic Ray's operators that are used.
    """
    source = path.read_text(encoding="utf-8")
    silent = _silent_ranges(ast.parse(source))
    found: dict[str, Mutant] = {}
    for name, operator in _operators(operators):
        for occurrence, (node, start) in enumerate(_positions(source, operator)):
            if any(a <= start < b for a, b in silent) or _is_marker(node):
                continue
            changed = mutate_code(source, operator, occurrence)
            if changed is None or changed == source or not _compiles(changed):
                continue
            mutant = Mutant(module, start[0], name, source, changed)
            found.setdefault(mutant.key, mutant)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.change))


def _operators(patterns: Sequence[str]) -> Iterator[tuple[str, Operator]]:
    for name in operator_names():
        short = name.removeprefix("core/")
        if any(re.fullmatch(pattern, short) for pattern in patterns):
            yield short, get_operator(name)()
    yield ReplaceNameWithOpposite.__name__, ReplaceNameWithOpposite()


def _positions(source: str, operator: Operator) -> Iterator[tuple[object, Place]]:
    for node in ast_nodes(get_ast(source)):
        for start, _ in operator.mutation_positions(node):
            yield node, start


def _is_marker(node: object) -> bool:
    """Is it the ``*`` or ``/`` of a signature, which only looks like an operator?"""
    parent = getattr(node, "parent", None)
    return parent is not None and parent.type in ("parameters", "typedargslist", "param")


def _silent_ranges(tree: ast.Module) -> list[tuple[Place, Place]]:
    """Where a change cannot change a result: from each place up to the next."""
    nodes: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr):
            nodes.append(node)
        nodes.append(getattr(node, "annotation", None))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes.append(node.returns)
        nodes += getattr(node, "decorator_list", [])
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            nodes.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        for node in nodes
        if node is not None
    ]


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
