"""Structure as checks: no import cycles, and composition instead of inheritance chains."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"
#: Trees in which a class inherits from a protocol or a base at most.
COMPOSED = ("strikeloom.exchange",)
#: Bases that make an enumeration or an error; such families may be deeper.
EXEMPT = {"StrEnum", "IntEnum", "Enum", "Exception", "BaseException"}


def _module(path: Path) -> str:
    parts = path.relative_to(LIB).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _trees() -> dict[str, ast.Module]:
    files = sorted((LIB / "strikeloom").rglob("*.py"))
    return {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def _is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _executed_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a module is imported, those inside blocks included."""
    for node in body:
        if _is_type_checking(node):
            continue
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _executed_at_import(getattr(node, name, []))


def _imports(tree: ast.Module, modules: set[str]) -> set[str]:
    """Modules of the package that a module imports when it is imported itself."""
    found: set[str] = set()
    for node in _executed_at_import(tree.body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            # a package that only hands out its modules is not needed for its own content
            found |= inside
            if len(inside) < len(node.names):
                found.add(node.module)
    return found & modules


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_modules_import_each_other_in_one_direction() -> None:
    trees = _trees()
    graph = {name: _imports(tree, set(trees)) for name, tree in trees.items()}
    assert _cycle(graph) == []


def test_a_cycle_is_found() -> None:
    first = ast.parse("if True:\n    from strikeloom.b import x\n")
    second = ast.parse("try:\n    import strikeloom.a\nfinally:\n    pass\n")
    typed = ast.parse("if TYPE_CHECKING:\n    import strikeloom.a\n")
    late = ast.parse("def f():\n    import strikeloom.a\n")
    names = {"strikeloom.a", "strikeloom.b"}
    for tree, cyclic in ((second, True), (typed, False), (late, False)):
        graph = {"strikeloom.a": _imports(first, names), "strikeloom.b": _imports(tree, names)}
        assert bool(_cycle(graph)) == cyclic


def _bases(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Names of the bases of each class."""
    return {
        node.name: [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def _ancestors(name: str, bases: dict[str, list[str]]) -> list[str]:
    """The longest chain of bases of a class, nearest first."""
    chains = ([base, *_ancestors(base, bases)] for base in bases.get(name, []))
    return max(chains, key=len, default=[])


def _chains(bases: dict[str, list[str]], names: list[str]) -> dict[str, list[str]]:
    """Classes with a base that itself has a base, and that chain; protocols do not count."""
    protocols = {name for name, own in bases.items() if "Protocol" in own} | {"Protocol"}
    chains = {
        name: [base for base in _ancestors(name, bases) if base not in protocols]
        for name in names
        if name not in protocols
    }
    return {
        name: chain for name, chain in chains.items() if len(chain) > 1 and not EXEMPT & set(chain)
    }


def test_classes_of_the_exchange_are_composed() -> None:
    trees = _trees()
    names = [
        node.name
        for module, tree in trees.items()
        if module.startswith(COMPOSED)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    assert _chains(_bases(trees), names) == {}


def test_a_chain_is_found() -> None:
    text = "class A(Protocol): ...\nclass B(A): ...\nclass C(B): ...\n"
    text += "class D(StrEnum): ...\nclass E(C): ...\nclass F(Protocol): ...\n"
    bases = _bases({"m": ast.parse(text)})
    assert _chains(bases, list(bases)) == {"E": ["C", "B"]}
