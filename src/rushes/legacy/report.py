"""What a step found, as a page that needs nothing else: charts are inline SVG, there is no script."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c22;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%;font-size:.9em}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top;word-break:break-word}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.ok{color:#0a6b3d}.bad{color:#a3142b}
svg text{font:13px system-ui,sans-serif;fill:currentColor}svg rect{fill:#5b6ee1}
@media(prefers-color-scheme:dark){body{color:#e8e8ee;background:#16161c}td,th{border-color:#333}
.ok{color:#5fd39b}.bad{color:#ff8095}svg rect{fill:#8a9aff}}
"""
_LINE = 22


def page(title: str, parts: Iterable[str]) -> str:
    """An HTML page of these parts, which are HTML already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )


def chart(title: str, counts: Mapping[str, int]) -> str:
    """A bar for each count, the largest first; nothing for none."""
    if not counts:
        return ""
    most = max(1, *counts.values())
    bars = []
    for place, (name, count) in enumerate(sorted(counts.items(), key=lambda one: (-one[1], one[0]))):
        y = place * _LINE
        width = max(1, round(380 * count / most))
        bars.append(
            f'<text x="0" y="{y + 15}">{escape(name)}</text><rect x="230" y="{y + 3}" height="15" rx="2" '
            f'width="{width}"/><text x="{width + 238}" y="{y + 15}">{count:,}</text>'
        )
    height = len(counts) * _LINE
    return (
        f'<h2>{escape(title)}</h2><svg role="img" aria-label="{escape(title)}" viewBox="0 0 720 {height}" '
        f'width="100%">{"".join(bars)}</svg>'
    )


def grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; nothing for no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape('' if value is None else str(value))}</td>"


def verification_report(found: Mapping[str, Any]) -> str:
    """`rushes legacy verify`."""
    right = found["right"]
    verdict = "Every old row is right." if right else "Some rows differ."
    by = found["by"]
    return page(
        "Takeover: verify",
        [
            f'<p class="{"ok" if right else "bad"}"><strong>{verdict}</strong> '
            f"{sum(found['rows'].values()):,} rows compared in {found['seconds']:,.1f} s.</p>",
            grid(
                "Old rows and their jobs",
                ("table", "rows", "jobs"),
                [(name, rows, found["jobs"].get(name, 0)) for name, rows in found["rows"].items()],
            ),
            chart("Differences by field", found["different"]),
            grid(
                "Differences",
                ("table", "row", "field", "should be", "is"),
                [
                    tuple(one[key] for key in ("table", "row", "field", "wanted", "found"))
                    for one in found["differences"]
                ],
            ),
            chart("By type", summed(by, "type")),
            chart("By status", summed(by, "status")),
        ],
    )


def inspection_report(found: Mapping[str, Any]) -> str:
    """`rushes legacy inspect`."""
    by = found["by"]
    objects = found["objects"]
    return page(
        "Takeover: inspect",
        [
            f"<p>{found['rows']:,} rows to take over; migrate will take about "
            f"{found['estimate']['migrate_seconds'] / 60:,.1f} minutes. Nothing was changed.</p>",
            grid("To know first", ("",), [(words,) for words in found["problems"]]),
            grid(
                "Tables",
                ("table", "rows", "bytes", "missing columns", "added columns"),
                [
                    (name, one["rows"], one["bytes"], ", ".join(one["missing"]), ", ".join(one["added"]))
                    for name, one in found["tables"].items()
                ]
                + [(name, "absent", "", "", "") for name in found["absent"]],
            ),
            chart("What the rows become: type", summed(by, "type")),
            chart("What the rows become: status", summed(by, "status")),
            chart("How the type was found", found["rules"]),
            chart("Anomalies", found["anomalies"]),
            grid(
                "Anomalies, for instance",
                ("anomaly", "rows", "for instance"),
                [
                    (name, count, ", ".join(found["examples"][name]))
                    for name, count in found["anomalies"].items()
                ],
            ),
            chart("Files by what is known of them", found["files"]),
            chart(
                "Objects in the storage",
                {"found": objects["found"], "missing": objects["missing"]} if objects else {},
            ),
            grid("By month", ("month", "rows"), list(found["months"].items())),
        ],
    )


def transfer_report(found: Mapping[str, Any]) -> str:
    """`rushes legacy migrate`."""
    by = found.get("by", [])
    return page(
        "Takeover: migrate",
        [
            f"<p>{found['rows']:,} rows looked at, {found['written']:,} jobs written, {found['followed']:,} changes "
            f"followed, in {found['seconds']:,.1f} s. {found.get('jobs', 0):,} jobs are from the old tables now.</p>",
            chart("Rows by table", found["tables"]),
            chart("By type", summed(by, "type")),
            chart("By status", summed(by, "status")),
            chart("Anomalies", found.get("anomalies", {})),
        ],
    )


def files_report(found: Mapping[str, Any]) -> str:
    """`rushes legacy files`."""
    return page(
        "Takeover: files",
        [
            f"<p>{found['stored']:,} files stored ({found['bytes'] / 1e6:,.1f} MB) in {found['seconds']:,.1f} s; "
            f"{found['stored_before']:,} were stored before.</p>",
            chart(
                "Files",
                {"stored": found["stored"] + found["stored_before"], "not to be had": found["failed"]},
            ),
            chart("Why not", found["reasons"]),
            grid(
                "Files that can't be had",
                ("table", "row", "file", "reason"),
                [tuple(one[key] for key in ("table", "row", "slot", "reason")) for one in found["failures"]],
            ),
        ],
    )


def summed(by: Iterable[Mapping[str, Any]], key: str) -> dict[str, int]:
    """Counts added up by one of their keys."""
    counts: dict[str, int] = {}
    for one in by:
        counts[one[key]] = counts.get(one[key], 0) + one["count"]
    return counts
