"""What a person reads in an HTML mail, what is hidden from that person, and where markup quotes."""

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.understand.html_text import HtmlText, read_html


def quoted(html: str) -> list[str]:
    page = read_html(html)
    return [page.text[start:end] for start, end in page.quotes]


# --- layout


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<div>a</div><div>b</div>", "a\nb", id="blocks"),
        pytest.param("<p>a</p><p>b</p>", "a\n\nb", id="paragraphs"),
        pytest.param("<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb", id="paragraphs of Word"),
        pytest.param("<p class=MsoNormal>a</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>b", "a\n\nb", id="nbsp"),
        pytest.param("<div>a<br></div><div>b</div>", "a\nb", id="line end at the end of a block"),
        pytest.param("<div>a</div><div><br></div><div>b</div>", "a\n\nb", id="blank line"),
        pytest.param("a<br><br>b", "a\n\nb", id="two line ends"),
        pytest.param("a" + "<br>" * 50 + "b", "a\n\n\nb", id="many line ends"),
        pytest.param("<b>a</b> <i>b</i>\n\tc", "a b c", id="spaces collapse"),
        pytest.param("<b>a</b><i>b</i>", "ab", id="no space between"),
        pytest.param("a&nbsp;&amp;&euro;&#8364; &lt;b&gt;", "a &€€ <b>", id="entities"),
        pytest.param("<ul><li>a</li><li>b</li></ul>", "* a\n* b", id="list"),
        pytest.param("<pre>a  b\n\n  c</pre>d", "a  b\n\n  c\nd", id="pre"),
        pytest.param("<div style='white-space: pre-wrap'>a\nb</div>", "a\nb", id="kept spaces"),
        pytest.param("<h1>a</h1>b", "a\n\nb", id="heading"),
        pytest.param("a<hr>b", "a\n" + "_" * 32 + "\nb", id="rule"),
        pytest.param("re\u200bfu\u00adnd", "refund", id="zero-width characters"),
        pytest.param("<p>a<!-- b --><script>c</script><style>d</style><title>e</title>", "a", id="never text"),
        pytest.param("<![if !mso]>a<![endif]><!--[if mso]>b<![endif]-->", "a", id="conditional comments"),
        pytest.param("<!-- a -->", "", id="a comment alone"),
        pytest.param(" \n", "", id="blank"),
        pytest.param("just text & no tags", "just text & no tags", id="no tags"),
        pytest.param("a &#0;&#xD800; b", "a \ufffd\ufffd b", id="impossible characters"),
    ],
)
def test_text_stands_as_a_person_reads_it(html: str, text: str) -> None:
    page = read_html(html)
    assert page == HtmlText(text=text, hidden=(), quotes=(), defects=())


def test_table_rows_stand_on_lines_and_cells_apart() -> None:
    html = (
        "<table><thead><tr><th>Item</th><th>Price</th></tr></thead><tbody>"
        "<tr><td><p>Ring</p></td><td align=right><div>$ 30.00</div></td></tr>"
        "<tr><td></td><td>Total</td><td><b>$ 30</b>.00</td></tr></tbody></table><p>Thanks</p>"
    )
    assert read_html(html).text == "Item\tPrice\nRing\t$ 30.00\nTotal\t$ 30.00\n\nThanks"


def test_cell_of_several_lines_stands_alone() -> None:
    html = "<table><tr><td>a<br>b</td><td>c</td></tr><tr><td>d</td><td>e</td></tr></table>"
    assert read_html(html).text == "a\nb\nc\nd\te"


def test_table_in_a_table_keeps_its_rows() -> None:
    inner = "<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>"
    assert read_html(f"<table><tr><td>{inner}</td></tr><tr><td>c</td></tr></table>").text == "a\t1\nb\t2\nc"


# --- hidden text


