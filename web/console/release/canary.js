// A canary: a revision that takes a growing share of the callers.
import { el } from '/shared/dom.js';
import { post, versionPath } from '/shared/api.js';
import { decide } from '/shared/deed.js';
import { badge, short, when } from '/shared/format.js';

const unit = (measure) => (measure === 'errors' ? ' %' : ' ms');
const bound = (b) => `${b.measure} over ${b.over}${unit(b.measure)}`;

// planOf tells a plan in words.
export function planOf(p) {
  return `${p.steps.join(', ')} and 100 % of the callers, each step ${p.every} at least` + ((p.stopOn ?? []).length ? `; back on ${p.stopOn.map(bound).join(' or ')}` : '');
}

export function canary(ctx, environment, c) {
  const now = c.steps[c.step] ?? 100, paused = c.state === 'paused';
  const run = (verb) => (reason) => post(versionPath(ctx.id, verb), { environment, reason: reason || undefined });
  const { may } = ctx;
  const verbs = [
    paused ? may.resume && { text: 'Resume', look: 'first', run: run('resume') } : may.pause && { text: 'Pause', look: '', run: run('pause') },
    may.finish && { text: 'Give it all callers', look: '', sure: 'All callers at once. Do it?', run: run('finish') },
    may.abort && { text: 'Send all back', look: 'danger', sure: 'Really send all back?', run: run('abort') },
  ].filter(Boolean);
  return el('section', { class: 'notice ' + (paused ? 'warn' : 'good'), 'aria-label': `Canary in ${environment}` },
    el('div', { class: 'row' }, el('strong', {}, 'Canary'), el('code', { title: c.revision }, short(c.revision)), badge(paused ? 'paused' : 'running', paused ? 'paused' : 'under way', paused ? 'warn' : 'good')),
    el('ol', { class: 'canary' }, [...c.steps, 100].map((s, i) => el('li', { 'aria-current': i === c.step ? 'step' : null, class: i < c.step ? 'over' : null }, `${s} %`))),
    el('p', { class: 'muted' }, `${now} % of the callers since `, when(c.since), `; each step lasts ${c.every} at least`, c.requests ? ` and sees ${c.requests} requests` : '', (c.stopOn ?? []).length > 0 && `; it goes back by itself on ${c.stopOn.map(bound).join(' or ')}`, '.', c.waits && ` It waits: ${c.waits}.`),
    c.note && el('p', { class: 'words' }, c.note), verbs.length > 0 && decide('Reason', 'The record keeps it.', verbs, ctx.again));
}

// planner is where a plan is written: {node, plan()}.
export function planner() {
  const steps = el('input', { type: 'text', value: '5, 25, 50', inputmode: 'numeric', pattern: '[0-9]+( *, *[0-9]+)*', title: 'Growing percentages, such as 5, 25, 50' });
  const every = el('input', { type: 'text', value: '10m', pattern: '([0-9]+(s|m|h|d))+', title: 'A time such as 10m or 1h' });
  const errors = el('input', { type: 'number', min: 0, max: 100, step: 'any', value: 2 });
  const slow = el('input', { type: 'number', min: 1, step: 1, placeholder: 'no bound' });
  const on = el('input', { type: 'checkbox', onchange: () => { rest.hidden = !on.checked; } });
  const cell = (label, control) => el('label', { class: 'field' }, el('span', {}, label), control);
  const rest = el('div', { class: 'fields', hidden: true }, cell('Steps, percent of the callers', steps), cell('Each step lasts at least', every), cell('Go back when errors pass (%)', errors), cell('Go back when p95 passes (ms)', slow));
  return {
    node: el('div', { class: 'stack' }, el('label', { class: 'tick' }, on, 'In steps, as a canary'), rest),
    plan: () => {
      if (!on.checked) return undefined;
      const stopOn = [errors.value && { measure: 'errors', over: Number(errors.value) }, slow.value && { measure: 'p95', over: Number(slow.value) }].filter(Boolean);
      return { steps: steps.value.split(',').map((s) => Number(s.trim())), every: every.value.trim(), stopOn: stopOn.length ? stopOn : undefined };
    },
  };
}
