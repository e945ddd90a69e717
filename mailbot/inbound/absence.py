"""Whether a mail reads like an absence notice that no header marks: weak evidence, by its subject or its whole text."""

import re

from mailbot.model.mail import InboundMail

_PHRASES = (
    r"auto(?:matic|mated)?[\s_-]?(?:reply|response|responder|answer)|vacation (?:reply|response|notice|message)"
    r"|automatische (?:antwort|abwesenheits\w{4,12})|automatisch (?:antwoord|bericht)"
    r"|r[ée]ponse automatique|respuesta autom[áa]tica|resposta autom[áa]tica|risposta automatica|autosvar"
    r"|automatiskt? svar|automaattinen vastaus|automatyczna odpowied[źz]|odpowied[źz] automatyczna|autoodpowied[źz]"
    r"|automatick[áa] odpov[ěe][ďd]|automatikus v[áa]lasz|r[ăa]spuns automat|otomatik (?:yan[\u0131i]t|cevap)"
    r"|samodejni odgovor|automatski odgovor|автоматический ответ|автоответ|автоматична відповідь"
    r"|автоматичен отговор|αυτόματη απάντηση|自動応答|自動返信|自動回答|自动答复|自动回复|自動回覆|자동 회신|자동 응답"
    r"|out[\s-]of[\s-](?:the[\s-])?office|away from (?:the|my) (?:office|desk)"
    r"|(?:i am|i'm) out of (?:the )?office"
    r"|abwesenheits?(?:notiz|assistent|meldung|benachrichtigung)|nicht im b[üu]ro|ich bin (?:im urlaub"
    r"|nicht im b[üu]ro)"
    r"|absen[ct]e? du bureau|absent\(e\) du bureau|message d'absence|fuera de (?:la )?oficina|estoy de vacaciones"
    r"|fora do escrit[óo]rio|aus[êe]ncia tempor[áa]ria|fuori (?:sede|ufficio)|afwezigheids(?:bericht|melding)"
    r"|niet op kantoor|fr[åa]nvaromeddelande|frav[æa]rsmelding|ikke p[åa] kontoret|poza biurem|mimo kancel[áa][řr]"
    r"|вне офиса|不在通知|不在のお知らせ|外出中|外出通知|부재중"
)
_SHORT = (
    r"auto|ooo|oof|abwesend|abwesenheit|absence|absent|absente|en congés?|ausente|ausencia|aus[êe]ncia"
    r"|assenza|assente|in ferie|afwezig|fr[åa]nvaro|frav[æa]r|ikke til stede|poissa|nieobecno[śs][ćc]|nieobecn[ya]"
    r"|отсутствует|в отпуске|不在|休假"
)
_SUBJECT = re.compile(
    rf"[\s\[(<*\"'{{\u3010\u300c~-]{{0,8}}(?:(?:{_PHRASES})\s{{0,3}}(?:$|[:!\uff1a\u2013\u2014\])*\"'\u3011\u300d-]"
    r"|(?:auto[\s-]?reply|notification|notice|message|until|till|re|fwd?|aw|wg|tr|rv)\b)"
    rf"|(?:{_SHORT})\s{{0,3}}(?:[:\uff1a\])\u3011]|re:|自动))",
    re.IGNORECASE,
)
"""How absence notices' subjects begin: a phrase, or a short word with a colon or in brackets."""

_SHORT_SUBJECT = re.compile(rf"\s*(?:{_SHORT})[\s.!]*", re.IGNORECASE)

_AWAY = re.compile(
    r"(?:i am|i'm|i will be|we are)(?: currently| presently| now)? "
    r"(?:out of (?:the )?office|away|on (?:\w+ )?(?:leave|vacation|holidays?))"
    r"|(?:ich bin|wir sind)[^.\n]{0,40} (?:nicht im (?:b[üu]ro|haus)|im urlaub|abwesend|au(?:ß|ss)er haus)"
    r"|je suis[^.\n]{0,40} (?:absente?|en (?:cong[ée]s?|vacances)|hors du bureau)"
    r"|(?:estoy|estar[ée]|me encuentro)[^.\n]{0,40} (?:fuera de (?:la )?oficina|de vacaciones|ausente)"
    r"|(?:sono|sar[òo])[^.\n]{0,40} (?:fuori (?:ufficio|sede)|in ferie|assente)"
    r"|ik ben[^.\n]{0,40} (?:afwezig|niet (?:op kantoor|aanwezig)|met vakantie|op vakantie)"
    r"|(?:estou|estarei)[^.\n]{0,40} (?:fora do escrit[óo]rio|de f[ée]rias|ausente)"
    r"|(?:jestem|b[ęe]d[ęe]|przebywam)[^.\n]{0,40} (?:poza biurem|nieobecn[ya]|na urlopie)"
    r"|(?:休暇|不在|外出)[^。\n]{0,20}(?:おります|いたします|です)|(?:正在休假|不在办公室|外出期间|目前休假)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:return(?:ing)?|back (?:on|in|at)|until|limited access|no access|as soon as i|upon my return|urgent)\b"
    r"|\b(?:zur[üu]ck|wieder (?:da|erreichbar|im)|bis (?:zum|einschlie)|in dringenden|nach meiner r[üu]ckkehr)\b"
    r"|de retour|jusqu'au|en cas d'urgence|[àa] mon retour|regres[oa]|hasta el|en caso de urgencia|a mi vuelta"
    r"|rientr|fino al|in caso di urgenz|terug|tot en met|dringend|retorn|at[ée] (?:o )?dia|em caso de urg"
    r"|wracam|wr[óo]c[ęe]|do dnia"
    r"|まで|戻り|返信いたします|返回|回来|紧急",
    re.IGNORECASE,
)
_BUSINESS = re.compile(
    r"refund|\border(?:ed)? (?:number|no|#|[A-Z]{0,4}-?\d)|return (?!on|to|in|the office)|cancel|invoice|parcel"
    r"|bestell|rechnung"
    r"|r[üu]cksend|erstatt|stornier|rembours|commande|facture|pedido|reembols|factura|ordine|rimbors|fattura"
    r"|bestelling"
    r"|terugbetal|factuur|encomenda|fatura|zam[óo]wieni|zwrot|faktur|注文|返金|返品|订单|退款|发票",
    re.IGNORECASE,
)
"""What a customer writes about, and no absence notice does."""
_OPENING = 700
_LONGEST_NOTICE = 1_500


def find_absence(mail: InboundMail) -> str | None:
    """Why a mail looks like an absence notice; ``None`` where it does not.

    A text counts only where it is short, answers something, says both that its writer is away and when that ends,
    and asks nothing.
    """
    if _SUBJECT.match(mail.subject):
        return "the subject begins like an absence notice"
    text = (mail.plain or "")[: _LONGEST_NOTICE + 1]
    if _SHORT_SUBJECT.fullmatch(mail.subject) and _AWAY.search(text[:_OPENING]):
        return "subject and text are an absence notice's"
    if not mail.in_reply_to or not text or len(text) > _LONGEST_NOTICE or "?" in text or "\uff1f" in text:
        return None
    if _BUSINESS.search(text):
        return None
    opening = text[:_OPENING]
    return "the text is an absence notice's" if _AWAY.search(opening) and _BACK.search(opening) else None
