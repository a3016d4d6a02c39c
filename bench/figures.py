"""Figures as tables, and where they were measured."""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

Row = Mapping[str, Any]


def options(about: str | None) -> argparse.ArgumentParser:
    """A parser with what every bench takes."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=about)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    return parser


def machine() -> str:
    """The machine in general terms, and how busy it is."""
    busy = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load {busy:.1f}, {platform.system()}, Python {platform.python_version()}"


def p50(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else p50(values)


def show(title: str, rows: Sequence[Row]) -> None:
    """A table; the first row's keys are its columns."""
    print(f"\n{title}")
    if not rows:
        print("  nothing")
        return
    cells = [list(rows[0]), *([_cell(row.get(name)) for name in rows[0]] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    for line in cells:
        print(
            "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)), flush=True
        )


def keep(out: Path | None, name: str, rows: Sequence[Row]) -> None:
    """Write the figures where that was asked for."""
    if out:
        out.write_text(
            json.dumps({"bench": name, "machine": machine(), "figures": list(rows)}, indent=2) + "\n"
        )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "")
