// SPDX-License-Identifier: Apache-2.0
// Uses a report as its reader does and writes what came of it into <pre id="probe">.
#pragma once

namespace signstep {

inline constexpr const char* kPageProbe = R"js(
(() => {
  const errors = [];
  addEventListener('error', e => errors.push(String(e.message)));
  const rect = e => e.getBoundingClientRect();
  const words = e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
  const overlap = (a, b) => a.width && b.width && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const overlaps = [];
  const none = (where, boxes) => boxes.forEach(([x, a], i) => boxes.slice(i + 1).forEach(([y, b]) => {
    if (overlap(a, b)) overlaps.push([where, x, y]);
  }));
  const mouse = (target, type, x, y, more) => target.dispatchEvent(
      new MouseEvent(type, Object.assign({bubbles: true, cancelable: true, view: window, clientX: x, clientY: y}, more)));
  const probe = () => {
    const out = {errors, overlaps, width: innerWidth};
    out.charts = [...document.querySelectorAll('figure')].filter(f => f.querySelectorAll('.plot canvas').length === 2).length;
    out.sideways = document.documentElement.scrollWidth > innerWidth;
    out.pictures_seen = [...document.querySelectorAll('figure > svg')].filter(s => rect(s).width).length;
    for (const f of document.querySelectorAll('figure')) {
      const live = f.querySelector('.live');
      none(f.id, [...live.children].map(e => [e.className, rect(e)]));
      none(f.id, [...live.querySelectorAll('.key > *')].map(e => [e.textContent, rect(e)]));
      none(f.id, [...live.querySelectorAll('.dygraph-axis-label')].map(e => [e.textContent, words(e)]));
    }
    const xLabels = f => [...f.querySelectorAll('.dygraph-axis-label-x')].map(e => e.textContent).filter(t => t);
    out.blank = [...document.querySelectorAll('figure')].filter(f => xLabels(f).length < 2).map(f => f.id);
    const figure = document.querySelector('figure'), canvas = figure.querySelector('.plot canvas:last-of-type');
    figure.scrollIntoView();
    out.plot_share = rect(figure.querySelector('.plot')).width / rect(figure.parentElement).width;
    const box = rect(canvas), at = share => box.left + 60 + (box.width - 66) * share, y = box.top + box.height / 2;
    mouse(canvas, 'mousemove', at(0.5), y);
    out.at = figure.querySelector('.at').textContent;
    out.values = [...figure.querySelectorAll('output')].map(o => o.textContent);
    const labels = () => xLabels(figure).join();
    const before = labels();
    mouse(canvas, 'mousedown', at(0.6), y, {button: 0});
    mouse(document, 'mousemove', at(0.7), y);
    mouse(document, 'mousemove', at(0.9), y);
    mouse(document, 'mouseup', at(0.9), y);
    out.labels = [before, labels()];
    out.zoomed = labels() !== before;
    mouse(canvas, 'mousedown', at(0.5), y, {button: 0});
    mouse(document, 'mouseup', at(0.5), y);
    mouse(canvas, 'dblclick', at(0.5), y);
    out.labels.push(labels());
    out.unzoomed = labels() === before;
    const first = figure.querySelector('button.name'), name = first.querySelector('span').textContent;
    first.click();
    const same = [...document.querySelectorAll('button.name')].filter(b => b.querySelector('span').textContent === name);
    out.shown_in = same.length;
    out.switched_off = same.filter(b => b.getAttribute('aria-pressed') === 'false').length;
    const pre = document.createElement('pre');
    pre.id = 'probe';
    pre.textContent = JSON.stringify(out);
    document.body.append(pre);
  };
  setTimeout(probe, 500);
})();
)js";

}  // namespace signstep
