"""Cache of compiled code, keyed by sources, libraries and processor, so that it is never stale.

numba checks the size and time of one file only; here a folder is named by a digest of the text of
every source, the libraries, and the processor with its features. One process may read it while
others write. If the installation cannot be written, the user's own cache is used; without either,
the code lasts as long as the process.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_lock = threading.RLock()
_temporary: dict[str, Path] = {}
_ready: dict[str, Any] = {}


def import_kernels(name: str, sources: Sequence[str]) -> Any:
    """Import ``strikeloom.quant.<name>``, a module of functions compiled with ``cache=True``.

    Parameters
    ----------
    name : str
        Name of the module below ``strikeloom.quant``, such as ``smile.sequence``.
    sources : sequence of str
        Names, likewise, of all modules whose functions end up in its code, itself among them.

    Raises
    ------
    ImportError
        Where there is no numba, or one that does not work.
    """
    module = f"strikeloom.quant.{name}"
    if module in _ready:  # not sys.modules, which has what another thread is still importing
        return _ready[module]
    import numba

    config: Any = numba.config
    with _lock:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache_folder(sources))
        try:
            _ready[module] = importlib.import_module(module)
            return _ready[module]
        finally:
            config.CACHE_DIR = before


def cache_folder(sources: Sequence[str]) -> Path:
    """Folder of the compiled code of those modules on this processor; created if missing."""
    name = f"kernels-{_digest(sources)}"
    for home in _homes():
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home / name):
                return home / name
        except OSError:
            continue
    with _lock:
        if name not in _temporary:
            _temporary[name] = Path(tempfile.mkdtemp(prefix="strikeloom-"))
            atexit.register(shutil.rmtree, _temporary[name], ignore_errors=True)
        return _temporary[name]


def _digest(sources: Sequence[str]) -> str:
    import llvmlite
    import numba
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

    config: Any = numba.config
    parts = [str(_HERE), sys.version, numba.__version__, llvmlite.__version__]
    parts += [get_host_cpu_name(), get_host_cpu_features().flatten()]
    parts += [str(config.CPU_NAME), str(config.CPU_FEATURES), str(config.OPT)]
    for source in sources:
        file = _HERE.joinpath(*source.split(".")).with_suffix(".py")
        # the time too, because numba throws away what is older than the file it belongs to
        parts += [str(file.stat().st_mtime_ns), file.read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _homes() -> Iterator[Path]:
    """Possible parent folders of the cache, the most local first; none that others can write."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given)
    yield _HERE / "__pycache__"
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        yield Path(home) / "strikeloom"
    try:
        yield Path.home() / ".cache" / "strikeloom"
    except RuntimeError:  # a user without a home
        return
