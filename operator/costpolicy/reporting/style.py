"""How the page looks: one style sheet, light and dark, from a phone to paper."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #16202c; --quiet: #566373; --line: #dfe4ea; --accent: #0b6e66;
  --good: #0a7a4b; --bad: #b42335; --unsure: #8a6100; --track: #e9edf1; --coming: #9fcfc8; --over: #e08a94; --mark: #16202c;
  --s0: #0b6e66; --s1: #3b6fd4; --s2: #d9822b; --s3: #8b5fbf; --s4: #cf4d7d; --s5: #a3adb9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10161d; --card: #18202a; --text: #e7edf3; --quiet: #a2aebb; --line: #2b3643; --accent: #5cc9bb;
    --good: #5fd39b; --bad: #ff8b98; --unsure: #e6bd5c; --track: #27313d; --coming: #2f6660; --over: #8c3d48; --mark: #e7edf3;
    --s0: #43b3a6; --s1: #7aa2f0; --s2: #eba55a; --s3: #b695e0; --s4: #ee86ad; --s5: #66717e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 32px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.15rem; margin: 0 0 4px; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 0; }
a { color: var(--accent); }
.quiet { color: var(--quiet); }
.small { font-size: 0.875rem; }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin: 20px 0; }
section > .quiet:first-of-type { margin-bottom: 14px; }
.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px;
  padding: 0; margin: 20px 0; list-style: none;
}
.figures li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.figures .name { color: var(--quiet); font-size: 0.875rem; display: block; }
.figures .value {
  font-size: 1.35rem; font-weight: 650;
  font-variant-numeric: tabular-nums; display: block; overflow-wrap: anywhere;
}
.figures .note { font-size: 0.8125rem; color: var(--quiet); display: block; }
.unit { font-size: 0.8125rem; font-weight: 500; color: var(--quiet); }
svg { display: block; width: 100%; }
.chart { display: grid; grid-template-columns: max-content 1fr; column-gap: 10px; }
.chart .scale {
  display: flex; flex-direction: column; justify-content: space-between;
  text-align: right; height: 212px; margin-top: -6px;
}
.chart .scale, .chart .days { font-size: 0.75rem; line-height: 1; color: var(--quiet); font-variant-numeric: tabular-nums; }
.chart .days { grid-column: 2; display: flex; padding-top: 8px; }
.chart .days span { flex: 1 1 0; min-width: 0; white-space: nowrap; }
.bars { height: 200px; }
.share { height: 6px; border-radius: 3px; margin-top: 6px; }
.bullet { height: 14px; } .whisker { height: 20px; } .signed { height: 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; padding: 0; margin: 14px 0 0; font-size: 0.875rem; }
.legend li { display: flex; align-items: center; gap: 7px; overflow-wrap: anywhere; }
.legend .key { flex: none; width: 11px; height: 11px; border-radius: 3px; }
.s0 { fill: var(--s0); background: var(--s0); }
.s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); }
.s3 { fill: var(--s3); background: var(--s3); }
.s4 { fill: var(--s4); background: var(--s4); }
.s5 { fill: var(--s5); background: var(--s5); }
.grid { stroke: var(--line); fill: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.track { fill: var(--track); } .coming { fill: var(--coming); } .over { fill: var(--over); } .mark { fill: var(--mark); }
.good { fill: var(--good); color: var(--good); }
.bad { fill: var(--bad); color: var(--bad); }
.unsure { fill: var(--unsure); color: var(--unsure); }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
th { text-align: left; font-weight: 550; color: var(--quiet); font-size: 0.8125rem; }
th, td { padding: 9px 12px 9px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
tr.sum td { font-weight: 650; border-top: 2px solid var(--line); }
.change { border-top: 1px solid var(--line); padding: 18px 0; display: grid; grid-template-columns: 1fr 1fr; gap: 10px 32px; }
.change:last-child { padding-bottom: 0; }
.change .whole { grid-column: 1 / -1; }
.big { font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.parts { display: grid; grid-template-columns: max-content 1fr max-content; gap: 4px 12px; align-items: center; font-size: 0.875rem; }
details { font-size: 0.9375rem; } summary { cursor: pointer; color: var(--accent); }
details p { margin-top: 8px; max-width: 75ch; overflow-wrap: anywhere; }
.state {
  display: inline-block; font-size: 0.8125rem; border: 1px solid var(--line);
  border-radius: 20px; padding: 0 9px; white-space: nowrap;
}
ul.plain { margin: 8px 0 0; padding-left: 20px; }
footer { padding-bottom: 40px; }
@media (max-width: 640px) {
  header { padding-top: 22px; }
  main, header, footer { padding-left: 12px; padding-right: 12px; }
  section { padding: 16px 14px; margin: 14px 0; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; margin: 14px 0; }
  .figures li { padding: 10px 12px; } .figures .value { font-size: 1.1rem; }
  .wide { display: none; }
  .change { grid-template-columns: 1fr; }
  th, td { padding-right: 8px; }
}
@media print {
  body { background: none; } section { break-inside: avoid; } details > * { display: block; }
}
"""
