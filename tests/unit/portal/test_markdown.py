"""Markdown of others: what its authors may do on our pages, and what not."""

import pytest

from fabriek.portal.markdown import CHARACTERS_MAX, rendered


def test_what_people_write_is_shown() -> None:
    shown = rendered("# A\n\n*b* `c` [d](https://e.org)\n\n| x |\n| -: |\n| y |\n")
    assert "<h3>A</h3>" in shown
    assert "<em>b</em> <code>c</code>" in shown
    assert '<a href="https://e.org" rel="noopener noreferrer nofollow ugc">d</a>' in shown
    assert '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>' in shown
    assert "style" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onmouseover=x>b</b>", "<!-- x -->", "<svg/onload=x>",
        "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](&#106;avascript:alert(1))", "[a](java\tscript:alert(1))",
        "<javascript:alert(1)>", "[a](data:text/html;base64,PHNjcmlwdD4=)", "![a](https://e.org/x.png)", "![a](data:image/png;base64,AA==)",
        "[a](/projects)", "[a](//e.org)", "[a](vbscript:x)", "[a]: javascript:x\n\n[a]", "[a](http://[)",
        '[a](https://e.org "\\" onmouseover=x")', '```"><script>\n```', '``` x" onload=y\n```',
    ],
)  # fmt: skip
def test_nothing_runs_loads_or_leads_into_our_pages(text: str) -> None:
    shown = str(rendered(text))
    for tag in ("<script", "<img", "<b ", "<svg", "<!--", "<style", "<iframe"):
        assert tag not in shown
    for address in ('href="javascript', 'href="data', 'href="/', 'href="vb', "src="):
        assert address not in shown.lower().replace("&lt;img src=x", "")
    assert '" onmouseover' not in shown.replace("&quot;", "'")
    assert '" onload' not in shown


def test_what_is_deep_or_long_ends() -> None:
    for text in (
        ">" * 5_000 + "a",
        "- " * 2_000,
        "[" * 20_000,
        "*" * 20_000,
        "`" * 20_000,
        "![" * 10_000,
        "(" * 9_999 + "<a" * 9_999,
    ):
        assert len(rendered(text)) < 40 * len(text)
    assert len(rendered("a" * (CHARACTERS_MAX * 2))) < CHARACTERS_MAX + 100
