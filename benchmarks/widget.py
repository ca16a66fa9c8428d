"""make bench-widget: our widget and two others from npm on the same page, in a real Chromium, in one run.

The page is of another origin than the scripts, as on a customer's site; each reading is a new browser profile, and
the widgets take turns. Times run from the widget's tag to the first frame in which its bubble stands (`bubble`), and
from the click to the first frame with a caret in the message field (`open`). Script time is CPU time of the main
thread, which a busy machine does not stretch. Last line: one JSON object.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("NETVEXA_ENVIRONMENT", "test")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop stands in this thread
django.setup()

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402  after setup

from agents.widget import LOADER, WIDGET_FILES, loader_with  # noqa: E402
from benchmarks.pages import Pages  # noqa: E402
from tests.plugins.browser import ARGUMENTS, chromium_path  # noqa: E402
from tests.widget.gallery import DESK, EVERYTHING, PHONE, more, scene, whole_story  # noqa: E402
from tests.widget.host import AGENT, CONFIG, Host  # noqa: E402
from tests.widget.inspector import Inspector  # noqa: E402

PEERS = {"typebot": "@typebot.io/js@0.10.7", "flowise": "flowise-embed@3.1.6"}
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SLOW_RUNS = 3
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 1.6e6 / 8}
TAGS = {
    "netvexa": f'<script async src="{{origin}}/widget/v1/{LOADER}?agent={AGENT}" data-agent-id="{AGENT}"></script>',
    "typebot": '<script type="module">import T from "{origin}/typebot/dist/web.js";'
    'T.initBubble({{typebot: "demo", apiHost: "{origin}"}})</script>',
    "flowise": '<script type="module">import F from "{origin}/flowise/dist/web.js";'
    'F.init({{chatflowid: "demo", apiHost: "{origin}"}})</script>',
    "none": "",
}
# Runs in the page ahead of the widget's tag.
WATCH = """
const deep = function* (root) {
  for (const node of root.querySelectorAll('*')) { yield node; if (node.shadowRoot) yield* deep(node.shadowRoot) }
};
const isBubble = (node) => node.localName === 'button' && node.getClientRects().length &&
  node.getBoundingClientRect().height >= 30 && node.getBoundingClientRect().bottom > innerHeight / 2;
const seen = window.seen = { begun: performance.now(), shift: 0, longest: 0 };
new PerformanceObserver((list) => list.getEntries().forEach((e) => seen.shift += e.value))
  .observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => list.getEntries().forEach((e) => seen.longest = Math.max(seen.longest, e.duration)))
  .observe({ type: 'longtask', buffered: true });
