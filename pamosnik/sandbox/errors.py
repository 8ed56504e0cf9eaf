"""How Instagram says no: one exception, the refusals with a name, and their JSON.

Codes, subcodes and HTTP statuses: https://developers.facebook.com/documentation/business-messaging/
messenger-platform/error-codes and https://developers.facebook.com/docs/graph-api/guides/error-handling
as of October 2026, taken from our reference of the platform. Where no real response is known for a code, its
HTTP status is 400 by assumption, and the message texts are approximations: callers go by code and subcode.
"""

import secrets

from pamosnik.sandbox.things import Json


class GraphError(Exception):
    """A refused Graph call: what goes into `{"error": …}` and the HTTP status beside it."""

    def __init__(self, status: int, code: int, subcode: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.subcode = subcode
        self.message = message

    def body(self) -> Json:
        """The answer as Graph writes it, with a fresh trace id."""
        error: Json = {"message": self.message, "type": self._type(), "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}

    def headers(self) -> dict[str, str]:
        """OAuth failures name their scheme in a header."""
        if self.code != 190:
            return {}
        return {"www-authenticate": 'OAuth "Facebook Platform" "invalid_token"'}

    def _type(self) -> str:
        return (
            "OAuthException" if self.code in (190, 10, 200) and self.subcode != 2534022 else "IGApiException"
        )


class LoginError(Exception):
    """A refusal of `/oauth/access_token`, which has a shape of its own."""

    def body(self) -> Json:
        return {"error_type": "OAuthException", "code": 400, "error_message": str(self)}


def bad_parameter(message: str, subcode: int | None = None) -> GraphError:
    return GraphError(400, 100, subcode, f"(#100) {message}")


def missing_object(object_id: str) -> GraphError:
    return GraphError(
        400,
        100,
        33,
        f"Unsupported request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
    )


def unknown_path(path: str) -> GraphError:
    return GraphError(500, 2500, None, f"Unknown path components: {path}")


def unknown_field(name: str) -> GraphError:
    return bad_parameter(f"Tried accessing nonexisting field ({name})")


def token_invalid(subcode: int | None, message: str) -> GraphError:
    return GraphError(400, 190, subcode, message)


def scope_missing(scope: str) -> GraphError:
    return GraphError(403, 10, None, f"(#10) Application does not have permission for this action: {scope}")


def no_role(method: str) -> GraphError:
    return GraphError(400, 100, None, f"Unsupported request - method type: {method.lower()}")


def no_such_user() -> GraphError:
    return GraphError(400, 100, 2534014, "The requested user cannot be found.")


def outside_window() -> GraphError:
    return GraphError(403, 10, 2534022, "This message is sent outside of allowed window.")


def human_agent_not_approved() -> GraphError:
    return GraphError(
        403,
        10,
        None,
        "(#10) To use 'Human Agent', your use of this endpoint must be reviewed and approved by Facebook.",
    )


def person_unavailable() -> GraphError:
    return GraphError(400, 551, None, "(#551) This person isn't receiving messages from you right now.")


def message_access_off() -> GraphError:
    return GraphError(
        403, 200, 2534041, "(#200) The account owner has disabled access to instagram direct messages."
    )


def comment_not_eligible() -> GraphError:
    return GraphError(400, 100, 2534025, "The comment is invalid for a private reply.")


def consent_required() -> GraphError:
    return GraphError(400, 230, None, "(#230) User consent is required to access user profile.")


def message_gone() -> GraphError:
    return GraphError(400, 9000001, None, "The message has been deleted.")
