"""Look of the monitor page: calm, readable, tabular figures."""

STYLE = """
<style>
.sl { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; color: #1f2933;
      font-size: 14px; line-height: 1.45; font-variant-numeric: tabular-nums; }
.sl h1 { font-size: 20px; font-weight: 650; margin: 0; }
.sl .quiet { color: #61707f; }
.sl .gain { color: #23734a; } .sl .loss { color: #b42323; }
.sl .big { font-size: 20px; font-weight: 650; }
.sl .bar { height: 6px; border-radius: 3px; background: #e4e9ee; overflow: hidden;
           max-width: 220px; margin-top: 3px; }
.sl .bar i { display: block; height: 100%; background: #dd6b20; }
.sl .tag { display: inline-block; padding: 1px 8px; border-radius: 9px; font-size: 12px;
           background: #edf2f7; color: #44515e; }
.sl .tag.bad { background: #fde8e8; color: #9b1c1c; } .sl .tag.good { background: #def7ec;
               color: #03543f; }
.sl table { border-collapse: collapse; } .sl td { padding: 1px 14px 1px 0; }
.sl td.num { text-align: right; }
.sl-card { background: #fff; border: 1px solid #dde4ea; border-radius: 10px;
           padding: 12px 16px; margin: 0 0 10px 0; overflow: visible; }
.sl-page { max-width: 1180px; margin: 0 auto; padding: 16px; }
.sl-page .widget-button, .sl-page .jupyter-button { border-radius: 6px; font-weight: 550;
           height: 34px; }
.sl .head { display: flex; gap: 26px; flex-wrap: wrap; align-items: baseline; }
body { background: #f4f6f8 !important; }
</style>
"""