const look = (drawn) => {
  const bubble = [...deep(document)].find(isBubble);
  if (!bubble) return requestAnimationFrame(look);
  // This frame paints it; at the next one it is on the screen.
  requestAnimationFrame((now) => {
    const asked = performance.getEntriesByType('resource').filter(({ startTime }) => startTime < drawn);
    Object.assign(seen, { bubble: now - seen.begun, requests: asked.length });
  });
};
// On the bare page there is nothing to look for, and looking costs time that would be taken off the others'.
if (!location.pathname.endsWith('/none')) requestAnimationFrame(look);
addEventListener('click', () => {
  const clicked = performance.now();
  const caret = () => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    if (!/^(textarea|input)$/.test(active?.localName)) return requestAnimationFrame(caret);
    requestAnimationFrame((now) => seen.open = now - clicked);
  };
  caret();
}, true);
"""


@dataclass
class Readings:
    """What was read of one widget, one entry a run; times in ms."""

    bubble: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    script_cpu: list[float] = field(default_factory=list)
    longest_task: list[float] = field(default_factory=list)
    shift: list[float] = field(default_factory=list)
    open: list[float] = field(default_factory=list)


def main() -> None:
    logging.getLogger("websockets").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        peers = install(Path(folder))
        sizes = _sizes(peers)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with served(peers) as pages:
            quick = {name: Readings() for name in TAGS}
            slow = {name: Readings() for name in TAGS if name != "none"}
            for run in range(RUNS):
                for name, readings in quick.items():
                    read(browser, pages, name, readings)
                if run < SLOW_RUNS:
                    for name, readings in slow.items():
                        read(browser, pages, name, readings, network=SLOW)
        inspector = inspect(browser)
        browser.close()
    report(quick, slow, sizes, inspector)


def install(folder: Path) -> dict[str, Path]:
    """The other widgets' packages, as npm gives them."""
    npm = shutil.which("npm", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--legacy-peer-deps"]
    subprocess.run(
        [npm or "npm", "install", *options, *PEERS.values()], cwd=folder, env=environment, check=True
    )
    return {name: folder / "node_modules" / package.rpartition("@")[0] for name, package in PEERS.items()}


@contextmanager
def served(peers: dict[str, Path]) -> Iterator[Pages]:
    """The scripts on one origin, the page on another; our socket is answered by a host that speaks the protocol."""
    host = Host()
    host.start()
    config: Any = CONFIG | {"socket": host.config["socket"]}
    files = {
        f"/widget/v1/{path.relative_to(WIDGET_FILES / 'v1').as_posix()}": path.read_bytes()
        for path in (WIDGET_FILES / "v1").rglob("*")
        if path.is_file()
    }
    files[f"/widget/v1/{LOADER}"] = loader_with(config, "v1").body
    for name, package in peers.items():
        files[f"/{name}/dist/web.js"] = (package / "dist" / "web.js").read_bytes()
    pages = Pages(files, head=f"<script>{WATCH}</script>", tags=TAGS)
    yield pages
    pages.stop()
    host.stop()


def read(
    browser: Browser, pages: Pages, name: str, readings: Readings, *, network: dict[str, Any] | None = None
) -> None:
    """One visit of a new visitor."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    if network:
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", network)
    page.goto(f"{pages.page_origin}/{name}")
    if name != "none":
        page.wait_for_function("seen.requests !== undefined", timeout=60_000)
        readings.bubble.append(page.evaluate("seen.bubble"))
        readings.requests.append(page.evaluate("seen.requests"))
    page.wait_for_load_state("networkidle")
    metrics = {entry["name"]: entry["value"] for entry in devtools.send("Performance.getMetrics")["metrics"]}
    readings.script_cpu.append(metrics["ScriptDuration"] * 1000)
    readings.longest_task.append(page.evaluate("seen.longest"))
    if name == "netvexa":
        readings.open.append(_open(page))
    readings.shift.append(page.evaluate("seen.shift"))
    context.close()


def _open(page: Page) -> float:
    page.locator("netvexa-widget .b").click()
    page.wait_for_function("seen.open !== undefined")
    return float(page.evaluate("seen.open"))


def inspect(browser: Browser) -> Inspector:
    """Every state under a strict policy: what axe holds against it, and what the policy does."""
    inspector = Inspector()
    dark = "csp=strict&attrs=data-theme=dark"
    looks = (("light", "csp=nonce", DESK), ("dark", dark, DESK), ("phone", "csp=nonce", PHONE))
    for name, query, screen in looks:
        for story in (whole_story, more):
            config = EVERYTHING if story is more else {}
            with scene(browser, Path(), name, query, screen, kind=inspector.scene, **config) as at:
                story(at)
    return inspector


def report(
    quick: dict[str, Readings], slow: dict[str, Readings], sizes: dict[str, int], inspector: Inspector
) -> None:
    bare = statistics.median(quick["none"].script_cpu)
    medians = {name: statistics.median(quick[name].bubble) for name in sizes}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {RUNS} runs, medians")
    print(f"{'':10}   gzip B  bubble ms  slow net  requests  script ms  task ms  shift")
    for name, size in sizes.items():
        at = quick[name]
        print(
            f"{name:10}{size:>9,}{medians[name]:>11.0f}{statistics.median(slow[name].bubble):>10.0f}"
            f"{max(at.requests):>10}{statistics.median(at.script_cpu) - bare:>11.1f}"
            f"{max(at.longest_task):>9.0f}{max(at.shift):>7.3f}"
        )
    for line in inspector.lines():
        print(line)
    ours = quick["netvexa"]
    figures = {
        "loader_gz": _zipped(WIDGET_FILES / "v1" / LOADER),
        "total_gz": sizes["netvexa"],
        "requests_before_bubble": max(ours.requests),
        "script_cpu_ms": round(statistics.median(ours.script_cpu) - bare, 1),
        "bubble_ms": round(medians["netvexa"], 1),
        "bubble_over_best_peer": round(medians["netvexa"] / min(medians[name] for name in PEERS), 3),
        "open_ms": round(statistics.median(ours.open), 1),
        "cls": round(max(ours.shift), 4),
        "axe_serious": inspector.serious,
        "csp_violations": inspector.violations,
        "slow_bubble_ms": round(statistics.median(slow["netvexa"].bubble), 1),
        "longest_task_ms": round(statistics.median(ours.longest_task), 1),
        "states_inspected": inspector.states,
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures))


def _zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def _sizes(peers: dict[str, Path]) -> dict[str, int]:
    """Compressed bytes of all code; ours with the English texts and the looks, which the app contains."""
    app = json.loads((WIDGET_FILES / "v1" / "manifest.json").read_text())["app"]
    ours = sum(_zipped(WIDGET_FILES / "v1" / name) for name in (LOADER, app))
    return {"netvexa": ours} | {name: _zipped(path / "dist" / "web.js") for name, path in peers.items()}


if __name__ == "__main__":
    main()
