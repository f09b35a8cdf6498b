"""The page of ./exo inspect: one file without a network, light or dark as its reader has it, to be read by keyboard and without colours."""

from html import escape

# Eight colours that people with any colour blindness tell apart (Okabe and Ito's, and a grey); each owner also has a pattern of its own.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b0a000", "#7f7f7f")
PATTERNS = ('<path d="M0 0h6v6H0z"/>', '<path d="M0 0h6v2H0z"/>', '<path d="M0 0h2v6H0z"/>', '<path d="M0 6L6 0" stroke-width="1.6"/>',
            '<path d="M0 0L6 6" stroke-width="1.6"/>', '<circle cx="3" cy="3" r="1.6"/>', '<path d="M0 0h3v3H0zM3 3h3v3H3z"/>',
            '<path d="M0 2h6v2H0zM2 0h2v6H2z"/>')
STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--paper:#fff;--soft:#666;--line:#bbb;--mark:#0072b2;--edge:#8884}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#16181b;--soft:#a5a5a5;--line:#555;--mark:#56b4e9;--edge:#9994}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:0 auto;padding:1rem}
h1{margin:.2em 0}nav a{margin-right:1em}a{color:var(--mark)}section{margin:2.2rem 0}p.says{color:var(--soft);max-width:50rem}
svg{width:100%;height:auto;font-size:12px}svg text{fill:var(--ink)}
text.small{font-size:10px;fill:var(--soft)}text.head{font-weight:600}text.name{font-weight:600}
.axis,.cover{stroke:var(--line)}
.edge{fill:none;stroke:var(--edge);stroke-width:1.2}.edge.call{stroke-dasharray:4 3}.edge.on{stroke:var(--mark);stroke-width:2.4}
.node{cursor:default}.node circle,.node rect{fill:var(--ink)}.node:focus,.node.on{outline:none;font-weight:700}
.node:focus circle,.node:focus rect{stroke:var(--mark);stroke-width:3}
.label rect{fill:var(--paper);stroke:var(--line)}.label.there rect{stroke:var(--ink);stroke-width:2}
.used{fill:var(--mark);fill-opacity:.55}.owed{fill:none;stroke:var(--ink);stroke-width:1.4}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.15rem .7rem .15rem 0;text-align:left;border-bottom:1px solid var(--line)}
td:not(:first-child){text-align:left}tr:focus{outline:2px solid var(--mark)}svg.key{width:26px;height:14px;vertical-align:middle}
svg.dim rect:not(.on){opacity:.15}details summary{cursor:pointer;color:var(--mark)}
.o0{fill:none}.o1{fill:var(--line);fill-opacity:.25}.o2{fill:var(--ink)}.o3{fill:url(#pk)}.o4{fill:url(#ps)}
"""
SCRIPT = """
const on=(n,yes)=>{for(const e of document.querySelectorAll('.edge'))if(e.dataset.a===n||e.dataset.b===n)e.classList.toggle('on',yes)};
for(const n of document.querySelectorAll('.node')){const k=n.dataset.n;
for(const[t,y]of[['focus',1],['blur',0],['mouseenter',1],['mouseleave',0]])n.addEventListener(t,()=>on(k,!!y))}
const map=document.querySelector('#frames svg');
for(const r of document.querySelectorAll('#frames tr[data-o]')){const show=y=>{map.classList.toggle('dim',y);
for(const c of map.querySelectorAll('rect'))c.classList.toggle('on',y&&c.dataset.o===r.dataset.o)};
for(const[t,y]of[['focus',1],['blur',0],['mouseenter',1],['mouseleave',0]])r.addEventListener(t,()=>show(!!y))}
"""


def pattern(name, colour, shape):
    return (f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 0h6v6H0z" fill="{colour}" fill-opacity=".35"/>'
            f'<g fill="{colour}" stroke="{colour}" stroke-width="0">{shape}</g></pattern>')


def page(title, facts, views, link):
    """`link`: where a page below docs/ is, seen from the file."""
    patterns = "".join(pattern(f"p{at}", colour, shape) for at, (colour, shape) in enumerate(zip(COLOURS, PATTERNS)))
    patterns += pattern("pk", "#888", PATTERNS[6]) + pattern("ps", "#888", PATTERNS[5])
    fills = "".join(f".c{at}{{fill:url(#p{at})}}" for at in range(len(COLOURS)))
    out = [f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
           f"<style>{STYLE}{fills}</style></head><body>",
           f'<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{patterns}</defs></svg>',
           f"<header><h1>{escape(title)}</h1><p>{escape(facts)}</p><nav aria-label=\"views\">",
           "".join(f'<a href="#{view.key}">{escape(view.title)}</a>' for view in views), "</nav></header><main>"]
    for view in views:
        out.append(f'<section id="{view.key}" aria-labelledby="h-{view.key}"><h2 id="h-{view.key}">{escape(view.title)}</h2>'
                   f'<p class="says">{escape(view.says)} <a href="{escape(link(view.page), True)}">The tour explains it.</a></p>{view.picture}')
        out.append(view.table if view.key == "frames" else f"<details><summary>The same as a table</summary>{view.table}</details>")
        out.append("</section>")
    out.append(f"</main><script>{SCRIPT}</script></body></html>\n")
    return "\n".join(out)
