"""The published shapes of the ChatKit threads API, as JSON Schemas.

Written from OpenAI's OpenAPI document of August 2026. Nothing may be missing and nothing more may
be there, except that item types come with and without their `chatkit.` prefix, as they do live.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
ID: Schema = {"type": "string", "minLength": 1}
ID_OR_NULL: Schema = {"type": ["string", "null"], "minLength": 1}
UNIX_SECONDS: Schema = {"type": "integer", "minimum": 0}


def exactly(**properties: Schema) -> Schema:
    """An object with these properties, all of them and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def either(*schemas: Schema) -> Schema:
    """Exactly one of these."""
    return {"oneOf": list(schemas)}


def one_of(*values: str) -> Schema:
    """One of these strings."""
    return {"enum": list(values)}


def many(schema: Schema) -> Schema:
    """A list, possibly empty."""
    return {"type": "array", "items": schema}


STATUS = either(
    exactly(type=one_of("active")),
    exactly(type=one_of("locked", "closed"), reason=TEXT_OR_NULL),
)

THREAD = exactly(
    id=ID,
    object=one_of("chatkit.thread"),
    created_at=UNIX_SECONDS,
    title=TEXT_OR_NULL,
    status=STATUS,
    user={"type": "string", "minLength": 1, "maxLength": 512},
)

DELETED = exactly(id=ID, object=one_of("chatkit.thread.deleted"), deleted={"const": True})

ATTACHMENT = exactly(type=one_of("image", "file"), id=ID, name=TEXT, mime_type=TEXT, preview_url=TEXT_OR_NULL)

INFERENCE_OPTIONS: Schema = {
    "anyOf": [
        {"type": "null"},
        exactly(tool_choice={"anyOf": [{"type": "null"}, exactly(id=ID)]}, model=TEXT_OR_NULL),
    ]
}

ANNOTATION = either(
    exactly(type=one_of("file"), source=exactly(type=one_of("file"), filename=TEXT)),
    exactly(type=one_of("url"), source=exactly(type=one_of("url"), url=TEXT)),
)

JSON_TEXT: Schema = {"type": "string", "contentMediaType": "application/json"}
TASK_TYPE = one_of("custom", "thought")


def item(name: str, /, **own: Schema) -> Schema:
    """An item of the type `name`: what all items share, and its own fields."""
    return exactly(
        id=ID,
        object=one_of("chatkit.thread_item"),
        created_at=UNIX_SECONDS,
        thread_id=ID,
        type=one_of(name, f"chatkit.{name}"),
        **own,
    )


ITEM = either(
    item(
        "user_message",
        content=many(exactly(type=one_of("input_text", "quoted_text"), text=TEXT)),
        attachments=many(ATTACHMENT),
        inference_options=INFERENCE_OPTIONS,
    ),
    item(
        "assistant_message",
        content=many(exactly(type=one_of("output_text"), text=TEXT, annotations=many(ANNOTATION))),
    ),
    item("widget", widget=JSON_TEXT),
    item(
        "client_tool_call",
        status=one_of("in_progress", "completed"),
        call_id=ID,
        name=TEXT,
        arguments=JSON_TEXT,
        output={"anyOf": [{"type": "null"}, JSON_TEXT]},
    ),
    item("task", task_type=TASK_TYPE, heading=TEXT_OR_NULL, summary=TEXT_OR_NULL),
    item("task_group", tasks=many(exactly(type=TASK_TYPE, heading=TEXT_OR_NULL, summary=TEXT_OR_NULL))),
)


def page(row: Schema) -> Schema:
    """A page of such rows."""
    return exactly(
        object=one_of("list"),
        data={**many(row), "maxItems": 100},
        first_id=ID_OR_NULL,
        last_id=ID_OR_NULL,
        has_more={"type": "boolean"},
    )


THREAD_PAGE = page(THREAD)
ITEM_PAGE = page(ITEM)
ERROR = exactly(error=exactly(message=TEXT, type=TEXT, param=TEXT_OR_NULL, code=TEXT_OR_NULL))
