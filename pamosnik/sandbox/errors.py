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

    def __init__(
        self, status: int, code: int, subcode: int | None, message: str, *, transient: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient
        self.code = code
        self.subcode = subcode
        self.message = message
        # usage of a limit that is used up
        self.extra_headers: dict[str, str] = {}

    def body(self) -> Json:
        """The answer as Graph writes it, with a fresh trace id."""
        error: Json = {"message": self.message, "type": self._type(), "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}

    def headers(self) -> dict[str, str]:
        """OAuth failures name their scheme in a header."""
        if self.code not in (102, 190):
            return self.extra_headers
        return {"www-authenticate": 'OAuth "Facebook Platform" "invalid_token"'} | self.extra_headers

    def _type(self) -> str:
        login = self.code in (102, 190, 10, 200) and self.subcode != 2534022
        return "OAuthException" if login else "IGApiException"

    def localised(self) -> "GraphError":
        """The same refusal as an account set to Portuguese reads it: only code and subcode can be relied on."""
        text = f"(#{self.code}) Não foi possível concluir a solicitação. Tente novamente mais tarde."
        return GraphError(self.status, self.code, self.subcode, text, transient=self.transient)


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


def unknown_alias(name: str) -> GraphError:
    """A word, such as a username, where an id has to be."""
    return GraphError(400, 803, None, f"(#803) Some of the aliases you requested do not exist: {name}")


def unknown_path(path: str) -> GraphError:
    return GraphError(500, 2500, None, f"Unknown path components: {path}")


def unknown_field(name: str) -> GraphError:
    return bad_parameter(f"Tried accessing nonexisting field ({name})")


def token_invalid(subcode: int | None, message: str) -> GraphError:
    return GraphError(400, 190, subcode, message)


def scope_missing(scope: str) -> GraphError:
    return GraphError(403, 10, None, f"(#10) Application does not have permission for this action: {scope}")


def no_role(method: str) -> GraphError:
    """Also the answer to an address that does not exist, or not for this method."""
    return GraphError(400, 100, None, f"Unsupported request - method type: {method.lower()}")


def too_many_calls(code: int) -> GraphError:
    """613 has a subcode of its own for this API; 4 is the app's limit, 80002 Instagram's use-case limit."""
    messages = {
        4: "(#4) Application request limit reached",
        613: "(#613) Calls to this api have exceeded the rate limit.",
        80002: "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.",
    }
    return GraphError(400, code, 2534040 if code == 613 else None, messages[code])


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


def not_thread_owner() -> GraphError:
    return GraphError(400, 100, 2534037, "(#100) Another app controls this thread now.")


def comment_not_eligible() -> GraphError:
    return GraphError(400, 100, 2534025, "The comment is invalid for a private reply.")


def consent_required() -> GraphError:
    return GraphError(400, 230, None, "(#230) User consent is required to access user profile.")


def message_gone() -> GraphError:
    return GraphError(400, 9000001, None, "The message has been deleted.")
