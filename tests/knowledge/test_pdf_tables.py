"""Tables in PDFs keep their rows, whoever set them; what only looks like one is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fpdf import FPDF

from agents.models import Agent
from knowledge.blocks import Block, BlockKind
from knowledge.documents import add_file
from knowledge.ingest import ingest
from knowledge.parsing import parse
from knowledge.retrieval import search
from tests.knowledge import files

PLANS = [["Plan", "Price", "Seats"], ["Starter", "19", "3"], ["Growth", "49", "10"]]
ROWS = ["Plan: Starter | Price: 19 | Seats: 3", "Plan: Growth | Price: 49 | Seats: 10"]
PROSE = "Whoever buys a plan can change it at the end of each month, and pays what is left of it. "


def read(data: bytes) -> tuple[Block, ...]:
    return parse(data, name="prices.pdf").blocks


def rows(data: bytes) -> list[str]:
    return [block.text for block in read(data) if block.kind is BlockKind.TABLE_ROW]


def rest(data: bytes) -> list[str]:
    return [block.text for block in read(data) if block.kind is not BlockKind.TABLE_ROW]


def test_a_table_without_lines_keeps_its_rows_and_names_their_cells() -> None:
    above, below = (20, 30, "These are our plans for every team."), (20, 70, "All prices are in euro.")
    data = files.placed([above, *files.in_columns(PLANS), below])
    assert rows(data) == ROWS
    assert rest(data) == ["These are our plans for every team.", "All prices are in euro."]


def test_numbers_on_the_right_of_their_columns_are_named() -> None:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=10)
    for row in (
        ["Plan", "Price per month", "Seats"],
        ["Starter", "1,019.00", "3"],
        ["Growth", "49.00", "10"],
    ):
        for cell, align in zip(row, "LRR", strict=True):
            made.cell(50, 6, text=cell, align=align)
        made.ln()
    assert rows(bytes(made.output())) == [
        "Plan: Starter | Price per month: 1,019.00 | Seats: 3",
        "Plan: Growth | Price per month: 49.00 | Seats: 10",
    ]


@pytest.mark.parametrize("layout", ["ALL", "HORIZONTAL_LINES", "SINGLE_TOP_LINE", "MINIMAL"])
def test_a_table_with_lines_is_read_and_the_text_around_it_is_not(layout: str) -> None:
    data = files.ruled(PLANS, layout=layout, text=PROSE * 4)
    assert rows(data) == ROWS
    assert rest(data) == [(PROSE * 4).strip()] * 2


@pytest.mark.parametrize("layout", ["ALL", "HORIZONTAL_LINES"])
def test_text_that_wraps_in_a_ruled_cell_stays_one_cell(layout: str) -> None:
    long = "Growth plan for teams of medium size that work in more than one city at the same time"
    seats = "As many seats as there are persons in all of your teams and their cities"
    data = files.ruled([*PLANS[:2], [long, "49", "10"], ["Large", "99", seats]], layout=layout)
    assert rows(data)[1:] == [
        f"Plan: {long} | Price: 49 | Seats: 10",
        f"Plan: Large | Price: 99 | Seats: {seats}",
    ]


def test_text_that_wraps_without_lines_stays_with_its_row() -> None:
    places = files.in_columns(PLANS, top=40)
    places += [(130, 56, "and two guests"), (20, 62, "Large"), (90, 62, "99"), (130, 62, "50")]
    assert rows(files.placed(places)) == [
        ROWS[0],
        f"{ROWS[1]} and two guests",
        "Plan: Large | Price: 99 | Seats: 50",
    ]


def test_a_cell_may_be_empty() -> None:
    plans = [*PLANS, ["Trial", "", "2"], ["Large", "99", ""]]
    assert rows(files.placed(files.in_columns(plans)))[2:] == [
        "Plan: Trial | Seats: 2",
        "Plan: Large | Price: 99",
    ]


def test_each_of_two_tables_has_its_own_header() -> None:
    regions = [["Country", "Days", "Carrier"], ["Norway", "7", "Posten"], ["Peru", "21", "Serpost"]]
    places = [
        *files.in_columns(PLANS),
        (20, 75, "We deliver to these countries."),
        *files.in_columns(regions, top=85),
    ]
    assert rows(files.placed(places)) == [
        *ROWS,
        "Country: Norway | Days: 7 | Carrier: Posten",
        "Country: Peru | Days: 21 | Carrier: Serpost",
    ]


@pytest.mark.parametrize("repeated", [True, False])
def test_a_table_goes_on_on_the_next_page_with_its_header(*, repeated: bool) -> None:
    more = [*(PLANS[:1] if repeated else []), ["Large", "99", "50"], ["Huge", "199", "500"]]
    data = files.placed(files.in_columns(PLANS, top=250), files.in_columns(more, top=40))
    found = [(block.page, block.text) for block in read(data)]
    assert found == [
        *((1, row) for row in ROWS),
        (2, "Plan: Large | Price: 99 | Seats: 50"),
        (2, "Plan: Huge | Price: 199 | Seats: 500"),
    ]


def test_a_page_of_prices_is_no_table_of_contents() -> None:
    plans = [
        PLANS[0],
        *(
            [f"Plan {name}", str(9 * (7 - abs(number - 6))), "3"]
            for number, name in enumerate("ABCDEFGHIJKL")
        ),
    ]
    assert len(rows(files.placed(files.in_columns(plans)))) == 12
    lamps = [["Lamp", "Price"], *([f"Lamp {row[0]}", row[1]] for row in plans[1:])]
    assert rows(files.placed(files.in_columns(lamps, lefts=(20, 120))))[0] == "Lamp: Lamp Plan A | Price: 9"


def test_a_table_of_contents_is_left_out_as_ever() -> None:
    entries = [[f"Chapter {name}", str(number * 3)] for number, name in enumerate("ABCDEFGHIJ", start=1)]
    data = files.placed(files.in_columns(entries, lefts=(20, 180)), [(20, 40, "The text begins.")])
    assert [block.text for block in read(data)] == ["The text begins."]


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=10)
    sides = ["The left side tells of lamps. " + PROSE * 8, "The right side tells of cables. " + PROSE * 8]
    for number, text in enumerate(sides):
        made.set_xy(10 + 98 * number, 40)
        made.multi_cell(90, 5, text=text, align="J")
    assert [block.text for block in read(bytes(made.output()))] == [text.strip() for text in sides]


def test_prose_that_fills_its_lines_is_prose() -> None:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=10)
    text = " ".join(["Uninterruptible communications, internationalization, incomprehensibilities."] * 12)
    made.multi_cell(62, 5, text=text, align="J")
    assert [(block.kind, block.text) for block in read(bytes(made.output()))] == [(BlockKind.PARAGRAPH, text)]


@pytest.mark.parametrize("marks", ["1. 2. 3.", "- - -", "a) b) c)"])
def test_a_list_stays_a_list(marks: str) -> None:
    items = [
        [mark, f"Step {name} is done with care."] for mark, name in zip(marks.split(), "ABC", strict=True)
    ]
    found = read(files.placed(files.in_columns(items, lefts=(20, 30))))
    assert [(block.kind, block.text) for block in found] == [(BlockKind.LIST_ITEM, item[1]) for item in items]


def test_headings_and_running_titles_stay_what_they_are() -> None:
    def page(number: int) -> Sequence[files.Place]:
        running = [
            (20, 10, "Northwind"),
            (150, 10, "Prices"),
            (20, 290, "Confidential"),
            (150, 290, f"Page {number}"),
        ]
        return [*running, (20, 60, f"Section of {number}"), (20, 70, PROSE.strip())]

    found = read(files.placed(*map(page, (1, 2, 3)), large=[f"Section of {number}" for number in (1, 2, 3)]))
    assert [(block.kind, block.page) for block in found] == [
        (kind, number) for number in (1, 2, 3) for kind in (BlockKind.HEADING, BlockKind.PARAGRAPH)
    ]


@pytest.mark.django_db
def test_a_question_about_a_row_finds_it_with_its_page(agent: Agent) -> None:
    data = files.placed([(20, 40, PROSE.strip())], files.in_columns(PLANS))
    source = add_file(agent, name="prices.pdf", content=data)
    ingest(source.documents.get().pk)
    best = search("How many seats does the Growth plan have?", agent_id=agent.pk).passages[0]
    assert ROWS[1] in best.text
    assert [one.page for one in best.sentences if one.text == ROWS[1]] == [2]
