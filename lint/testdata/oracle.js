// Asks Spectral what it finds, for the tests of package lint to compare with.
//
//   npm install --prefix DIR @stoplight/spectral-cli@6.16.3
//   node lint/testdata/oracle.js DIR SAMPLES
//
// It writes the findings of "spectral:oas" with all rules over every file of
// SAMPLES (../shared/samples/openapi; .gz is unpacked) into samples.txt, and
// those of each case of cases/*.txtar, whose ruleset.yaml is run over doc.yaml
// or doc.json, into the "want" of the case. DIR is somewhere outside the
// repository; nothing of it is kept.
'use strict';
const fs = require('fs'), os = require('os'), path = require('path'), zlib = require('zlib');
const [dir, samples] = process.argv.slice(2);
if (!dir) throw new Error('usage: node oracle.js DIR [SAMPLES]');
const { lint } = require(path.resolve(dir, 'node_modules/@stoplight/spectral-cli/dist/services/linter'));
const severities = ['error', 'warn', 'info', 'hint'];
const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'oracle-'));

async function findings(ruleset, file) {
  const { results: found } = await lint([file], { ruleset, encoding: 'utf8', ignoreUnknownFormat: true, failOnUnmatchedGlobs: false, verbose: false });
  return found.filter(f => f.code !== 'unrecognized-format');
}

const pointer = p => p.map(s => '/' + String(s).replace(/~/g, '~0').replace(/\//g, '~1').replace(/\n/g, '\\n')).join('');

// lines are one for each rule and severity, then the places, each once with how often.
function lines(found, file) {
  const groups = {};
  for (const f of found) {
    const places = (groups[`${f.code} ${severities[f.severity]}`] ??= {});
    const place = (file && f.source && f.source !== file ? path.relative(path.dirname(file), f.source) + '#' : '') + pointer(f.path);
    places[place] = (places[place] ?? 0) + 1;
  }
  return Object.keys(groups).sort().flatMap(g => [g, ...Object.keys(groups[g]).sort().map(p => '\t' + (groups[g][p] > 1 ? groups[g][p] + '× ' : '') + p)]);
}

async function main() {
  if (samples) {
    const all = path.join(temp, 'all.yaml');
    fs.writeFileSync(all, 'extends: [["spectral:oas", all]]\n');
    const out = ['# Findings of Spectral 6.16.3, spectral:oas with all rules; written by oracle.js.'];
    for (const name of fs.readdirSync(samples).sort()) {
      let data = fs.readFileSync(path.join(samples, name));
      if (name.endsWith('.gz')) data = zlib.gunzipSync(data);
      const file = path.join(temp, 'files', name.replace(/\.gz$/, ''));
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, data);
    }
    for (const name of fs.readdirSync(path.join(temp, 'files')).sort()) {
      out.push('== ' + name, ...lines(await findings(all, path.join(temp, 'files', name))));
    }
    fs.writeFileSync(path.join(__dirname, 'samples.txt'), out.join('\n') + '\n');
  }
  const cases = path.join(__dirname, 'cases');
  for (const name of fs.readdirSync(cases).sort()) {
    const text = fs.readFileSync(path.join(cases, name), 'utf8');
    const parts = text.split(/^-- (.+) --\n/m);
    const home = fs.mkdtempSync(path.join(temp, 'case-'));
    let doc = '';
    for (let i = 1; i < parts.length; i += 2) {
      if (parts[i] === 'want') continue;
      fs.mkdirSync(path.dirname(path.join(home, parts[i])), { recursive: true });
      fs.writeFileSync(path.join(home, parts[i]), parts[i + 1]);
      if (parts[i].startsWith('doc.')) doc = path.join(home, parts[i]);
    }
    let want;
    try {
      want = lines(await findings(path.join(home, 'ruleset.yaml'), doc), doc);
    } catch (e) {
      want = ['failed ' + String(e.message).split('\n')[0].slice(0, 200)];
      console.error(name, e.message, e.errors ?? '');
    }
    const head = text.split(/^-- want --\n/m)[0];
    fs.writeFileSync(path.join(cases, name), head.replace(/\n*$/, '\n') + '-- want --\n' + want.map(l => l + '\n').join(''));
  }
  fs.rmSync(temp, { recursive: true });
}
main();
