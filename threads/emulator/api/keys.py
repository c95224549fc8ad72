"""Who may call: the key and the beta header."""

from .replies import ApiError, Request


def masked(key: str) -> str:
    """The key as the API repeats it: most of it is stars."""
    if len(key) < 12:
        return "*" * len(key)
    return key[:8] + "*" * (len(key) - 12) + key[-4:]


def wrong_key(key: str) -> ApiError:
    """The error for a key that the API does not know."""
    message = (
        f"Incorrect API key provided: {masked(key)}. "
        "You can find your API key at https://platform.openai.com/account/api-keys."
    )
    return ApiError(401, message, code="invalid_api_key")


def missing_scopes() -> ApiError:
    """The error for a key that may not do this: 401, though the key is right."""
    message = (
        "You have insufficient permissions for this operation. Missing scopes: api.chatkit.threads.read. "
        "Check that you have the correct role in your organization and project, and if you're using "
        "a restricted API key, that it has the necessary scopes."
    )
    return ApiError(401, message)


def bearer(request: Request) -> str:
    """The key that came with the request; empty when none did."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def check_key(request: Request, expected: str | None) -> None:
    """Raises ApiError unless the request carries a right key. Without `expected` any key is right,
    except those that begin with `sk-wrong` or `sk-scopes`.
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
    """Raises ApiError unless the request asks for the ChatKit beta."""
    names = (name.strip() for name in request.headers.get("openai-beta", "").split(","))
    if "chatkit_beta=v1" not in names:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the ChatKit API. "
            "Please try again by setting the header 'OpenAI-Beta: chatkit_beta=v1'."
        )
        raise ApiError(400, message, code="invalid_beta")