@pytest.mark.parametrize(
    "hiding",
    [
        "style='display:none'",
        "style='DISPLAY: none !important'",
        "style='visibility: hidden'",
        "style='font-size:0'",
        "style='font-size: 1px; line-height: 1px'",
        "style='font: 0/0 a'",
        "style='opacity:0'",
        "style='color:#ffffff'",
        "style='color: #FEFEFE'",
        "style='color:white;background:#fff'",
        "style='background-color:rgb(0,0,0);color:black'",
        "style='color:transparent'",
        "style='position:absolute;left:-9999px'",
        "style='text-indent:-9999px'",
        "style='max-height:0;overflow:hidden'",
        "style='height:0px;width:0px;overflow:hidden'",
        "hidden",
        "class='gone'",
        "id='gone-too'",
    ],
)
def test_text_that_no_reader_sees_stands_apart(hiding: str) -> None:
    css = "<style>/* x */ .gone { display: none } #gone-too{font-size:0px}</style>"
    page = read_html(f"{css}<p>a</p><div {hiding}>b <b>c</b></div><p>d</p>")
    assert (page.text, page.hidden) == ("a\n\nd", ("b c",))


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<div style='font-size:0'><span style='font-size:14px'>a</span></div>", id="size set again"),
        pytest.param("<div style='visibility:hidden'><p style='visibility:visible'>a</p></div>", id="visible again"),
        pytest.param("<td bgcolor=#000000><font color=white>a</font></td>", id="white on black"),
        pytest.param("<div style='background:url(x.png)'><p style='color:#fff'>a</p></div>", id="white on a picture"),
        pytest.param("<div style='background:#000'><a style='color:#fff'>a</a></div>", id="white link on black"),
        pytest.param("<style>@media print{.b{display:none}}</style><p class=b>a</p>", id="hidden in print"),
        pytest.param("<style>.b{display:none}</style><p class=b style='display:block'>a</p>", id="shown again"),
        pytest.param("<style>td .b{background:red}</style><p class=b style='color:#fff'>a</p>", id="rule not read"),
        pytest.param("<div style='overflow:hidden;max-height:900px'>a</div>", id="high enough"),
        pytest.param("<p style='font-size:0.8em'>a</p>", id="smaller"),
        pytest.param("<p style='opacity:.9'>a</p>", id="a little pale"),
        pytest.param("<p aria-hidden=true>a</p>", id="hidden from screen readers only"),
    ],
)
def test_text_that_a_reader_sees_is_not_hidden(html: str) -> None:
    page = read_html(html)
    assert (page.text, page.hidden) == ("a", ())


# --- quotes


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("<blockquote type='cite'>", id="Apple Mail, Thunderbird"),
        pytest.param("<blockquote class='gmail_quote' style='border-left:1px #ccc solid'>", id="Gmail"),
        pytest.param("<blockquote style='border-left:1px solid #0857A6; margin:10px'>", id="Mail.ru"),
        pytest.param("<div class='yahoo_quoted' id='yahoo_quoted_1'>", id="Yahoo"),
        pytest.param("<div class='protonmail_quote'>", id="Proton"),
        pytest.param("<div name='quote' style='margin:10px'>", id="GMX"),
        pytest.param("<span id='OLK_SRC_BODY_SECTION'>", id="Outlook for Mac"),
        pytest.param("<div id='mail-editor-reference-message-container'>", id="Outlook for iOS"),
        pytest.param("<blockquote class='tutanota_quote'>", id="Tuta"),
    ],
)
def test_quoting_element_is_marked(opening: str) -> None:
    name = opening[1:].split(maxsplit=1)[0]
    page = read_html(f"<div>a</div>{opening}<p>b</p><p>c</p></{name}><div>d</div>")
    assert [page.text[start:end] for start, end in page.quotes] == ["b\n\nc"]


def test_bare_blockquote_quotes_below_an_attribution() -> None:
    assert quoted("<p>a<br>6 May 2026, 14:22, Shop:</p><blockquote>b</blockquote>c") == ["b"]


@pytest.mark.parametrize(
    "opening", ["<blockquote>", "<blockquote style='margin:0 0 0 40px;border:none;padding:0px'>"], ids=["bare", "Gmail"]
)
def test_blockquote_that_only_indents_is_no_quote(opening: str) -> None:
    assert quoted(f"<p>a</p>{opening}b</blockquote>") == []


