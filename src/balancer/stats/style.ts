/** The page's dress. The nine states keep HAProxy's hues, so that an eye trained on its page reads this one. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --line: #c9d1dc; --head: #24405f; --head-ink: #fff; --soft: #eef2f7; --accent: #1d6fa5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --paper: #14181e; --line: #3a4452; --head: #1f3650; --head-ink: #e4e8ee; --soft: #1d232c; --accent: #6db6ea; }
}
body { font: 13px/1.4 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 1.2em; }
h1 { font-size: 1.5em; margin: 0; } h2 { font-size: 1.05em; font-weight: normal; margin: 0 0 1em; }
h3 { font-size: 1em; margin: 0 0 .3em; } a { color: var(--accent); } ul { margin: 0; padding-left: 1.2em; } p { margin: 0; }
.process { display: flex; flex-wrap: wrap; gap: 1em 2.5em; border: 1px solid var(--line); border-radius: 6px; padding: .8em 1em; margin-bottom: 1.5em; }
.notice { background: #ffd020; color: #000; padding: .4em .8em; border-radius: 4px; margin-bottom: 1em; display: inline-block; }
.proxy { margin-bottom: 1.8em; } .proxy h3 a { color: inherit; text-decoration: none; font-size: 1.15em; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.proxy table { font-size: 11.5px; width: 100%; }
.proxy th, .proxy td { border: 1px solid var(--line); padding: 2px 5px; white-space: nowrap; text-align: right; }
.proxy thead th { background: var(--head); color: var(--head-ink); text-align: center; font-weight: 600; }
.proxy tbody th { text-align: left; } .proxy tbody th a { color: inherit; text-decoration: none; }
.proxy td.ac { text-align: center; } .proxy td.empty { background: var(--paper); }
abbr { text-decoration: underline dotted; text-underline-offset: 2px; cursor: help; } .k { letter-spacing: 0; margin-right: .2em; }
.lgd td { border: 1px solid var(--line); padding: 1px 8px; } .lgd td:empty { width: 1.6em; }
.frontend, .backend { background: var(--soft); } .backend { font-weight: 600; }
.active_up { background: #c0ffc0; color: #000; } .backup_up { background: #b0d0ff; color: #000; }
.active_going_down { background: #ffffa0; color: #000; } .backup_going_down { background: #c060ff; color: #000; }
.active_going_up { background: #ffd020; color: #000; } .backup_going_up { background: #ff80ff; color: #000; }
.active_down, .backup_down { background: #ff9090; color: #000; } .active_no_check, .backup_no_check { background: #e0e0e0; color: #000; }
.active_draining { background: #20a0ff; color: #000; } .backup_draining { background: #cc9900; color: #000; } .maintain { background: #c07820; color: #000; }
@media (prefers-color-scheme: dark) {
  .active_up { background: #165900; color: #e8e6e3; } .backup_up { background: #1d3b66; color: #e8e6e3; }
  .active_going_down { background: #6c6c00; color: #e8e6e3; } .backup_going_down { background: #580092; color: #e8e6e3; }
  .active_going_up { background: #7a6000; color: #e8e6e3; } .backup_going_up { background: #7f007f; color: #e8e6e3; }
  .active_down, .backup_down { background: #760000; color: #e8e6e3; } .active_no_check, .backup_no_check { background: #2c333c; color: #e8e6e3; }
  .active_draining { background: #00568f; color: #e8e6e3; } .backup_draining { background: #6e5200; color: #e8e6e3; } .maintain { background: #7d4c12; color: #e8e6e3; }
}
`;
