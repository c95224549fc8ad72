"""Templates: support of an airline."""

from .topic import Opening, Topic

_DISRUPTION = Topic(
    openings=(
        Opening(
            ("Flight {flight} cancelled – rebooking", "{flight} to {city} cancelled", "Rebook {booking}, please"),
            "{flight} to {city} was cancelled an hour ago. I need to be there by {day}. What are my options?",
            "I'm sorry about {flight}. For booking **{booking}** I can offer:\n\n"
            "| Flight | Leaves | Seats |\n|---|---|---|\n| {flight2} via {city2} | {day2}, {time} | {number} |\n"
            "| {flight3}, direct | {day2}, {time2} | 4 |\n\nBoth are free of charge. Which one suits you?",
        ),
        Opening(
            ("Missed connection in {city}", "{flight}: delay of {days} hours", "Stranded in {city}"),
            "We missed our connection in {city} because {flight} was late. Booking {booking}.",
            "You're on **{flight2}** at {time} now, both of you. Meals are on us until then: show this code at any "
            "counter by gate B: **`{hash}`**.",
        ),
        Opening(
            ("Delayed bag from {city}", "My suitcase is not in {city}", "Lost luggage, {flight}"),
            "My suitcase did not come out in {city}. Reference {booking}. What now?",
            "Your bag was found in **{city2}**. It flies on {flight2} tonight and a courier brings it to you.\n\n"
            "Keep receipts for what you need until then: we refund up to {amount}.",
        ),
    ),
    more=(
        (
            "A window seat if possible, please.",
            "Noted: **{flight2}**, seat **{seat}**. The new boarding pass is in the app.",
        ),
        (
            "Am I entitled to compensation?",
            "For a delay of more than three hours, usually yes: up to €600 by distance, unless the cause was "
            "extraordinary. [File the claim here](https://air.example/claims/{booking}); it takes two minutes.",
        ),
        ("Do you pay for a hotel?", "If you can't leave before tomorrow, yes. The desk by gate B has the vouchers."),
    ),
    call=(
        "search_rebooking",
        {"booking": "{booking}", "to": "{city}", "passengers": 2, "flexible": True},
        {"options": [{"flight": "{flight2}", "via": "{city2}"}, {"flight": "{flight3}", "via": None}]},
    ),
    steps=(
        ("Reading booking {booking}", "2 passengers, {city2} – {city}"),
        ("Searching other flights", "2 options on {day2}"),
        ("Checking passenger rights", "Rebooking is free; a hotel is due after 21:00"),
    ),
    card=("{flight2} to {city}", "Booking {booking}", "Confirmed", "{day2}, {time} · seat {seat}"),
    link="https://air.example/help/cancelled-flights",
    files=(("boarding-pass.png", "image/png"), ("receipts-{city}.pdf", "application/pdf")),
)

_BOOKING = Topic(
    openings=(
        Opening(
            ("Change name on booking {booking}", "Typo in passenger name"),
            "There is a typo in my surname on booking {booking}. Will they let me board?",
            "No problem: a typo of up to three letters is corrected free of charge. **{booking}** now shows the name "
            "as in your passport. *Please check in again*, an old boarding pass is no longer valid.",
        ),
        Opening(
            ("Add a bag to {flight}", "Second bag to {city}", "Baggage allowance on {flight}"),
            "How much is a second checked bag on {flight} to {city}?",
            "On {flight} a second bag of 23 kg costs **{amount}** online and 20 % more at the airport.",
        ),
        Opening(
            ("Travelling with a cat to {city}", "Pet in cabin, booking {booking}"),
            "Can I take my cat in the cabin to {city}? She weighs 4 kg.",
            "She can come along: up to 8 kg *with the carrier* (55 × 40 × 23 cm) travel in the cabin for "
            "**{amount}**. Two places for pets are left on {flight}.",
        ),
        Opening(
            ("Miles missing for {flight}", "Miles for booking {booking} not credited"),
            "I flew {flight} on {date} and the miles have not been credited.",
            "I've added them by hand: **2,140 miles** for {flight}. They show in your account tomorrow.",
        ),
    ),
    more=(
        ("And sports equipment?", "Skis and bikes travel for {amount2} each way; tell us at least 48 hours before."),
        ("Can I pay with miles?", "Yes, under *Manage booking → Extras*. One bag is 6,500 miles."),
    ),
    call=(
        "read_booking",
        {"booking": "{booking}", "include": ["fares", "extras"]},
        {"flight": "{flight}", "ticket": "220-{order}", "fare": "Flex"},
    ),
    steps=(("Reading booking {booking}", "Ticket 220-{order}"), ("Checking fare rules", "Changes allowed")),
    card=("Booking {booking}", "{city2} – {city}", "Confirmed", "{flight}, {date}"),
    link="https://air.example/help/baggage",
    files=(("passport.jpg", "image/jpeg"),),
)

AIRLINE = (_DISRUPTION, _BOOKING)
