import { el } from './dom.js';
import { base64, post } from './api.js';

const maxFile = 10 << 20; // bytes

// evidence is where files are chosen that prove something; upload puts them
// where they are kept by their hash, and answers the hashes.
export function evidence(team) {
  const input = el('input', { type: 'file', multiple: true });
  const upload = async () => {
    const hashes = [];
    for (const f of input.files ?? []) {
      if (f.size > maxFile) throw new Error(`${f.name} is larger than 10 MB; say where it is to be found instead.`);
      hashes.push((await post('/v1/evidence', { name: f.name, team, mediaType: f.type || undefined, content: await base64(f) })).hash);
    }
    return hashes.length ? hashes : undefined;
  };
  return { node: el('label', { class: 'field' }, el('span', {}, 'Files that prove it (10 MB each at most)'), input), upload };
}
