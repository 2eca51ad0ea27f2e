"""GET /api/v1/docs: the calls for people to read, made from the OpenAPI document. Plain HTML without any script."""

from collections.abc import Mapping
from html import escape
from typing import Any

import orjson

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; overflow-wrap: anywhere }
h2 code { font-size: 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #8884 }
td { overflow-wrap: anywhere }
details { margin-top: .5rem }
pre { overflow: auto; max-height: 24rem; padding: .75rem; background: #8881 }
.method { font-weight: 600; margin-right: .5rem }
"""


def page(document: Mapping[str, Any]) -> str:
    """The page of an OpenAPI document."""
    title = escape(f"{document['info']['title']} v{document['info']['version']}")
    calls = [
        (path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    listed = "".join(
        f'<li><a href="#{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></a>'
        f" {escape(operation['summary'])}</li>"
        for path, method, operation in calls
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main><h1>{title}</h1>'
        f"<p>{escape(document['info']['description'])} For programs: "
        '<a href="/api/v1/openapi.json">openapi.json</a>. Every call needs <code>Authorization: Bearer &lt;token&gt;'
        f"</code>, or a proxy that says who asks.</p><ul>{listed}</ul>"
        f"{''.join(_call(*call, document) for call in calls)}</main></body></html>"
    )


def _call(path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    parameters = "".join(
        f'<tr><th scope="row"><code>{escape(each["name"])}</code></th>'
        f"<td>{escape(each.get('description', 'in the path'))}</td><td>{_values(each['schema'])}</td></tr>"
        for each in operation["parameters"]
    )
    body = operation.get("requestBody")
    return (
        f'<section aria-labelledby="{operation["operationId"]}"><h2 id="{operation["operationId"]}">'
        f'<span class="method">{method.upper()}</span><code>{escape(path)}</code></h2>'
        f"<p>{escape(operation['summary'])}</p>"
        + (f"<table><tbody>{parameters}</tbody></table>" if parameters else "")
        + (_schema("Body", _resolved(body["content"], document)) if body else "")
        + _schema("Answer", operation["responses"]["200"]["content"])
        + "</section>"
    )


def _values(schema: Mapping[str, Any]) -> str:
    if "default" in schema:
        return f"default <code>{escape(str(schema['default']))}</code>"
    return escape(", ".join(map(str, schema.get("enum", ()))))


def _resolved(content: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = content["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return {"application/json": {"schema": document["components"]["schemas"][name] if name else schema}}


def _schema(title: str, content: Mapping[str, Any]) -> str:
    # The first way in which it is written; a table says the same.
    text = orjson.dumps(next(iter(content.values()))["schema"], option=orjson.OPT_INDENT_2).decode()
    return f'<details><summary>{title}</summary><pre tabindex="0">{escape(text)}</pre></details>'
