"""Whether a mail reads like the receipt of somebody's ticket system that no header marks: weak evidence, by its words.

Another shop's desk that sends receipts for our letters would otherwise be answered in turn.
"""

import re

from mailbot.model.mail import InboundMail

_SUBJECT = re.compile(
    r"[\s\[(<*\"'\u3010\u300c~-]{0,8}(?:"
    r"(?:support |your )?(?:ticket|case|request|enquiry|inquiry) (?:received|created|opened|confirmation)"
    r"|(?:your )?(?:ticket|case|request|enquiry|inquiry) has been (?:received|created|opened)"
    r"|(?:support )?ticket #?\[?[\w-]{1,20}\]?:? (?:received|created|opened)"
    r"|we(?: have|'ve) received your (?:e-?mail|message|request|enquiry|inquiry|ticket)"
    r"|eingangsbest[äa]tigung|ihre anfrage ist (?:bei uns )?eingegangen"
    r"|wir haben ihre (?:anfrage|nachricht|e-?mail) erhalten"
    r"|accus[ée] de r[ée]ception|nous avons bien re[çc]u votre (?:message|demande|e-?mail)"
    r"|acuse de recibo|hemos recibido (?:su|tu) (?:solicitud|mensaje|correo|consulta)"
    r"|conferma di ricezione|abbiamo ricevuto (?:la )?(?:sua|tua) (?:richiesta|e-?mail)"
    r"|ontvangstbevestiging|wij hebben uw (?:bericht|e-?mail|aanvraag) ontvangen"
    r"|confirma[çc][ãa]o de rece[pb]"
    r"|recebemos (?:o|a) (?:seu|sua) (?:pedido de|mensagem|e-?mail|solicita|contacto|contato)"
    r"|potwierdzenie (?:otrzymania|przyj[ęe]cia) (?:wiadomo|zg[łl]osz)"
    r"|otrzymali[śs]my (?:pa[ńn]stwa|twoj[ąe]) (?:wiadomo|zg[łl]osz)"
    r"|お問い?合わせ(?:を受け?付け|ありがとう)|受付完了|(?:我们)?已收到您的(?:邮件|请求|咨询)|您的(?:邮件|请求|工单)已(?:收到|受理|创建))",
    re.IGNORECASE,
)
_NOUN = r"(?:message|reply|response|e-?mail|mail|notification|acknowledg\w{2,8}|confirmation|answer)"
_SAYS_MACHINE = re.compile(
    r"(?:^|[.!\n\u3002*(\[]) {0,3}(?:"
    rf"(?:please note:? |note:? )?this is an? (?:automated|automatic|auto|automatically[ -]generated)[ -]{_NOUN}"
    rf"|(?:please note:? |note:? )?this {_NOUN} (?:is|was|has been) (?:automatically (?:generated|sent|created)"
    r"|(?:generated|sent|created) automatically|automated)"
    r"|(?:this (?:mailbox|address|inbox) is|replies to this (?:mailbox|address) are) not monitored"
    r"|dies ist eine automatisch(?:e| (?:generierte|erzeugte|erstellte|versandte)) (?:antwort|nachricht|e-?mail)"
    r"|diese (?:antwort|nachricht|e-?mail) (?:ist|wurde) automatisch (?:generiert|erzeugt|erstellt|versandt|verschickt)"
    r"|ceci est un (?:message|e-?mail|courriel) automatique"
    r"|(?:cet e-?mail|ce message) (?:est automatique|(?:a [ée]t[ée]|est) (?:g[ée]n[ée]r[ée]|envoy[ée]) automatiquement)"
    r"|[ée]ste es un (?:mensaje|correo) autom[áa]tico"
    r"|este (?:mensaje|correo) (?:es autom[áa]tico|(?:ha sido|se ha|fue) (?:generado|enviado) autom[áa]ticamente)"
    r"|questo [èe] un messaggio automatico"
    r"|(?:questa e-?mail|questo messaggio) [èe] (?:automatic[oa]|stat[ao] (?:generat|inviat)[ao] automaticamente)"
    r"|dit is een automatisch(?: gegenereerd)? (?:bericht|antwoord)"
    r"|(?:deze e-?mail|dit bericht) is automatisch (?:gegenereerd|verzonden|aangemaakt)"
    r"|esta [ée] uma (?:mensagem|resposta) autom[áa]tica"
    r"|est[ae] (?:mensagem|e-?mail) foi (?:gerad|enviad)[ao] automaticamente"
    r"|to jest (?:automatyczna wiadomo|wiadomo[śs][ćc] (?:wygenerowana )?automat)"
    r"|(?:ta |niniejsza )?wiadomo[śs][ćc] (?:zosta[łl]a )?(?:wygenerowana|wys[łl]ana) automat"
    r"|この(?:メール|メッセージ)(?:は|に)[^\n]{0,10}(?:自動(?:送信|配信|返信)|システムより)"
    r"|(?:此|本)(?:邮件|信息|消息)(?:由|为|是)[^\n]{0,6}(?:自动|系统))",
    re.IGNORECASE,
)
"""How a text says of itself that nobody wrote it."""
_LONGEST = 1_500
"""Beyond, a customer may have pasted a machine's mail into their own."""


def find_receipt(mail: InboundMail) -> str | None:
    """Why a mail looks like a ticket system's receipt; ``None`` where it does not.

    It takes two signs of three: a subject that only receipts have; a short text that says of itself, not in a quote,
    that a machine wrote it; that it answers something.
    """
    subject, text = _SUBJECT.match(mail.subject), mail.plain or ""
    if subject and mail.in_reply_to:
        return "the subject is a ticket system's receipt"
    if (subject or mail.in_reply_to) and len(text) <= _LONGEST and _SAYS_MACHINE.search(_unquoted(text)):
        return "the text says that a machine wrote it"
    return None


def _unquoted(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith((">", "|")))
