"""Authentication: the API key and the beta header."""

from .replies import ApiError, Request


def masked(key: str) -> str:
    """The key as the API's error messages show it, mostly asterisks."""
    if len(key) < 12:
        return "*" * len(key)
    return key[:8] + "*" * (len(key) - 12) + key[-4:]


def wrong_key(key: str) -> ApiError:
    """The error for an unknown key."""
    message = (
        f"Incorrect API key provided: {masked(key)}. "
        "You can find your API key at https://platform.openai.com/account/api-keys."
    )
    return ApiError(401, message, code="invalid_api_key")


def missing_scopes() -> ApiError:
    """The error for a valid key without the required permission: 401, as the API has it."""
    message = (
        "You have insufficient permissions for this operation. Missing scopes: api.chatkit.threads.read. "
        "Check that you have the correct role in your organization and project, and if you're using "
        "a restricted API key, that it has the necessary scopes."
    )
    return ApiError(401, message)


def bearer(request: Request) -> str:
    """The bearer token of the request, or an empty string."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def check_key(request: Request, expected: str | None) -> None:
    """Raises ApiError unless the request has a valid key.

    Without `expected` every key is valid, except those with the prefix `sk-wrong` or `sk-scopes`.
    """
    key = bearer(request)
    if not key:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using "
            "Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        raise ApiError(401, message)
    if expected is None and key.startswith("sk-scopes"):
        raise missing_scopes()
    if key.startswith("sk-wrong") if expected is None else key != expected:
        raise wrong_key(key)


def check_beta(request: Request) -> None:
    """Raises ApiError unless the request has the ChatKit beta header."""
    names = (name.strip() for name in request.headers.get("openai-beta", "").split(","))
    if "chatkit_beta=v1" not in names:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the ChatKit API. "
            "Please try again by setting the header 'OpenAI-Beta: chatkit_beta=v1'."
        )
        raise ApiError(400, message, code="invalid_beta")
