"""What did it run on, and how much memory did it take?

Memory is the most that was resident at once, in MB (10^6 bytes). On Linux it is read from /proc, because the figure of
`getrusage` there includes what the parent held when it started the process.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("ghostnote", "onnxruntime", "onnxruntime-gpu", "numpy")
PACKAGES = Path(__file__).parents[2]
"""The folder that the packages lie in, which a process in another folder must be told of."""


def describe_machine(cuda: bool = False) -> str:
    """Processor, cores that may be used, system and, with `cuda`, the graphics cards: one line."""
    parts = [f"{_processor()}, {usable_cores()} cores", f"{platform.system()} {platform.release()}"]
    return "; ".join([*_graphics_cards(), *parts] if cuda else parts)


def environment() -> dict[str, str]:
    """For processes that import our packages from any folder."""
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def describe_versions() -> str:
    """Of Python and of the packages that do the work: one line."""
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # a checkout that is not installed, or the other build of the runtime
            continue
    return ", ".join(found)


def measured_on(versions: str) -> str:
    """What figures rest on, in sentences: the machine, versions, and how busy it is now, where the system says so."""
    load = load_average()
    busy = "" if load is None else f" Load while measuring: {load:.1f}."
    return f"Machine: {describe_machine()}. {versions}.{busy}"


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float | None:
    """How many processes wanted a core in the last minute; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def peak_memory(pid: int | None = None) -> float | None:
    """The most memory that a process has held, in MB; None where the system does not say.

    Args:
        pid: of the process; None is this one, the only one that systems other than Linux tell of.
    """
    status = Path(f"/proc/{pid or 'self'}/status")
    if status.is_file():
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)
        return int(found[1]) * 1024 / 1e6 if found else None
    return _own_peak_memory() if pid is None else None


def _own_peak_memory() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _graphics_cards() -> list[str]:
    try:
        answer = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]
