"""Templates: support of team software."""

from .topic import Opening, Topic

_SIGNING = (
    "Sign the **raw body**, before any parsing. In short:\n\n```python\nimport hashlib, hmac\n\n"
    "def is_ours(body: bytes, signature: str, secret: bytes) -> bool:\n"
    "    mine = hmac.new(secret, body, hashlib.sha256).hexdigest()\n"
    "    return hmac.compare_digest(mine, signature)\n```\n\nSee also the "
    "[webhook guide](https://docs.saas.example/webhooks)."
)
_TECHNICAL = Topic(
    openings=(
        Opening(
            ("{tool} integration stopped syncing", "Import from {tool} stuck at {percent} %", "{tool} sync broken"),
            "Since {day} the {tool} integration doesn't sync any more. Nothing changed on our side.",
            "The token for {tool} **expired on {day}**. To renew it:\n\n"
            "1. Open `Settings → Integrations → {tool}`\n2. Choose *Reconnect*\n3. Start a sync by hand once\n\n"
            "Events of the last {days} days are kept and will be delivered then.",
        ),
        Opening(
            ("API returns {error}", "{error} on POST /v2/events", "Errors since {day}: {error}"),
            "We get `{error}` from `POST /v2/events` about {percent} times an hour. Request id {hash}.",
            "Thanks for the request id. `{hash}` was stopped by our gateway in {region} because its body was larger "
            "than **1 MB**. Send at most 500 events in one call.",
        ),
        Opening(
            ("Webhook signature does not verify in {lang}", "Webhooks: signatures never match"),
            "How do I verify webhook signatures in {lang}? Ours never match.",
            _SIGNING,
        ),
        Opening(
            ("SSO login loop after certificate change", "Nobody can sign in via SSO"),
            "We changed our SAML certificate on {day} and now everybody is sent round in circles.",
            "The identity provider signs with the new certificate, and your workspace still trusts the old one. "
            "Upload the new one under `Security → SSO`; **owners can sign in by password** meanwhile.",
        ),
        Opening(
            ("Export of {number},000 rows times out", "Report export fails"),
            "Exporting {number},000 rows as CSV always times out after a minute.",
            "Exports of that size run in the background: choose *E-mail me a link*. It takes about {days} minutes.",
        ),
    ),
    more=(
        (
            "It still says “pending”.",
            "I see the job `{hash2}`: it is at **{percent2} %** and will be done in about {number2} minutes.",
        ),
        (
            "Is there a limit on how often we may call the API?",
            "Yes: 600 requests a minute on *{plan}*, with bursts of 50. Look at the `x-ratelimit-remaining` header "
            "and wait when it reaches 0.",
        ),
        (
            "Can we get the data as a nightly export?",
            "On {plan} and above: `Reports → Schedule`. Files arrive as CSV in your bucket at {time} UTC.",
        ),
    ),
    call=(
        "inspect_workspace",
        {"integration": "{tool}", "request_id": "{hash}", "depth": 3},
        {"state": "degraded", "since": "{day}", "queued_events": 1284, "region": "{region}"},
    ),
    steps=(
        ("Searching the logs for {hash}", "{number} matching lines"),
        ("Comparing with the incident list", "No open incident in {region}"),
        ("Reading the documentation", "2 pages fit"),
    ),
    card=("{tool}", "Last sync on {day}", "Needs attention", "{percent} % of events delivered"),
    link="https://docs.saas.example/integrations",
    files=(("console-log.txt", "text/plain"), ("har-{hash}.json", "application/json")),
)

_ACCOUNT = Topic(
    openings=(
        Opening(
            ("Upgrade to {plan} mid-month", "Price of the {plan} plan", "Add {number} seats"),
            "We want to move to {plan} with {number} seats today. What do we pay for {month}?",
            "You pay by the day: for the rest of {month} that is **{amount}** for {number} seats, and nothing is "
            "charged twice. The upgrade takes effect at once.",
        ),
        Opening(
            ("Invoice for {month} has the wrong VAT number", "Reissue invoice of {month}"),
            "The invoice for {month} ({amount}) shows our old VAT number. Can you reissue it?",
            "I've corrected the number. The new invoice is under [Billing](https://saas.example/billing) and replaces "
            "no. {order}.",
        ),
        Opening(
            ("Transfer workspace from {person}", "Owner has left the company"),
            "{person} has left the company. How do I take over the workspace?",
            "I've written to the address on the contract. Once they confirm, you become the **owner**; boards that "
            "were private to {person} stay private until then.",
        ),
    ),
    more=(
        ("Can we go back later?", "At any renewal. What is above the smaller plan's limit becomes **read-only**."),
        ("Do guests count as seats?", "No, up to {number2} guests are free on {plan}."),
    ),
    call=(
        "preview_invoice",
        {"plan": "{plan}", "seats": 24, "prorate": True},
        {"due_now": "{amount}", "invoice": "{order}"},
    ),
    steps=(("Reading the contract", "{plan}, yearly"), ("Calculating the pro-rata amount", "{amount}")),
    card=("{plan} plan", "{number} seats", "Active", "Next invoice: {amount}"),
    link="https://saas.example/help/billing",
    files=(("invoice-{month}.pdf", "application/pdf"),),
)

SAAS = (_TECHNICAL, _ACCOUNT)
