"""A made-up letter with everything in it, to look at any template by."""

from datetime import timedelta
from decimal import Decimal

from mailbot.act.letter import Letter
from mailbot.model.decision import ReturnPostage, Settlement
from mailbot.model.money import Money
from mailbot.steps.app import App


def sample_letter(app: App, template: str, language: str) -> Letter:
    """A letter to a made-up customer of this shop."""
    shop, now = app.settings.shop, app.now()
    today = now.astimezone(shop.zone).date()
    items, fee = (Money.rounded(Decimal(amount), shop.currency) for amount in (80, -3))
    nothing = Money.zero(shop.currency)
    return Letter(
        template=template,
        language=language,
        shop_name=shop.name,
        support_address=shop.support_address,
        zone=shop.zone,
        policy_url=shop.policy_url,
        care_guide_url=shop.care_guide_url,
        faq_url=shop.faq_url,
        return_address=shop.return_address or "Returns\n1 Example Street",
        case_number="RF-000123",
        subject="My order",
        customer_name="Jane Doe",
        order_number="AW-10231",
        missing=("order_number", "invoice"),
        clauses=tuple(list(app.judgement.policy.clauses.values())[5:7]),
        settlement=Settlement(
            items=items,
            outbound_shipping=nothing,
            transaction_fee=fee,
            already_refunded=nothing,
            cap_adjustment=nothing,
            refund=items + fee,
            return_postage=ReturnPostage.CUSTOMER,
        ),
        refund=items + fee,
        reply_by=now + timedelta(hours=48),
        refund_by=now + timedelta(hours=48),
        refund_within=timedelta(hours=48),
        dispatch_by=today + timedelta(days=7),
        received_on=today - timedelta(days=4),
        window_ended_on=today - timedelta(days=1),
        paid_on=today,
        status="escalated",
        inspection_note="The clasp is scratched.",
        code="XXXXXXXX",
        text="Thank you for your patience. This is what an operator would write.",
    )
