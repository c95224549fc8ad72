"""Templates: support of a hosting company."""

from .topic import Opening, Topic

_SITE = Topic(
    openings=(
        Opening(
            ("{domain} is down: {error}", "Shop offline since {time}", "Disk {percent} % full on {region}"),
            "{domain} shows “{error}” since {time}. Please help, we are losing orders!",
            "I checked `{domain}` from three regions:\n\n- DNS resolves to **{ip}**\n"
            "- the server answers with `{error}`\n- the disk in {region} is **full**\n\n"
            "The oldest logs can go: `journalctl --vacuum-time=7d`. I've grown the disk by 20 GB for a day, free of "
            "charge, so that you are back at once.",
        ),
        Opening(
            ("SSL certificate for {domain} expired", "Certificate renewal fails"),
            "Our certificate for {domain} ran out and the automatic renewal fails.",
            "The renewal fails because a CAA record forbids our authority. Add this one and renew again:\n\n"
            '```\n{domain}.  IN  CAA  0 issue "letsencrypt.org"\n```\n\nDetails are in '
            "[our guide](https://host.example/docs/caa).",
        ),
        Opening(
            ("Restore backup of {day}", "Deleted a table by mistake"),
            "I deleted a table by mistake. Can you restore the backup of {day}?",
            "I've put the backup of {day}, {time} UTC, *beside* your database as `restore_{hash}`. Copy the table from "
            "there; nothing was overwritten.",
        ),
        Opening(
            ("E-mail from {domain} lands in spam", "SPF and DKIM for {domain}"),
            "Everything we send from {domain} goes to spam. Support said it is DNS?",
            "Two records are missing:\n\n| Type | Name | Value |\n|---|---|---|\n"
            "| TXT | `{domain}` | `v=spf1 include:mail.host.example ~all` |\n"
            "| CNAME | `k1._domainkey` | `k1.mail.host.example` |",
        ),
    ),
    more=(
        ("Has it reached all regions?", "Yes, {domain} answers with `200 OK` in {region} and everywhere else."),
        (
            "How do I hear of it before my customers do?",
            "Set an alert: `Monitoring → Alerts`. For disks I'd take **80 %**, for certificates 14 days.",
        ),
        (
            "How do I move to {lang}?",
            'Change `runtime` in `app.toml` and deploy to a *preview* first:\n\n```toml\nruntime = "{lang}"\n```',
        ),
    ),
    call=(
        "probe_site",
        {"host": "{domain}", "from": ["{region}", "us-east-2"], "checks": ["dns", "tls", "http"]},
        {"dns": "{ip}", "tls": "valid until {date}", "http": "{error}", "disk_percent": 97},
    ),
    steps=(
        ("Probing {domain}", "{error} from {region}"),
        ("Reading the server's log", "{number} lines since {time}"),
        ("Looking for a backup", "One of {day}, complete"),
    ),
    card=("{domain}", "{ip} in {region}", "Degraded", "Since {time} UTC"),
    link="https://host.example/docs/status",
    files=(("nginx-error.log", "text/plain"), ("dns-zone.txt", "text/plain")),
)

HOSTING = (_SITE,)
