// Where a version stands in each environment, from the entries of the catalog.

const stages = ['dev', 'qa', 'prod'];
const worst = ['refused', 'not-placed', 'pending', 'no-gateway', 'live'];

// ordered are environments from dev to prod, {name, stage, release}.
export function ordered(list) {
  return list.map((e) => ({ name: e.metadata.name, stage: e.spec.stage ?? '', release: e.spec.release ?? {}, gate: e.spec.gate }))
    .sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage) || before(a, b) || a.name.localeCompare(b.name));
}

// before puts an environment behind those that it takes releases from.
const before = (a, b) => (b.release.after ?? []).includes(a.name) ? -1 : (a.release.after ?? []).includes(b.name) ? 1 : 0;

// places turns entries, one for each gateway, into what stands where: by
// version, by environment.
export function places(entries) {
  const all = new Map();
  for (const e of entries) {
    const id = `${e.api}@${e.version}`;
    const lane = all.get(id) ?? all.set(id, new Map()).get(id);
    const p = lane.get(e.environment) ?? lane.set(e.environment, { ...e, gateways: [] }).get(e.environment);
    if (e.gateway) p.gateways.push({ name: e.gateway, state: e.state, reason: e.reason, instances: e.instances ?? [] });
    if (worst.indexOf(e.state) < worst.indexOf(p.state)) p.state = e.state;
  }
  return all;
}
