"""The look: the palette of the reports, and the few rules that Streamlit lacks."""

from brain_tumor_clf.reports import RESEARCH_ONLY

_SHARED = {
    "font": "sans-serif",
    "baseRadius": "10px",
    "showWidgetBorder": True,
    "headingFontWeights": [600, 600, 600],
    "headingFontSizes": ["1.75rem", "1.25rem", "1.05rem"],
}
_LIGHT = {
    "primaryColor": "#1f5fa8",
    "backgroundColor": "#fbfbfa",
    "secondaryBackgroundColor": "#f1f3f6",
    "textColor": "#1d2330",
    "borderColor": "#dfe2e8",
    "linkColor": "#1f5fa8",
}
_DARK = {
    "primaryColor": "#5b9ee0",
    "backgroundColor": "#14171c",
    "secondaryBackgroundColor": "#1c2027",
    "textColor": "#e6e9ee",
    "borderColor": "#323945",
    "linkColor": "#7fb5f5",
}
# Streamlit sets the color scheme of the page, so `light-dark` follows its theme, which
# is the system's unless a visitor chooses another.
CSS = """<style>
.stMainBlockContainer{max-width:66rem;padding-top:4rem;padding-bottom:2rem}
.btc{--accent:light-dark(#1f5fa8,#7fb5f5);--doubt:light-dark(#9a5b00,#f0b352);--bad:light-dark(#b42318,#ff8b7e);
 --soft:light-dark(#5b6472,#9aa4b2);--line:light-dark(#dfe2e8,#323945);
 --track:light-dark(#eceff3,#262c36);line-height:1.45}
.btc p{margin:.45rem 0 0;font-size:.95rem}
.btc .soft,.btc.soft{color:var(--soft);font-size:.875rem}
.btc-head{border-left:4px solid var(--tone,var(--line));padding:.1rem 0 .15rem .85rem}
.btc-head .kind{color:var(--tone,var(--soft));font-size:.85rem;font-weight:600}
.btc-head .what{font-size:1.7rem;font-weight:650;line-height:1.2;overflow-wrap:anywhere}
.btc-head .sure{color:var(--soft);font-weight:400;font-size:1.2rem;
 font-variant-numeric:tabular-nums;white-space:nowrap}
.btc .tone-good{--tone:var(--accent)}.btc .tone-doubt{--tone:var(--doubt)}
.btc .tone-bad{--tone:var(--bad)}
.btc-bars{display:grid;grid-template-columns:max-content 1fr max-content;
 gap:.45rem .7rem;align-items:center;margin:.2rem 0 .1rem;font-size:.92rem}
.btc-bars .track{position:relative;height:.85rem;border-radius:4px;
 background:var(--track)}
.btc-bars .fill{position:absolute;inset:0 auto 0 0;border-radius:4px;min-width:2px;
 background:var(--soft);opacity:.55}
.btc-bars .first .fill,.btc-bars .fill.first{background:var(--accent);opacity:1}
.btc-bars .limit{position:absolute;top:-.22rem;bottom:-.22rem;width:2px;
 background:var(--doubt)}
.btc-bars .first{font-weight:600}
.btc-bars .value{text-align:right;font-variant-numeric:tabular-nums}
.btc-warn{display:flex;gap:.55rem;margin-top:.2rem;padding:.55rem .75rem;
 border:1px solid var(--line);border-left:4px solid var(--doubt);border-radius:8px;
 font-size:.92rem}
.btc-warn b{color:var(--doubt)}
.btc dl.btc-facts{margin-left:0;padding-left:0}.btc-sub{margin-top:-.9rem}
.btc-facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;
 margin:.2rem 0 .6rem;padding:0;font-size:.95rem}
.btc dl.btc-facts dt{color:var(--soft);margin:0;padding:0}
.btc dl.btc-facts dd{margin:0;overflow-wrap:anywhere}
@media (max-width:34rem){.btc-facts{grid-template-columns:1fr}
 .btc dl.btc-facts dd{margin-bottom:.35rem}}
.btc-foot{margin-top:2.2rem;padding-top:.7rem;border-top:1px solid var(--line);
 color:var(--soft);font-size:.82rem}
.stImage img{border-radius:8px;background:#000}
</style>"""


def theme_options():
    """Streamlit's theme options by name, such as "theme.dark.textColor"."""
    options = {f"theme.{name}": value for name, value in _SHARED.items()}
    for scheme, colors in (("light", _LIGHT), ("dark", _DARK)):
        options |= {f"theme.{scheme}.{name}": value for name, value in colors.items()}
    return options


def footer(model):
    """The last line of every page: HTML."""
    return (
        f'<div class="btc"><div class="btc-foot">{RESEARCH_ONLY} '
        f"Model {model.model_id}.</div></div>"
    )


def page_icon():
    """A head in outline, drawn: an icon by name would be fetched from the network."""
    from PIL import Image, ImageDraw

    side = 64
    icon = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(icon)
    draw.ellipse((9, 3, 55, 61), fill=(31, 95, 168, 255))
    draw.ellipse((17, 12, 47, 52), fill=(214, 228, 244, 255))
    draw.line((32, 14, 32, 50), fill=(31, 95, 168, 255), width=3)
    draw.ellipse((36, 22, 45, 31), fill=(226, 120, 60, 255))
    return icon
