"""The style sheet of report pages; both color schemes, no font or file from outside."""

_LIGHT = """
--bg:#fbfbfa;--card:#ffffff;--text:#1d2330;--soft:#5b6472;--line:#dfe2e8;
--bar:#c9dcf4;--code:#f1f3f6;--severe:#b42318;--warning:#9a5b00;--note:#1f5fa8;
--good:#1b7a43;
"""
_DARK = """
--bg:#14171c;--card:#1c2027;--text:#e6e9ee;--soft:#9aa4b2;--line:#323945;
--bar:#27486f;--code:#12151a;--severe:#ff8b7e;--warning:#f0b352;--note:#7fb5f5;
--good:#6fd19a;
"""
_RULES = """
.btc{color:var(--text);background:var(--bg);line-height:1.5;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;
 font-size:16px;-webkit-text-size-adjust:100%}
body.btc{margin:0}
div.btc{padding:.5rem 1rem 1rem;border:1px solid var(--line);border-radius:10px}
.btc main{max-width:62rem;margin:0 auto;padding:1rem 1.1rem 3rem}
.btc h1{font-size:1.75rem;line-height:1.2;margin:.8rem 0 .2rem}
.btc h2{font-size:1.2rem;margin:2.2rem 0 .5rem;padding-bottom:.3rem;
 border-bottom:1px solid var(--line)}
.btc h3{font-size:1rem;margin:.1rem 0 .3rem}
.btc p{margin:.35rem 0}.btc .finding p{overflow-wrap:anywhere}
.btc .subtitle,.btc .lead,.btc .research,.btc figcaption,.btc caption{
 color:var(--soft);font-size:.9rem}
.btc .lead{max-width:46rem}
.btc .tiles{display:grid;gap:.6rem;margin:1rem 0;
 grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr))}
.btc .tile{background:var(--card);border:1px solid var(--line);border-radius:10px;
 padding:.7rem .9rem;border-top:3px solid var(--line)}
.btc .tile b{display:block;font-size:1.5rem;line-height:1.2;
 font-variant-numeric:tabular-nums}
.btc .tile span{color:var(--soft);font-size:.85rem}
.btc .finding,.btc .pair{background:var(--card);border:1px solid var(--line);
 border-left:4px solid var(--line);border-radius:8px;padding:.7rem .9rem;
 margin:.6rem 0}
.btc .badge{font-size:.75rem;font-weight:600;border:1px solid currentColor;
 border-radius:99px;padding:.05rem .5rem;white-space:nowrap;margin-right:.35rem}
.btc .severe{--tone:var(--severe)}.btc .warning{--tone:var(--warning)}
.btc .note{--tone:var(--note)}.btc .good{--tone:var(--good)}
.btc .finding,.btc .pair{border-left-color:var(--tone,var(--line))}
.btc .tile{border-top-color:var(--tone,var(--line))}
.btc .badge,.btc .tile b{color:var(--tone,inherit)}
.btc pre{background:var(--code);border-radius:6px;padding:.5rem .7rem;margin:.5rem 0 0;
 overflow-x:auto;font-size:.83rem;line-height:1.45}
.btc code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.btc .scroll{overflow-x:auto;margin:.6rem 0}
.btc table{border-collapse:collapse;min-width:60%;font-size:.9rem;
 background:var(--card)}
.btc caption{text-align:left;padding:.2rem 0}
.btc th,.btc td{padding:.35rem .65rem;border-bottom:1px solid var(--line);
 text-align:left;color:var(--text);background:var(--card)}
.btc td{min-width:4.5rem}.btc td.num{min-width:2.5rem}
.btc th{font-weight:600;vertical-align:bottom}
.btc .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.btc .bar{position:relative;min-width:7rem}
.btc .bar i{position:absolute;left:0;top:18%;bottom:18%;background:var(--bar);
 border-radius:0 3px 3px 0}
.btc .bar span{position:relative}
.btc .gallery{display:grid;gap:.7rem;
 grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr))}
.btc .pair{margin:0}
.btc .sides{display:grid;grid-template-columns:1fr 1fr;gap:.5rem}
.btc figure{margin:0}
.btc figure img{max-width:100%;height:auto;border-radius:4px;display:block}
.btc .sides img{width:100%;aspect-ratio:1;object-fit:contain;background:#000}
.btc .gone{aspect-ratio:1;display:grid;place-items:center;color:var(--soft);
 border:1px dashed var(--line);font-size:.8rem;text-align:center}
.btc figcaption{overflow-wrap:anywhere;font-size:.78rem;margin-top:.25rem}
.btc .facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;
 font-size:.9rem;margin:.5rem 0}
.btc .facts dt{color:var(--soft)}.btc .facts dd{margin:0}
@media (max-width:34rem){.btc pre{white-space:pre-wrap;overflow-wrap:anywhere}
 .btc .facts{grid-template-columns:1fr}
 .btc .facts dd{margin-bottom:.4rem}}
@media print{.btc .finding,.btc .pair,.btc tr{break-inside:avoid}}
"""
STYLE = (
    f".btc{{{_LIGHT}}}\n@media (prefers-color-scheme:dark){{.btc{{{_DARK}}}}}\n{_RULES}"
)
