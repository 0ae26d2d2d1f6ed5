// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/interactive.h"

namespace signstep {

const char* chart_page_script() {
  return R"js(
(() => {
  if (typeof Dygraph === 'undefined') return;
  const dark = matchMedia('(prefers-color-scheme: dark)'), touch = matchMedia('(pointer: coarse)');
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const ink = color => dark.matches && color === '#000000' ? '#e8e8e8' : color;
  const dashes = {dashed: [8, 5], dotted: [2, 4], dashdotted: [8, 4, 2, 4]};
  const lineless = style => ['points', 'bars', 'rings', 'squares'].includes(style);
  const text = (tag, name, content) => {
    const e = document.createElement(tag);
    e.className = name;
    e.textContent = content;
    return e;
  };
  const shown = v => v === null || Number.isNaN(v) ? '' : String(+v.toPrecision(5));
  const charts = [];

  // One row for each x of any curve; null: the curve has no point there, NaN: it has a gap.
  const rowsOf = (c, bars) => {
    const rows = new Map();
    const none = () => bars ? [null, null, null] : null;
    c.series.forEach((s, k) => s.x.forEach((x, i) => {
      if (x === null || (c.logX && x <= 0)) return;
      if (!rows.has(x)) rows.set(x, [x, ...c.series.map(none)]);
      const fit = v => v === null || (c.logY && v <= 0) ? NaN : v;
      const y = fit(s.y[i]);
      const end = e => { const v = e ? fit(e[i]) : y; return Number.isNaN(v) ? y : v; };
      rows.get(x)[k + 1] = bars ? [end(s.low), y, end(s.high)] : y;
    }));
    return [...rows.values()].sort((a, b) => a[0] - b[0]);
  };

  // Points, with their bars.
  const plotter = style => e => {
    const ctx = e.drawingContext, area = e.plotArea;
    ctx.strokeStyle = ctx.fillStyle = e.color;
    ctx.lineWidth = 1.8;
    for (const p of e.points) {
      if (p.yval === null || Number.isNaN(p.yval)) continue;
      if (style === 'bars' && p.y_top !== undefined && !Number.isNaN(p.y_top)) {
        const top = area.y + area.h * p.y_top, bottom = area.y + area.h * p.y_bottom;
        ctx.beginPath();
        ctx.moveTo(p.canvasx, top);
        ctx.lineTo(p.canvasx, bottom);
        for (const y of [top, bottom]) { ctx.moveTo(p.canvasx - 5, y); ctx.lineTo(p.canvasx + 5, y); }
        ctx.stroke();
      }
      ctx.beginPath();
      const open = style === 'rings' || style === 'squares';
      if (style === 'squares') ctx.rect(p.canvasx - 8, p.canvasy - 8, 16, 16);
      else ctx.arc(p.canvasx, p.canvasy, open ? 8 : style === 'bars' ? 4.5 : 2.5, 0, 7);
      open ? ctx.stroke() : ctx.fill();
    }
  };

  const underlay = c => (ctx, area, g) => {
    ctx.save();
    ctx.setLineDash([4, 4]);
    const stroke = (x0, y0, x1, y1, color) => {
      ctx.strokeStyle = color;
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
    };
    for (const m of c.markers) {
      const x = g.toDomXCoord(m.x);
      if (x >= area.x && x <= area.x + area.w) stroke(x, area.y, x, area.y + area.h, ink(m.color));
    }
    for (const l of c.lines) {
      const y = g.toDomYCoord(l.y);
      if (y >= area.y && y <= area.y + area.h) stroke(area.x, y, area.x + area.w, y, css('--ink'));
    }
    ctx.restore();
  };

  const xText = (c, x) => c.names.length ? c.names[Math.round(x)] || '' : c.x + ' ' + shown(x);
  const nameWidth = c => 14 + 6.6 * Math.max(...c.names.map(n => n.length));
  const nameTicks = c => (low, high) =>
    c.names.map((label, v) => ({v, label})).filter(t => t.v >= low && t.v <= high);
  const wholeTicks = (low, high, pixels, ...more) => {
    let apart = 1;
    while ((high - low) / apart * 36 > pixels) apart *= String(apart)[0] === '2' ? 2.5 : 2;
    const ticks = [];
    for (let v = Math.ceil(low / apart) * apart; v <= high; v += apart) ticks.push({v, label: String(v)});
    return ticks.length ? ticks : Dygraph.numericLinearTicks(low, high, pixels, ...more);
  };

  const switchCurve = (name, on) => {
    for (const {c, g, keys} of charts)
      c.series.forEach((s, k) => {
        if (s.name !== name && s.of !== name) return;
        g.setVisibility(k, on);
        if (keys[k]) keys[k].setAttribute('aria-pressed', on);
      });
  };

  const draw = data => {
    const c = JSON.parse(data.textContent), figure = data.closest('figure');
    if (c.names.length * nameWidth(c) > figure.clientWidth - 60) return;  // the picture has them upright
    const bars = c.series.some(s => s.low), key = text('div', 'key', ''), at = text('span', 'at', '');
    const box = text('div', 'live', ''), plot = text('div', 'plot', '');
    const foot = text('div', 'axis foot', '');
    foot.append(at, text('span', '', c.names.length ? '' : c.x));
    box.append(text('div', 'axis', c.y), plot, foot, key);
    plot.setAttribute('role', 'img');
    plot.setAttribute('aria-label', figure.querySelector('h3, figcaption').textContent);
    figure.insertBefore(box, data);
    figure.classList.add('drawn');
    const options = {
      labels: ['x', ...c.series.map((s, k) => 's' + k)], series: {}, customBars: bars, fillAlpha: 0.16,
      connectSeparatedPoints: true, drawGapEdgePoints: true, pointSize: 2.5, highlightCircleSize: 4, legend: 'never',
      logscale: c.logY, axes: {x: {logscale: c.logX, drawGrid: !c.names.length}, y: {axisLabelWidth: 58}},
      xRangePad: c.names.length ? 40 : 6, yRangePad: 8, strokeWidth: 1.8, underlayCallback: underlay(c),
      gridLineColor: css('--grid'), axisLineColor: css('--ink'),
    };
    const label = v => shown(v);
    options.axes.x.axisLabelFormatter = options.axes.y.axisLabelFormatter = label;
    if (c.names.length) options.axes.x.ticker = nameTicks(c), options.axes.x.axisLabelWidth = nameWidth(c);
    else if (c.wholeX) options.axes.x.ticker = wholeTicks;
    if (c.yLow !== null || c.yHigh !== null) options.valueRange = [c.yLow, c.yHigh];
    const rows = rowsOf(c, bars);
    if (c.names.length) options.dateWindow = [-0.6, c.names.length - 0.4];
    else if (c.xLow !== null) options.dateWindow = [c.xLow, rows[rows.length - 1][0]];
    else if (c.logX) options.dateWindow = [rows[0][0] / 1.1, rows[rows.length - 1][0] * 1.1], options.xRangePad = 0;
    else if (rows.length === 1) options.dateWindow = [rows[0][0] - 1, rows[0][0] + 1];
    c.series.forEach((s, k) => {
      const o = options.series['s' + k] = {color: ink(s.color)};
      if (dashes[s.style]) o.strokePattern = dashes[s.style];
      if (s.style === 'faint') o.strokeWidth = 0.6;
      if (s.style === 'linepoints') o.drawPoints = true;
      if (lineless(s.style)) o.plotter = plotter(s.style), o.highlightCircleSize = 0;
    });
    const values = {}, keys = {};
    c.series.forEach((s, k) => {
      if (!s.name) return;
      const button = text('button', 'name ' + s.style, ''), value = text('output', '', '');
      button.type = 'button';
      button.setAttribute('aria-pressed', true);
      button.style.setProperty('--curve', ink(s.color));
      button.append(text('i', '', ''), text('span', '', s.name), value);
      button.onclick = () => switchCurve(s.name, button.getAttribute('aria-pressed') !== 'true');
      key.append(button);
      values[k] = value;
      keys[k] = button;
    });
    for (const m of [...c.markers, ...c.lines]) {
      if (!m.name) continue;
      const note = text('span', 'name dashed', '');
      note.style.setProperty('--curve', m.color ? ink(m.color) : css('--ink'));
      note.append(text('i', '', ''), text('span', '', m.name));
      key.append(note);
    }
    const clear = () => { at.textContent = ''; Object.values(values).forEach(v => { v.textContent = ''; }); };
    options.highlightCallback = (event, x, points) => {
      clear();
      at.textContent = xText(c, x);
      for (const p of points) if (values[p.name.slice(1)]) values[p.name.slice(1)].textContent = shown(p.yval);
    };
    options.unhighlightCallback = clear;
    const home = {dateWindow: options.dateWindow || null, valueRange: options.valueRange || null};
    options.zoomCallback = function() { if (!this.isZoomed('x') && !this.isZoomed('y')) this.updateOptions(home); };
    if (touch.matches) {  // a finger scrolls the page; a tap still shows values
      const model = Object.assign({}, Dygraph.defaultInteractionModel);
      for (const name of Object.keys(model)) if (name.startsWith('touch')) delete model[name];
      options.interactionModel = model;
    }
    charts.push({c, keys, g: new Dygraph(plot, rows, options)});
  };
  document.querySelectorAll('script.chart').forEach(draw);
  dark.addEventListener('change', () => {
    for (const {c, g, keys} of charts) {
      const series = {};
      c.series.forEach((s, k) => {
        series['s' + k] = {color: ink(s.color)};
        if (keys[k]) keys[k].style.setProperty('--curve', ink(s.color));
      });
      g.updateOptions({series, gridLineColor: css('--grid'), axisLineColor: css('--ink')});
    }
  });
})();
)js";
}

}  // namespace signstep
