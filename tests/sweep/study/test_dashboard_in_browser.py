"""The dashboard in a real browser: what each trial was, and where it lies."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.output.test_page_in_browser import CHROMIUM, DRIVER, FLAGS, webdriver
from tests.sweep.study.dashboards import dashboard
from tests.sweep.sweep_commands import TOY, TOY_SPACE, command, finish, start

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="Chromium and its chromedriver are not installed"
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def shown(browser: Any, page: str, *texts: str, without: str = "\0") -> str:
    """The text of a page, once it shows all of ``texts`` and no longer ``without``.

    It is loaded anew until then: the dashboard's server answers from a cache of ten seconds.
    """
    deadline = time.monotonic() + 120
    while True:
        browser.get(page)
        loaded = time.monotonic()
        while time.monotonic() < loaded + 5:
            text = str(browser.find_element("tag name", "body").text)
            if all(wanted in text for wanted in texts) and without not in text:
                return text
            time.sleep(0.2)
        assert time.monotonic() < deadline, (
            f'{page} lacks one of {texts} or still has "{without}":\n{text}'
        )


def test_trials_notes_and_folders_of_a_sweep_that_runs_and_then_ends(
    browser: Any, tmp_path: Path
) -> None:
    folder, hold = tmp_path / "sweep", tmp_path / "hold"
    few = ("hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=1", "epochs=2", f"hold={hold}")
    process = start(command(TOY, folder, *TOY_SPACE, *few))
    while not (folder / "0" / "result.json").exists():
        time.sleep(0.02)
    hold.touch()
    with dashboard(folder / "study.journal", tmp_path / "dashboard.log") as address:
        pages = f"{address}/dashboard/studies/0"
        first = shown(browser, f"{pages}/trials?numbers=0", "Note", "completed", "Running")
        assert str(folder / "0") in first
        assert "python -m tests.sweep.toy.app" in first
        shown(browser, f"{pages}/note", str(folder))
        hold.unlink()
        done = finish(process)
        assert done.code == 0, done.text
        for number in (1, 5):
            wanted = ("6 Trials", str(folder / str(number)))
            shown(browser, f"{pages}/trials?numbers={number}", *wanted, without="Running")
            width = "return document.documentElement.scrollWidth - innerWidth"
            assert browser.execute_script(width) <= 0
        browser.save_screenshot(str(tmp_path / "trial.png"))
