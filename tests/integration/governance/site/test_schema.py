"""What the schema says of the API as a whole."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator

from governance.site.api.schema import KEY_PARAMETER, PROBLEM, describe


def test_every_operation_may_answer_with_a_problem_and_every_post_takes_a_key() -> None:
    operations: dict[str, Any] = {
        "get": {"responses": {"200": {}}},
        "post": {"responses": {"201": {}}, "parameters": []},
    }
    result = describe({"components": {}, "paths": {"/x/": operations}}, None, None, True)
    problem = {
        "description": "Refused.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    assert result == {
        "components": {"schemas": {"Problem": PROBLEM}},
        "paths": {
            "/x/": {
                "get": {"responses": {"200": {}, "default": problem}},
                "post": {"responses": {"201": {}, "default": problem}, "parameters": [KEY_PARAMETER]},
            }
        },
    }


def test_programs_log_in_with_a_token() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert schema["components"]["securitySchemes"]["token"] == {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token` and a token made by `manage.py create_token USER`.",
    }
