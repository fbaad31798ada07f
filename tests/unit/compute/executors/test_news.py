"""A supervisor's word reaches who listens, and nobody else is needed for it to go on."""

import threading
from pathlib import Path

from fabriek.compute.executors.news import News
from fabriek.node.news import tell_news


def test_a_word_is_heard_until_it_is_closed_also_below_a_long_path(tmp_path: Path) -> None:
    jobs = tmp_path / ("long" * 30)
    attempt = jobs / "job_1-1"
    attempt.mkdir(parents=True)
    tell_news(attempt)  # nobody listens yet
    heard = threading.Event()
    for _ in range(2):  # the second finds what the first left
        news = News(jobs, heard.set)
        tell_news(attempt)
        assert heard.wait(30)
        news.close()
        heard.clear()
    tell_news(attempt)
    assert not heard.is_set()
    assert [one.name for one in jobs.iterdir()] == ["job_1-1"]


def test_the_socket_of_a_server_that_was_killed_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "job_1-1").mkdir()
    News(tmp_path, lambda: None)
    heard = threading.Event()
    news = News(tmp_path, heard.set)
    tell_news(tmp_path / "job_1-1")
    assert heard.wait(30)
    news.close()
