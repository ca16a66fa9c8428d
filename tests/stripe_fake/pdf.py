"""An invoice as a PDF of one page, written by hand: text in Helvetica, no library."""

from __future__ import annotations

from tests.stripe_fake.wire import Json


def invoice_pdf(invoice: Json) -> bytes:
    """The invoice's number, lines and total."""
    rows = [
        f"Invoice {invoice['number']}",
        f"To: {invoice['customer_name'] or invoice['customer_email']}",
        "",
    ]
    rows += [f"{line['description']}   {_money(line['amount'])}" for line in invoice["lines"]["data"]]
    rows += ["", f"Total {_money(invoice['total'])}", f"Paid {_money(invoice['amount_paid'])}"]
    return _document(rows)


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def _document(rows: list[str]) -> bytes:
    text = "BT /F1 12 Tf 60 780 Td 18 TL " + " ".join(f"({_plain(row)}) Tj T*" for row in rows) + " ET"
    fonts = "/Resources << /Font << /F1 5 0 R >> >>"
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {fonts} >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    tail = f"trailer << /Size {len(bodies) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return f"{out}xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}{tail}".encode("ascii")


def _plain(text: str) -> str:
    text = text.replace("×", "x").encode("ascii", "replace").decode()
    return text.replace("\\", "").replace("(", "\\(").replace(")", "\\)")
