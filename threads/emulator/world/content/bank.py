"""Templates: support of a banking app."""

from .topic import Opening, Topic

_CARD = Topic(
    openings=(
        Opening(
            (
                "I don't recognise a payment of {amount}",
                "Dispute: {merchant}, {amount}",
                "Charged twice by {merchant}",
                "Unknown payment to {merchant}",
            ),
            "There is a payment of {amount} to {merchant} on my account that I never made. What do I do?",
            "I can see the payment of **{amount}** on {date}. If it wasn't you:\n\n"
            "1. I block the card ending **{last4}** now\n2. You confirm the dispute in the app\n"
            "3. We credit the amount while we look into it, usually within {days} days\n\nI've opened the dispute.",
        ),
        Opening(
            ("Card ending {last4} declined", "Card declined in {city}", "Can't pay in {city}"),
            "My card ending {last4} was declined in {city} although there is money in the account.",
            "Your card ending **{last4}** is working again. The payment in *{city}* was stopped by our fraud filter, "
            "because it was far from your usual places. You can announce a trip under `Settings → Cards → Travel`.",
        ),
        Opening(
            ("Block my card – lost in {city}", "Lost card", "New card has not come yet"),
            "I think I lost my card in {city}. Please block it, it ends in {last4}.",
            "The card ending {last4} is **blocked**. A new one arrives in about {days} days; your phone can pay "
            "with it at once.",
        ),
    ),
    more=(
        (
            "Will I get the money back if it was fraud?",
            "If the dispute is decided for you, the credit of {amount} stays.\n\n"
            "> You'll hear from us by {date} at the latest.",
        ),
        ("Does a new card have the same PIN?", "Yes. The number and the expiry date change, the PIN stays."),
        (
            "Are my standing orders affected?",
            "No, they run on the account. Only *subscriptions* paid by card need the new number.",
        ),
    ),
    call=(
        "freeze_card",
        {"card": {"last4": "{last4}"}, "reason": "unrecognised_payment", "notify": True},
        {"status": "frozen", "replacement": {"eta_days": 5, "case": "D-{case}"}},
    ),
    steps=(
        ("Checking recent payments", "One payment of {amount} does not fit the pattern"),
        ("Checking the card's status", "Last used in {city} on {day}"),
        ("Opening a dispute", "Case D-{case}"),
    ),
    card=("Card •••• {last4}", "Dispute D-{case}", "Frozen", "Disputed: {amount}"),
    link="https://bank.example/help/disputes",
    files=(("receipt.jpg", "image/jpeg"), ("statement-{month}.pdf", "application/pdf")),
)

_TRANSFER = Topic(
    openings=(
        Opening(
            ("Transfer of {amount} not received", "Where is my transfer?", "Payment to a friend missing"),
            "I sent {amount} to a friend on {day} and it has not arrived. Where is my money?",
            "The transfer of **{amount}** left your account on {day} and was accepted by the other bank. "
            "It can take *two working days* to show there, since weekends don't count.",
        ),
        Opening(
            ("IBAN typed wrong – can I recall it?", "Recall a transfer of {amount}"),
            "I mistyped one digit of the IBAN in a transfer of {amount}. Can you get it back?",
            "I've asked the other bank to return **{amount}** (recall no. {case}). Please note:\n\n"
            "- they need the recipient's consent\n- it takes up to {number} days\n- a fee may be taken off",
        ),
        Opening(
            ("Identity check keeps failing", "Can't verify my identity", "Passport photo rejected"),
            "The app says my identity check failed again. I have tried {days} times. What is wrong?",
            "The photo of the passport was too dark. Three things help:\n\n- daylight, no flash\n"
            "- all four corners in the picture\n- the newest version of the app",
        ),
        Opening(
            ("Raise my daily limit", "Limit too low for a payment of {amount}"),
            "I need to pay {amount} by {day} and the app says it is over my limit.",
            "You can raise it yourself under `Payments → Limits`. For your safety the change takes effect after "
            "**4 hours**.",
        ),
    ),
    more=(
        (
            "Can I get this in writing?",
            "Certainly. The confirmation is in your [inbox](https://bank.example/inbox) as a PDF.",
        ),
        ("Does an instant transfer cost anything?", "No, instant transfers up to {amount2} are free of charge."),
    ),
    call=(
        "find_transfer",
        {"amount": "{amount}", "weekday": "{day}"},
        {"transfer_id": "T{order}", "state": "settled", "reference": "{hash}"},
    ),
    steps=(("Looking for the transfer", "T{order}, settled"), ("Checking limits", "Daily limit not reached")),
    card=("Transfer T{order}", "{amount}", "Settled", "On {day}"),
    link="https://bank.example/help/transfers",
    files=(("passport-scan.pdf", "application/pdf"), ("error-message.png", "image/png")),
)

BANK = (_CARD, _TRANSFER)
