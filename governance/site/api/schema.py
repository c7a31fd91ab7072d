"""What the OpenAPI schema says of the whole API: how a program logs in, how errors look, how a POST is repeated."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from governance.site.domain.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457). `detail` is a sentence for a person, `code` is stable.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 120},
    "description": "Sent again under the same key, the same call gets its first answer and changes nothing again.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library's own hook is untyped
    """Describes `governance.people.api.authentication.TokenAuthentication`."""

    target_class = "governance.people.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """`Authorization: Token wb_…`."""
        description = "`Token` and a token made by `manage.py create_token USER`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


def describe(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problem every operation may answer with, and the idempotency key of every POST."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {"description": "Refused.", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            operation["responses"]["default"] = answer
            if method == "post":
                operation.setdefault("parameters", []).append(KEY_PARAMETER)
    return result
