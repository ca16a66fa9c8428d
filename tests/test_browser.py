"""The browser that tests drive is a real one."""

from __future__ import annotations

from playwright.sync_api import Page


def test_a_page_runs_script(page: Page) -> None:
    page.goto("data:text/html,<p id=a></p><script>a.textContent = 6 * 7</script>")
    assert page.inner_text("#a") == "42"
