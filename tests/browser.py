"""A Chromium that pages are shown in: driven over its own two pipes, so that nothing else is needed.

The measure of a page is what people see: whether every number lies inside its paper and its screen.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

PROGRAM = os.environ.get("MEDFUND_TEST_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_S = 60
SCREEN = (1280, 900)
PICTURE_MAX = 12_000
A4 = (1032, 703)
"""The inside of A4 across, 12 mm margins to the sides, in CSS pixels of 1/96 inch."""
OUTSIDE = """
JSON.stringify([...document.querySelectorAll('td,th,dt,dd,h1,h2,li,pre,span,img')].filter(one => {
    const range = document.createRange(); range.selectNodeContents(one)
    const right = Math.max(one.getBoundingClientRect().right, range.getBoundingClientRect().right)
    return one.closest('pre') === null && right > WIDTH + 0.5
}).map(one => one.textContent.slice(0, 80)))
"""
COVERED = """
JSON.stringify([...document.querySelectorAll('td.n')].filter(one => {
    const range = document.createRange(); range.selectNodeContents(one)
    const cell = one.getBoundingClientRect(), text = range.getBoundingClientRect()
    return text.left < cell.left - 0.5 || text.right > cell.right + 0.5 || text.height > 2 * parseFloat(
        getComputedStyle(one).lineHeight)
}).map(one => one.textContent))
"""


AXE = files("axe_core_python").joinpath("axe.min.js")
KEEPS_OUT = """
axe.run().then(found => JSON.stringify(found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(
    one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(' ')}`)))
"""


class Browser:
    """One tab. Requests and answers are JSON texts that end with a zero byte."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._number, self._read, self._width = to, back, 0, b"", 0
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def show(self, html: str, *, width: int, height: int, medium: str = "screen") -> None:
        self._width = width
        self._tab("Emulation.setScrollbarsHidden", hidden=True)
        self._tab("Emulation.setEmulatedMedia", media=medium)
        self._tab("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        frame = self._tab("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._tab("Page.setDocumentContent", frameId=frame, html=html)

    def said(self, script: str) -> Any:
        found = self._tab("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def outside(self) -> list[str]:
        """Texts that are cut off at the right, and numbers that lie over their neighbours or are broken."""
        return [*json.loads(self.said(OUTSIDE.replace("WIDTH", str(self._width)))), *json.loads(self.said(COVERED))]

    def keeps_out(self) -> list[str]:
        """What axe calls serious: somebody cannot read or reach it."""
        self.said(AXE.read_text(encoding="utf-8") + ";0")
        found: list[str] = json.loads(self.said(KEEPS_OUT))
        return found

    def picture(self) -> bytes:
        """As far down as a picture may reach."""
        height = min(self.said("document.documentElement.scrollHeight"), PICTURE_MAX)
        clip = {"x": 0, "y": 0, "width": self._width, "height": height, "scale": 1}
        taken = self._tab("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])

    def paper(self) -> bytes:
        return base64.b64decode(self._tab("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def _tab(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._ask(method, session=self._session, **parameters)

    def _ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        os.write(self._to, json.dumps(asked | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            part = os.read(self._back, 1 << 20)
            assert part, "the browser is gone"
            self._read += part
        one, _, self._read = self._read.partition(b"\0")
        answer: dict[str, Any] = json.loads(one)
        return answer


@contextmanager
def opened(profile: Path) -> Iterator[Browser]:
    """Where there is none, the test says what to install and is left out."""
    if PROGRAM is None:
        pytest.skip("no Chromium: install Debian's package chromium, or name one in MEDFUND_TEST_BROWSER")
    (ours, its), (back, answers) = os.pipe(), os.pipe()
    # The browser reads from 3 and writes to 4.
    command = f'exec "$0" "$@" 3<&{ours} 4>&{answers}'
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
    process = subprocess.Popen(
        ["/bin/bash", "-c", command, PROGRAM, *options, f"--user-data-dir={profile}"],
        pass_fds=(ours, answers), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(ours)
    os.close(answers)
    try:
        yield Browser(its, back)
    finally:
        os.close(its)
        os.close(back)
        process.terminate()
        process.wait(WAIT_S)
