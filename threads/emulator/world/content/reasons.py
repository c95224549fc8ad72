"""Templates: reasons for locked and closed threads.

Each entry is (reason, closing message of the assistant or None). Texts have `{placeholders}`.
"""

Reason = tuple[str, str | None]

_HANDED_OVER = "I'm handing you over to a colleague, who will write to you by e-mail. Your case number is **{case}**."
_STOPPED = "I can't continue this conversation. A colleague will look at it."

LOCKED: tuple[Reason, ...] = (
    ("Customer asked for a human agent; handed to tier 2 (case {case})", _HANDED_OVER),
    ("Escalated to {person} in the {city} team (case {case})", _HANDED_OVER),
    ("Identity check pending since {date}", "Before we go on, please finish the identity check in the app."),
    ("Abusive language towards staff – second warning given", _STOPPED),
    ("Chargeback opened for {amount}; billing to answer before anyone replies", None),
    ("Possible account takeover: sign-in from {city} while the customer is in {city2}", _STOPPED),
    ("Legal hold {case}", None),
    ("Waiting for documents from the customer (reminder on {date})", "Please upload the documents; I'll go on then."),
    ("Rate limit: more than 40 messages within an hour", None),
    (
        "Payment dispute over {amount} (case {case}). The customer contests the amount on three grounds: the item was "
        "returned on {date}, the return was confirmed by e-mail, and the first refund was booked to a card that has "
        "since expired. Finance is checking with the bank; do not promise a date. Reopen only after {person} has "
        "signed off, and link the bank's reply to the case first.",
        _HANDED_OVER,
    ),
)

CLOSED: tuple[Reason, ...] = (
    ("Resolved: refund of {amount} confirmed by the customer", "Glad that's settled! I'm closing this conversation."),
    ("Resolved", "Great, then I'm closing this conversation. Write again any time."),
    ("Duplicate of case {case}", "You have another open conversation about this, so I'm closing this one."),
    ("No answer from the customer for 14 days", None),
    ("GDPR erasure request received on {date}; keep closed until done", None),
    ("Spam", None),
    ("Account deleted at the customer's request ({date})", "Your account is deleted, as you asked. All the best!"),
    ("Moved to phone support, callback on {day} at {time}", "{person} will call you on {day} at {time}."),
    (
        "Resolved after a call with {person} on {date}: the replacement was delivered, the customer keeps the voucher "
        "of {amount} for the trouble, and both duplicate orders were cancelled before they left the warehouse. Nothing "
        "is left to do on our side. If the customer writes again about the same order, see case {case} for the whole "
        "story, including the photos and the carrier's answer, before offering anything else.",
        "Thank you for your patience. I'm closing this conversation now.",
    ),
)
