"""CSV files of a folder or of tar archives, read one by one without unpacking."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from strikeloom.errors import BadFile


def csv_names(path: Path) -> set[str]:
    """Names of the CSV files. Raises as ``csv_files``."""
    names: set[str] = set()

    def collect(name: str) -> bool:
        names.add(name)
        return False

    for _ in csv_files(path, collect):
        pass
    return names


def csv_files(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the CSV files that are wanted.

    Parameters
    ----------
    path : pathlib.Path
        An archive, or a folder with CSV files and archives anywhere below it.

    Raises
    ------
    BadFile
        When the path is neither, or an archive cannot be read.
    """
    if not path.is_dir():
        yield from _archived(path, wanted)
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.suffix == ".csv" and wanted(name):
            yield name, file.read_bytes()
        elif ".tar" in file.suffixes:
            yield from _archived(file, wanted)


def _archived(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".csv") and wanted(member.name):
                    content = archive.extractfile(member)
                    if content is not None:
                        yield member.name, content.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BadFile(
            f"{path} is neither a folder of recorded chains nor a readable tar archive "
            f"({getattr(error, 'strerror', None) or type(error).__name__}); give one of them after "
            "recorded:",
            path=str(path),
        ) from error
