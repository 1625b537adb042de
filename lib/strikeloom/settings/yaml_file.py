"""The one reader of YAML: version 1.2, core schema, each value with its line.

PyYAML reads version 1.1, in which ``16:30`` is 990, ``010`` is 8, ``no`` and ``on`` are switches
(as keys too), ``2026-02-10`` is a date, ``1e5`` is text, and the last of two equal keys counts. Its
parser is kept here, with the resolvers of 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) and
without its other types; equal keys are refused. JSON files are read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from strikeloom.errors import SettingsError

_TAG = "tag:yaml.org,2002:"
#: Types of plain scalars, in the order in which they are tried; anything else is text.
_SCALARS = {
    "null": r"(?:~|null|Null|NULL|)",
    "bool": r"(?:true|True|TRUE|false|False|FALSE)",
    "int": r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)",
    "float": r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
}


@dataclass(frozen=True)
class YamlDocument:
    """What a file holds.

    Attributes
    ----------
    value
        Mappings, lists, text, numbers, switches and ``None``.
    """

    path: Path
    value: Any
    _root: yaml.Node | None = field(repr=False)

    def line(self, *keys: Any) -> int:
        """Line of the value at these keys and places, or of what should hold it."""
        node = self._at(keys)
        return node.start_mark.line + 1 if node else 1

    def where(self, *keys: Any) -> str:
        """File and line of a value, for a message."""
        return f"{self.path}, line {self.line(*keys)}"

    def written(self, *keys: Any) -> str | None:
        """Text of a value as it was written: ``0123``, not 123; ``None`` unless it is a scalar."""
        node = self._at(keys, nearest=False)
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _at(self, keys: Sequence[Any], *, nearest: bool = True) -> yaml.Node | None:
        """Node at these keys, or the last one on the way there."""
        node = self._root
        for key in keys:
            inside = _child(node, key)
            if inside is None:
                return node if nearest else None
            node = inside
        return node


def read_yaml(path: Path) -> YamlDocument:
    """Read a file.

    Raises
    ------
    SettingsError
        When the file cannot be read, is not YAML, or has a key twice; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", path=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{path}, line {line} is not UTF-8 text; save the file as UTF-8", path=str(path)
        ) from None
    try:
        loader = _CoreLoader(text)
        root = loader.get_single_node()
        value = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}" if mark else path
        problem = (error.problem or error.context or "").removeprefix("but ")
        raise SettingsError(f"{where} is not valid YAML: {problem}", path=str(path)) from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"{path} is not valid YAML: {reason}", path=str(path)) from None
    return YamlDocument(path, value, root)


def write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    """Write names and values with all text in quotes: YAML of either version reads the same."""
    text = yaml.dump(dict(values), Dumper=_Quoting, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


class _Quoting(yaml.SafeDumper):
    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar(f"{_TAG}str", data, style='"')


_Quoting.add_representer(str, _Quoting.represent_str)


def _child(node: yaml.Node | None, key: Any) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if _spells(name, key)), None)
    if isinstance(node, yaml.SequenceNode):
        number = re.fullmatch(r"line (\d+)", key) if isinstance(key, str) else None
        place = int(number[1]) - 1 if number else key
        return node.value[place] if isinstance(place, int) and place < len(node.value) else None
    return None


def _spells(node: yaml.Node, key: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == str(key)


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2 and without any other type."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own registry)
    yaml_constructors: ClassVar[dict[Any, Any]] = {
        _TAG + kind: yaml.SafeLoader.yaml_constructors[_TAG + kind]
        for kind in ("str", "seq", "map")
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Mapping of a node whose keys are all different."""
        first: dict[Any, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _mistake("a key is a list or a mapping", key_node)
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if key in first:
                raise _mistake(f"key {key!r} is set twice, first on line {first[key]}", key_node)
            first[key] = line
        return super().construct_mapping(node, deep=deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave ``<<`` a key: YAML 1.2 merges no mappings."""


def _mistake(text: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=node.start_mark)


def _scalar(_: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    """Value of a scalar that its resolver or its tag made a null, a switch or a number."""
    kind, text = node.tag.removeprefix(_TAG), node.value
    if not re.fullmatch(_SCALARS[kind], text):
        raise _mistake(f"{text!r} is no {kind}", node)
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if len(text) > 18:
            raise _mistake(f"{text[:18]}... has too many digits", node)
        case "int":
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            return int(text, base)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _unknown(_: yaml.SafeLoader, node: yaml.Node) -> Any:
    raise _mistake(f"tag {node.tag} is not allowed; write a plain value", node)


for _kind, _pattern in _SCALARS.items():
    _CoreLoader.add_implicit_resolver(_TAG + _kind, re.compile(rf"{_pattern}\Z"), None)
    _CoreLoader.add_constructor(_TAG + _kind, _scalar)
_CoreLoader.add_constructor(None, _unknown)
