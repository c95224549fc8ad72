"""Templates: support of a web shop."""

from .topic import Opening, Topic

_PARCEL = Topic(
    openings=(
        Opening(
            ("Where is order {order}?", "Order {order} has not arrived", "Delivery of my {item} is delayed"),
            "Hi, I ordered a {item} on {date} (order {order}) and it still hasn't arrived. Where is it?",
            "I found order **{order}**. Here is where it is:\n\n"
            "1. Packed in our warehouse on {day}\n2. Handed to {carrier}\n"
            "3. Last scanned in **{city}**, {days} days ago\n\n"
            "It should reach you within two days. You can follow it on the [tracking page]"
            "(https://shop.example/track/{order}).",
        ),
        Opening(
            ("Parcel stuck in {city}", "Tracking of order {order} not updated"),
            "Tracking has said “in {city}” for {days} days now. Can you check order {order} please?",
            "Sorry about the wait! {carrier} had a delay in {city}. The new estimate is **{day}**.\n\n"
            "- If it has not come by then, I can send a replacement\n- or refund {amount} right away",
        ),
        Opening(
            ("{carrier} says delivered, but nothing came", "Order {order} marked as delivered"),
            "my parcel is marked delivered but i was home all day and nobody came. order no {order}",
            "That should not happen. I've asked {carrier} where the driver left it. In the meantime please look\n\n"
            "- with your neighbours,\n- at your usual *safe place*,\n- for a card in the letter box.\n\n"
            "If it hasn't turned up by **{day}**, I'll send another {item}.",
        ),
        Opening(
            ("Change delivery address for order {order}", "Wrong address on order {order}"),
            "I moved to {city} and forgot to change my address. Order {order} is not shipped yet, is it?",
            "You're in time: order **{order}** leaves on {day}. Send me the street, postcode and city and I'll "
            "change it.",
        ),
    ),
    more=(
        (
            "What happens if it is lost?",
            "We start a search with {carrier}, which takes up to {days} working days. You don't have to wait for "
            "it: we send a new {item} or refund **{amount}**, whichever you prefer.",
        ),
        (
            "Can it go to a pick-up point instead?",
            "Yes. The nearest one is at the station in {city}; they keep it for {days} days. Shall I do that?",
        ),
        (
            "Is it in stock in {colour}? Maybe I should order that one as well.",
            "In *{colour}* we have it in size {size}. Delivery takes {days} days.",
        ),
    ),
    call=(
        "get_shipment",
        {"order_id": "{order}", "include_events": True},
        {"order_id": "{order}", "carrier": "{carrier}", "last_scan": {"place": "{city}", "days_ago": 3}},
    ),
    steps=(
        ("Looking up order {order}", "Found a {item} in {colour}"),
        ("Asking {carrier} for the last scan", "Last scanned in {city}"),
        ("Checking the delivery policy", "A replacement is possible after 10 days"),
    ),
    card=("Order {order}", "{item}, {colour}", "On its way", "Expected on {day}"),
    link="https://shop.example/help/delivery",
    files=(("front-door.jpg", "image/jpeg"), ("tracking-{order}.pdf", "application/pdf")),
)

_RETURN = Topic(
    openings=(
        Opening(
            ("Exchange {item} for size {size}", "Return {item} – wrong size", "Return label for order {order}"),
            "The {item} I got is not the size I need. How do I exchange it for {size}?",
            "You can return the {item} free of charge:\n\n"
            "1. Print the label I have just e-mailed you\n2. Pack it with all its parts\n"
            "3. Bring it to any {carrier} point\n\nThe one in size **{size}** leaves as soon as it is scanned.",
        ),
        Opening(
            ("{item} arrived damaged", "Broken {item} in order {order}"),
            "My {item} arrived broken, see the photo. I'd like my {amount} back.",
            "I'm sorry it arrived like that. I've noted the damage on order {order}.\n\n"
            "| Option | When |\n|---|---|\n| Replacement in {colour} | {days} days |\n"
            "| Refund of {amount} | 3–5 days |\n\nThe refund is on its way, unless you would rather have another one.",
        ),
        Opening(
            ("Refund of {amount} still missing", "Refund for {item}", "Where is my refund?"),
            "I sent the {item} back {days} days ago and there is still no refund on my card ending {last4}.",
            "Your return arrived on {day} and the refund of **{amount}** was booked the same day. Banks take 3–5 "
            "working days to show it on the card ending {last4}.",
        ),
    ),
    more=(
        (
            "I lost the label, can I get a new one?",
            "Of course. [Here is a new label](https://shop.example/returns/{order}); the old one no longer works.",
        ),
        ("Do I have to use the original box?", "No, any sturdy box will do. Only gift cards can't be returned."),
        ("Can I get a voucher instead?", "Yes, and it is worth 10 % more. It would come by e-mail within an hour."),
    ),
    call=(
        "create_return",
        {"order_id": "{order}", "reason": "damaged", "refund": {"amount": "{amount}", "method": "card"}},
        {"return_id": "R-{case}", "label_url": "https://shop.example/returns/{order}", "carrier": "{carrier}"},
    ),
    steps=(
        ("Reading the return policy", "30 days, free of charge"),
        ("Creating a label", "Return R-{case}"),
    ),
    card=("Return R-{case}", "{item}", "Label sent", "Refund {amount}"),
    link="https://shop.example/help/returns",
    files=(("broken-{item}.jpg", "image/jpeg"), ("invoice-{order}.pdf", "application/pdf")),
)

SHOP = (_PARCEL, _RETURN)
