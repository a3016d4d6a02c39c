"""GET /docs: the API's description as a page of our own. It runs no script and loads nothing, from nowhere."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

Schema = Mapping[str, Any]

router = APIRouter(include_in_schema=False)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 } summary small { opacity: .75 }
details > div { margin: 0 0 1rem 1.2rem }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884 }
code { font: .92em ui-monospace, monospace } b.method { display: inline-block; min-width: 4.2rem }
"""
_SIGN_IN = (
    "Send <code>Authorization: Bearer</code> with a token or an API key. Everything as JSON: "
    "<a href=/openapi.json>/openapi.json</a>."
)


@router.get("/docs")
async def reference(request: Request) -> HTMLResponse:
    """Every call with its parameters, body and answers."""
    return HTMLResponse(
        _page(request.app.openapi()),
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
    )


def _page(description: Schema) -> str:
    tags: dict[str, list[str]] = {}
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            tags.setdefault(call["tags"][0], []).append(_call(method, path, call))
    about = description["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(about['title'])} API</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(about['title'])} {escape(about['version'])}</h1><p>{escape(about['description'])}<p>{_SIGN_IN}",
    ]
    for tag, shown in tags.items():
        parts += [f"<h2>{escape(tag.capitalize())}</h2>", *shown]
    parts.append("<h2>Shapes</h2>")
    parts += (_shape(name, schema) for name, schema in description["components"]["schemas"].items())
    return "\n".join(parts)


def _call(method: str, path: str, call: Schema) -> str:
    rows = [*_parameters(call), *_bodies(call)]
    answers = [(status, _answer(answer)) for status, answer in call["responses"].items()]
    name = f"<b class=method>{method.upper()}</b> <code>{escape(path)}</code>"
    inside = (_table(("Name", "Where", "Type", ""), rows) if rows else "") + _table(("Answer", ""), answers)
    said = escape(call.get("description", ""))
    return f"<details><summary>{name} <small>{said}</small></summary><div>{inside}</div></details>"


def _parameters(call: Schema) -> Iterator[tuple[str, ...]]:
    for one in call.get("parameters", ()):
        needed = one["in"] + (", required" if one.get("required") else "")
        yield _code(one["name"]), needed, _type(one["schema"]), escape(one.get("description", ""))


def _bodies(call: Schema) -> Iterator[tuple[str, ...]]:
    for kind, content in call.get("requestBody", {}).get("content", {}).items():
        yield "body", escape(kind), _type(content.get("schema", {})), ""


def _answer(answer: Schema) -> str:
    shapes = [
        _type(content["schema"]) for content in answer.get("content", {}).values() if content.get("schema")
    ]
    return escape(answer.get("description", "")) + (f": {', '.join(shapes)}" if shapes else "")


def _shape(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    rows = [
        (
            _code(field),
            _type(one),
            "required" if field in required else "",
            escape(one.get("description", "")),
        )
        for field, one in schema.get("properties", {}).items()
    ]
    inside = _table(("Field", "Type", "", ""), rows) if rows else f"<p>{_type(schema)}"
    said = escape(schema.get("description", ""))
    return (
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code> <small>{said}</small></summary>"
        f"<div>{inside}</div></details>"
    )


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several]))
    if "enum" in schema:
        return " | ".join(_code(one) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(" ".join(str(schema[word]) for word in ("type", "format") if word in schema) or "anything")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"<tr>{''.join(f'<th>{cell}' for cell in head)}"]
    lines += (f"<tr>{''.join(f'<td>{cell}' for cell in row)}" for row in rows)
    return f"<table>{''.join(lines)}</table>"


def _code(text: object) -> str:
    return f"<code>{escape(str(text))}</code>"
