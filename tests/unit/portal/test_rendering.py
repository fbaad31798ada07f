from fabriek.portal.rendering import highlighted


def test_a_passage_is_escaped_and_shown_without_what_markdown_marks_by() -> None:
    told = "# Wind  \x02free\x03 for `startup`, **so** <b>2*3</b>, the _hour_, in C# too"
    assert highlighted(told) == "Wind  <mark>free</mark> for startup, so &lt;b&gt;2*3&lt;/b&gt;, the _hour_, in C# too"
