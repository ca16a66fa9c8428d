"""The pages a person sees on the stand-in: checkout, portal, invoice, receipt, and the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

from tests.stripe_fake.subscriptions import ENDED, period_end
from tests.stripe_fake.wire import Json
from tests.stripe_fake.world import SHARED_CLOCK, World

STYLE = """
:root{color-scheme:light dark;--fg:#1a1f36;--bg:#f6f8fa;--card:#fff;--line:#d9dee6;--quiet:#5a6378;--go:#4f46e5}
@media(prefers-color-scheme:dark){:root{--fg:#eceef4;--bg:#14161d;--card:#1d2029;--line:#343948;--quiet:#a4abbd;
--go:#6d66f0}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:40rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.5rem;margin:.5rem 0}
h2{font-size:1.05rem;margin:0 0 .75rem}section{background:var(--card);border:1px solid var(--line);
border-radius:12px;padding:1.25rem;margin:1rem 0}p{margin:.4rem 0}.quiet{color:var(--quiet);font-size:.875rem}
.mark{display:inline-block;background:#b45309;color:#fff;border-radius:99px;padding:.1rem .7rem;font-size:.8rem}
label{display:flex;gap:.6rem;align-items:center;min-height:2.5rem}label.text{display:block}
input[type=text],select{width:100%;padding:.6rem;border:1px solid var(--line);border-radius:8px;font:inherit;
background:var(--bg);color:var(--fg)}button{background:var(--go);color:#fff;border:0;border-radius:8px;
padding:.65rem 1.1rem;font:inherit;font-weight:600;cursor:pointer;margin:.25rem .25rem .25rem 0}
button.quiet{background:none;color:var(--fg);border:1px solid var(--line)}a{color:inherit}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.4rem .4rem .4rem 0;
border-top:1px solid var(--line);vertical-align:top}.error{background:#b91c1c;color:#fff;border-radius:8px;
padding:.6rem .9rem}form.row{display:inline}
"""
CHOICES = (
    ("pm_card_visa", "Card that works (4242)"),
    ("pm_card_chargeDeclined", "Card that is declined (0002)"),
    ("pm_card_chargeCustomerFail", "Card that works now and fails at the renewal (0341)"),
)


def layout(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><span class='mark'>Stand-in for Stripe: no money moves</span>"
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}"


def _error(text: str) -> str:
    return f'<p class="error" role="alert">{escape(text)}</p>' if text else ""


def _cards() -> str:
    return "".join(
        f'<label><input type="radio" name="card" value="{name}" {"checked" if not at else ""}>{escape(words)}</label>'
        for at, (name, words) in enumerate(CHOICES)
    )


def checkout_page(world: World, session: Json, error: str = "") -> str:
    rows = ""
    for item in session["_line_items"]:
        price = world.get("prices", item["price"])
        name = world.get("products", price["product"])["name"]
        each = f"{money(price['unit_amount'] or 0)} / {price['recurring']['interval']}"
        rows += f"<tr><td>{escape(name)}</td><td>{each}</td></tr>"
    code = _text("code", "Promotion code") if session["allow_promotion_codes"] else ""
    tax = _text("tax_id", "VAT number (optional)") if session["tax_id_collection"]["enabled"] else ""
    back = escape(session["cancel_url"] or "/")
    return layout(
        "Subscribe",
        f"{_error(error)}<section><table>{rows}</table></section>"
        f'<form method="post"><section><h2>Pay with</h2>{_cards()}{code}{tax}</section>'
        f'<button>Subscribe</button> <a href="{back}">Back</a></form>',
    )


def _text(name: str, label: str) -> str:
    return f'<label class="text">{label}<input type="text" name="{name}" autocomplete="off"></label>'


def portal_page(world: World, session: Json, error: str = "") -> str:
    customer = world.get("customers", session["customer"])
    body = _error(error) + "".join(
        _subscription(world, row)
        for row in world.where("subscriptions", customer=customer["id"])
        if row["status"] not in ENDED
    )
    body += f"<section><h2>Card</h2>{_current_card(world, customer)}"
    body += _form("?do=card", f"{_cards()}<button>Use this card</button>") + "</section>"
    body += f"<section><h2>Invoices</h2>{invoice_rows(world, customer['id'])}</section>"
    tax_id = _text("tax_id", "VAT number") + '<button class="quiet">Save</button>'
    body += f"<section>{_form('?do=tax_id', tax_id)}</section>"
    return layout(
        "Billing portal",
        body + f'<p><a href="{escape(session["return_url"] or "/")}">Return to NETVEXA</a></p>',
    )


def _subscription(world: World, row: Json) -> str:
    item = row["items"]["data"][0]
    name = world.get("products", item["price"]["product"])["name"]
    end = day(period_end(row))
    if row["cancel_at_period_end"]:
        words, action, button = f"Ends on {end}", "resume", "Renew plan"
    else:
        words, action, button = f"Renews on {end}", "cancel", "Cancel plan"
    return (
        f"<section><h2>{escape(name)}</h2><p>{money(item['price']['unit_amount'] or 0)} a "
        f"{item['price']['recurring']['interval']} · {escape(row['status'])}</p><p class='quiet'>{words}</p>"
        + _form(f"?do={action}&id={row['id']}", f'<button class="quiet">{button}</button>')
        + "</section>"
    )


def _form(action: str, inner: str) -> str:
    return f'<form method="post" action="{action}">{inner}</form>'


def _current_card(world: World, customer: Json) -> str:
    found = world.where("payment_methods", customer=customer["id"])
    return (
        f"<p>{found[0]['card']['brand'].title()} ending in {found[0]['card']['last4']}</p>" if found else ""
    )


def invoice_rows(world: World, customer: str) -> str:
    rows = ""
    for row in world.where("invoices", customer=customer):
        pay = (
            f'<form class="row" method="post" action="?do=pay&id={row["id"]}"><button>Pay</button></form>'
            if row["status"] == "open"
            else ""
        )
        rows += (
            f'<tr><td><a href="/invoices/{row["id"]}">{row["number"]}</a></td><td>{day(row["created"])}</td>'
            f"<td>{money(row['total'])}</td><td>{row['status']} {pay}</td></tr>"
        )
    return f"<table>{rows}</table>" if rows else "<p class='quiet'>None yet</p>"


def invoice_page(invoice: Json, error: str = "") -> str:
    rows = "".join(
        f"<tr><td>{escape(line['description'])}</td><td>{money(line['amount'])}</td></tr>"
        for line in invoice["lines"]["data"]
    )
    pay = (
        f'<form method="post">{_cards()}<button>Pay {money(invoice["amount_remaining"])}</button></form>'
        if invoice["status"] == "open"
        else ""
    )
    return layout(
        f"Invoice {invoice['number']}",
        f"{_error(error)}<section><table>{rows}<tr><th>Total</th><th>{money(invoice['total'])}</th></tr></table>"
        f"<p class='quiet'>{escape(invoice['status'])} · {day(invoice['created'])}</p>{pay}</section>"
        f'<p><a href="{escape(invoice["invoice_pdf"])}">Download PDF</a></p>',
    )


def receipt_page(charge: Json) -> str:
    last4 = charge["payment_method_details"]["card"]["last4"]
    return layout(
        "Receipt", f"<section><p>{money(charge['amount'])} paid with the card ending in {last4}</p></section>"
    )


def clock_page(world: World) -> str:
    """Time, faults, and what everybody has."""
    now = datetime.fromtimestamp(world.time_of(world.get("clocks", SHARED_CLOCK)), UTC)
    steps = (("1 day", 1), ("3 days", 3), ("1 week", 7), ("1 month", 31), ("1 year", 366))
    buttons = "".join(f'<button name="days" value="{days}">{words} later</button>' for words, days in steps)
    people = "".join(_customer_row(world, row) for row in world.all("customers"))
    return layout(
        "Clock",
        f"<section><h2>Now it is {now:%d %B %Y, %H:%M} UTC</h2><p class='quiet'>Renewals, ends of trials and"
        " further tries of a declined card happen as time passes.</p>"
        f'<form method="post">{buttons}</form></section>'
        f"<section><h2>Customers</h2><table>{people or '<tr><td>None yet</td></tr>'}</table></section>"
        f"<section><h2>Faults</h2>{_faults(world)}</section>"
        "<p class='quiet'>Promotion code for the checkout: WELCOME20 (20 % off once)</p>",
    )


def _customer_row(world: World, customer: Json) -> str:
    rows = world.where("subscriptions", customer=customer["id"])
    states = ", ".join(f"{row['status']} until {day(period_end(row))}" for row in rows) or "no subscription"
    return f"<tr><td>{escape(customer['name'] or customer['email'] or customer['id'])}</td><td>{states}</td></tr>"


def _faults(world: World) -> str:
    names: tuple[tuple[str, str], ...] = (
        ("timeout", "Let the next request time out"),
        ("too_many", "Answer the next request with 429"),
        ("broken", "Answer the next request with 500"),
        ("lose", "Lose the next webhook"),
        ("duplicate", "Send the next webhook twice"),
        ("hold", "Hold webhooks back"),
    )
    state: Any = world.faults
    set_now = [name for name, _ in names if getattr(state, name)]
    shown = f"<p>Set: {', '.join(set_now)}</p>" if set_now else ""
    buttons = "".join(
        f'<button class="quiet" name="fault" value="{name}">{words}</button>' for name, words in names
    )
    return (
        f'{shown}<form method="post">{buttons}<button class="quiet" name="fault" value="release">'
        "Let held webhooks go, the last first</button></form>"
    )
