"""Markdown of people on pages of ours."""

import pytest

from fabriek.portal.markdown import rendered


def test_what_is_plain_markdown_reads_as_it_should() -> None:
    shown = str(
        rendered("# It *works*\n\n- `lr=0.1`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[more](https://example.org/x)")
    )
    assert "<h3>It <em>works</em></h3>" in shown
    assert "<li><code>lr=0.1</code></li>" in shown
    assert "<td>1</td>" in shown
    assert '<a href="https://example.org/x" rel="noopener noreferrer nofollow ugc">more</a>' in shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)", "![x](https://elsewhere.example/pixel.png)", "[x](vbscript:x)", "<javascript:alert(1)>",
        '[x](https://e.example "a\\" onmouseover=alert(1) b")', "```\n</code><script>alert(1)</script>\n```", "[x]: javascript:alert(1)\n\n[x]",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)  # fmt: skip
def test_nothing_that_runs_or_calls_out_gets_through(text: str) -> None:
    shown = str(rendered(text)).lower()
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown
    assert 'href="vbscript' not in shown
    assert 'href="data' not in shown
    assert not any("onmouseover=" in tag.replace("&quot;", "") and '" onmouseover' in tag for tag in shown.split("<"))


@pytest.mark.parametrize(
    "text",
    [">" * 5_000 + " deep", "[" * 20_000, "*" * 20_000 + "a" + "*" * 20_000, "`" * 50_000],
    ids=["quotes", "brackets", "stars", "ticks"],
)
def test_nothing_that_was_meant_to_choke_it_does(text: str) -> None:
    assert len(rendered(text)) < 400_000
