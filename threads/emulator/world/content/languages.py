"""Templates in other languages than English."""

from .topic import Opening, Topic

_GERMAN = Topic(
    openings=(
        Opening(
            ("Paket hängt seit {days} Tagen fest", "Änderung der Lieferadresse – Bestellung {order}"),
            "Guten Tag, meine Bestellung {order} ist immer noch nicht da. Können Sie bitte nachsehen?",
            "Ich habe Bestellung **{order}** gefunden:\n\n- verpackt und übergeben\n- zuletzt in {city} erfasst\n\n"
            "Sie sollte in **{days} Tagen** bei Ihnen sein.",
        ),
        Opening(
            ("Rückerstattung für Bestellung {order}", "Überweisung von {amount} nicht angekommen"),
            "Ich habe den Artikel zurückgeschickt, aber die {amount} sind noch nicht auf meinem Konto.",
            "Die Rückzahlung über **{amount}** ist veranlasst. Je nach Bank dauert sie 3–5 Werktage.",
        ),
    ),
    more=(
        ("Kann ich das schriftlich haben?", "Gerne, die Bestätigung kommt gleich per E-Mail (Vorgang {case})."),
        ("Und wenn etwas verloren geht?", "Dann schicken wir Ihnen kostenlos Ersatz oder erstatten den Betrag."),
    ),
    call=("get_shipment", {"order_id": "{order}", "locale": "de"}, {"status": "unterwegs", "ort": "{city}"}),
    steps=(("Bestellung {order} suchen", "Gefunden"), ("Beim Zusteller nachfragen", "Zuletzt in {city}")),
    card=("Bestellung {order}", "{amount}", "Unterwegs", "in {days} Tagen"),
    link="https://shop.example/de/hilfe/lieferung",
    files=(("Rechnung-{order}.pdf", "application/pdf"),),
    thanks=("Vielen Dank, das hilft mir!", "Gern geschehen, einen schönen Tag noch."),
    also="Noch etwas:",
)

_ARABIC = Topic(
    openings=(
        Opening(
            ("أين طلبي رقم {order}؟", "تغيير عنوان التوصيل للطلب {order}"),
            "مرحبًا، لم يصل طلبي رقم {order} حتى الآن. هل يمكنكم المساعدة؟",
            "مرحبًا! وجدت الطلب **{order}**:\n\n- تم التغليف والشحن\n- آخر موقع: {city}\n\nسيصل خلال **{days} أيام**.",
        ),
        Opening(
            ("استرداد مبلغ {amount}",),
            "أعدت المنتج قبل {days} أيام ولم أستلم المبلغ بعد.",
            "تمت الموافقة على استرداد **{amount}**، وسيظهر في حسابك خلال 3 إلى 5 أيام عمل.",
        ),
    ),
    more=(("هل يمكنني تغيير العنوان؟", "نعم، أرسل لي العنوان الجديد وسأقوم بتحديثه."),),
    call=("get_shipment", {"order_id": "{order}", "locale": "ar"}, {"status": "قيد التوصيل", "city": "{city}"}),
    steps=(("البحث عن الطلب {order}", "تم العثور عليه"),),
    card=("الطلب {order}", "{amount}", "قيد التوصيل", "خلال {days} أيام"),
    link="https://shop.example/ar/help",
    thanks=("شكرًا جزيلًا", "على الرحب والسعة!"),
    also="سؤال آخر:",
)

_CHINESE = Topic(
    openings=(
        Opening(
            ("订单 {order} 还没有收到", "查询订单 {order}"),
            "您好,我的订单 {order} 已经 {days} 天没有更新了,请帮我查一下。",
            "您好!订单 **{order}** 的状态如下:\n\n1. 已出库\n2. 正在运送,最近到达 {city}\n\n预计 **{days} 天**内送达。",
        ),
        Opening(
            ("航班 {flight} 取消后如何改签?", "申请退款 {amount}"),
            "航班 {flight} 取消了,可以免费改签吗?或者退款 {amount}?",
            "可以的。我已为您查询到 {flight2},{time} 起飞,*免费改签*。需要我现在为您办理吗?",
        ),
    ),
    more=(("请帮我确认一下。", "已确认,确认号 **{booking}**。"), ("退款多久到账?", "一般 3 到 5 个工作日。")),
    call=("get_shipment", {"order_id": "{order}", "locale": "zh"}, {"status": "运送中", "city": "{city}"}),
    steps=(("查询订单 {order}", "已找到"), ("联系承运人", "最近到达 {city}")),
    card=("订单 {order}", "{amount}", "运送中", "{days} 天内送达"),
    link="https://shop.example/zh/help",
    thanks=("谢谢!", "不客气,祝您生活愉快。"),
    also="还有一个问题:",
)

LANGUAGES = (_GERMAN, _GERMAN, _ARABIC, _CHINESE)
