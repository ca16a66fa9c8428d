"""What a number counts: the unit or the currency that stands with it, in one form for all languages.

"5 Tage", "5-day" and "5 d" are days, "€20" and "20 EUR" are euros. What is written the same way for several things
("$", "pounds", "m") is any of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict

# Without accents, as they are looked up; with capitals where only those mean it.
_MEASURES = {
    "second": "s sec secs second seconds sekunde sekunden segundo segundos seconde secondes secondo secondi seconden",
    "minute": "m min mins minute minutes minuten minuto minutos minuti minuut",
    "hour": "h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur uren",
    "day": "d day days tag tage tagen tages werktag werktage werktagen arbeitstag arbeitstage arbeitstagen"
    " kalendertage kalendertagen jour jours dia dias giorno giorni dag dagen werkdag werkdagen kalenderdagen",
    "night": "night nights nacht nachte nachten nuit nuits noche noches notte notti noite noites",
    "week": "w week weeks woche wochen semaine semaines semana semanas settimana settimane weken",
    "month": "mo month months monat monate monaten monats mois mes meses mese mesi maand maanden",
    "year": "y yr yrs year years jahr jahre jahren jahres an ans annee annees ano anos anno anni jaar jaren",
    "millimetre": "mm millimetre millimetres millimeter millimeters milimetro milimetros millimetro millimetri",
    "centimetre": "cm centimetre centimetres centimeter centimeters zentimeter zentimetern centimetro centimetros"
    " centimetri",
    "metre": "m metre metres meter meters metern metro metros metri",
    "kilometre": "km kms kilometre kilometres kilometer kilometers kilometern kilometro kilometros chilometro"
    " chilometri quilometro quilometros",
    "mile": "mile miles meile meilen milla millas miglia milha milhas mijl",
    "foot": "ft foot feet",
    "milligram": "mg milligram milligrams milligramm milligramme milligrammes miligramo miligramos milligrammi"
    " miligramas",
    "gram": "g gr gram grams gramm gramme grammes gramo gramos grammo grammi grama gramas",
    "kilogram": "kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo kilogramos"
    " chilo chili chilogrammo chilogrammi quilo quilos quilograma quilogramas",
    "tonne": "t tonne tonnes tonnen tonelada toneladas tonnellata tonnellate ton",
    "ounce": "oz ounce ounces unze unzen",
    "weight pound": "lb lbs pound pounds pfund libra libras",
    "millilitre": "ml millilitre millilitres milliliter milliliters mililitro mililitros millilitri",
    "litre": "l litre litres liter liters litern litro litros litri",
    "kilobyte": "kb kib Ko kilobyte kilobytes",
    "megabyte": "m mb mib Mo megabyte megabytes",
    "gigabyte": "g gb gib Go gigabyte gigabytes giga gigas",
    "terabyte": "tb tib terabyte terabytes",
    "percent": "% percent prozent procent",
    "degree Celsius": "°c",
    "degree Fahrenheit": "°f",
}
_CURRENCIES = {
    "euro": "€ eur euro euros",
    "US dollar": "US$ usd $ dollar dollars dolar dolares dollaro dollari",
    "Canadian dollar": "C$ CA$ CAD $ dollar dollars",
    "Australian dollar": "A$ AU$ AUD $ dollar dollars",
    "New Zealand dollar": "NZ$ NZD $ dollar dollars",
    "Singapore dollar": "S$ SG$ SGD $ dollar dollars",
    "Hong Kong dollar": "HK$ HKD $ dollar dollars",
    "Mexican peso": "MX$ MXN $ peso pesos",
    "real": "R$ BRL real reais reales",
    "pound": "£ gbp pound pounds pfund libra libras",
    "Swiss franc": "chf Fr franken francs franchi",
    "yen": "¥ ￥ JPY yen",
    "yuan": "¥ ￥ CNY RMB yuan",
    "rupee": "₹ INR Rs rupees",
    "won": "₩ KRW won",
    "rouble": "₽ RUB",
    "lira": "₺ TRY TL",
    "zloty": "zł PLN zloty",
    "koruna": "Kc CZK",
    "Swedish krona": "kr SEK",
    "Norwegian krone": "kr NOK",
    "Danish krone": "kr DKK",
}
_BETWEEN = "working|business|calendar|full|whole|consecutive|more|additional|extra|vollen?|ganzen?|weiteren?"
_SYMBOL = r"[A-Z]{0,2}\$|[€£¥￥₹₩₽₺]"
_GAP = r"[ \n\u00a0\u2009\u202f]?"
_BEHIND = re.compile(
    rf"(?:{_GAP}|-)(?:(?:{_BETWEEN})[ -])?"
    rf"(?P<unit>(?:{_SYMBOL})(?!\d)|%|°{_GAP}[CF]\b|(?:per|por|pour)\s(?:cent|ciento|cento)\b|[^\W\d_]+(?!\w|['’]\w))",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?P<unit>{_SYMBOL}|(?<!\w)(?:[A-Z]{{3}}|eur|usd|gbp|chf|kr|Rs|Fr\.?)){_GAP}$")
_REACH = 40  # characters behind a number in which its unit stands


def unit_of(text: str, start: int, end: int) -> frozenset[str]:
    """What the number that stands there counts; several where its sign may mean several, none where it has none."""
    before, behind = _BEFORE.search(text[max(0, start - 6) : start]), _BEHIND.match(text[end : end + _REACH])
    currencies = _meaning(before["unit"]).intersection(_CURRENCIES) if before else frozenset[str]()
    return currencies | (_meaning(behind["unit"]) if behind else frozenset())


def _meaning(form: str) -> frozenset[str]:
    """As it is written, or in lower case."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", form.rstrip(".")) if not unicodedata.combining(sign)
    )
    if plain.endswith("$") and plain not in _MEANINGS:
        plain = "$"
    if " " in plain and plain.startswith("p"):
        return frozenset({"percent"})
    return _MEANINGS.get(plain) or _MEANINGS.get("".join(plain.casefold().split()), frozenset())


def _meanings() -> dict[str, frozenset[str]]:
    found = defaultdict[str, set[str]](set)
    for unit, forms in (_MEASURES | _CURRENCIES).items():
        for form in forms.split():
            found[form].add(unit)
    return {form: frozenset(units) for form, units in found.items()}


_MEANINGS = _meanings()