@pytest.mark.parametrize("mark", ["divRplyFwdMsg", "appendonsend", "stopSpelling", "zwchr"])
def test_everything_below_the_mark_of_a_reply_is_quoted(mark: str) -> None:
    assert quoted(f"<div>a</div><div id={mark}></div><hr><div>b</div><blockquote type=cite>c</blockquote><div>d") == [
        f"{'_' * 32}\nb\n\nc\n\nd"
    ]


def test_container_with_blockquotes_quotes_these_and_its_attribution() -> None:
    html = "<div class=gmail_quote>On 6 May Shop wrote:<blockquote class=gmail_quote>b</blockquote>c</div>d"
    assert quoted(html) == ["On 6 May Shop wrote:", "b"]


def test_container_without_blockquote_is_quoted_whole() -> None:
    assert quoted("<div>a</div><div class=gmail_quote>Forwarded message<br>b</div>c") == ["Forwarded message\nb"]


def test_quote_in_a_table_cell_shares_no_line() -> None:
    page = read_html("<table><tr><td>a</td><td><blockquote type=cite>b</blockquote></td><td>c</td></tr></table>")
    assert page.text.split() == ["a", "b", "c"]
    assert [page.text[start:end] for start, end in page.quotes] == ["b"]
    assert all(page.text[start - 1] == page.text[end] == "\n" for start, end in page.quotes)


# --- limits and hostile HTML


def test_too_many_tags_are_only_removed() -> None:
    html = "<title>t</title><style>s</style><!-- c --><p>a &amp; b</p>" + "<i>x</i>" * 10_001 + "<script>z"
    page = read_html(html)
    assert page.defects == ("html_over_10000_tags",)
    assert page.text.startswith("a & b\n")
    assert page.text.count("x") == 10_001
    assert not set("tscz") & set(page.text)


def test_too_deep_elements_are_only_removed() -> None:
    page = read_html("<div>" * 201 + "a" + "</div>" * 201 + "<p hidden>b")
    assert (page.text, page.defects) == ("a\n\nb", ("html_over_200_deep",))


def test_html_over_256_kb_is_cut() -> None:
    page = read_html("<p>" + "\u20ac" * 100_000)
    assert (page.defects, set(page.text)) == (("html_cut_at_256_kb",), {"\u20ac"})


FRAGMENTS = [
    *("<div>", "</div>", "<p>", "<br>", "<b>", "</b>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<li>", "<pre>"),
    *("<blockquote type=cite>", "</blockquote>", "<div class=gmail_quote>", "<div id=divRplyFwdMsg>", "<hr>", "<svg>"),
    *("<style>", "</style>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE html>", "<?xml ?>"),
    *("<p style='display:none'>", "<font color=white>", "<body bgcolor=black>", "<meta charset=utf-16>", "<plaintext>"),
    *("&#0;", "&#xD800;", "&nbsp;", "&", "<", ">", "'", '"', "x", " ", "\n", "\x00", "\ud800", ".a{display:none}", "{"),
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=40).map("".join))
def test_any_text_gives_sound_results(html: str) -> None:
    page = read_html(html)
    for text in (page.text, *page.hidden):
        assert "\x00" not in text
        assert text.encode().decode() == text
    places = [place for quote in page.quotes for place in quote]
    assert places == sorted(places)
    assert all(0 <= place <= len(page.text) for place in places)
    assert all(start == 0 or page.text[start - 1] == "\n" for start, _ in page.quotes)


def calls(html: str) -> int:
    """How many functions run while the HTML is read, those in C included."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        read_html(html)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        *("<div>x</div>", "<td>x", "<p>", "<", "<!--", "<a ", "&", "</b>", "<b><p>x", "<p hidden>x</p>", "<br>x"),
        *("<blockquote type=cite>x</blockquote>", "<style>.a{color:red}</style>", "<table><tr><td>x", "<pre>a\n"),
        *("<div class=gmail_quote>x<blockquote type=cite>y</blockquote></div>", "<p style='color:rgb(1,2,3)'>"),
    ],
)
def test_work_grows_with_the_length(piece: str) -> None:
    once, twice = calls(f"<p>warm</p>{piece * 500}"), calls(f"<p>warm</p>{piece * 1_000}")
    assert twice < 2.3 * once
